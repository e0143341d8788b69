"""Notes every AWS request of a process: time, service and operation, entries in it, bytes of it.

Python imports a module of this name at the start of every process that has its folder on ``PYTHONPATH``, so
the pipeline is counted as it is, unchanged. One file a process, one line a request.
"""

import os
import time
from pathlib import Path

try:
    from botocore import handlers
except ImportError:  # an interpreter without AWS clients has nothing to count
    handlers = None

_ENTRIES = {
    "PutRecords": b'"PartitionKey"',
    "TransactWriteItems": b'"TableName"',
    "BatchWriteItem": b'Request"',
}


class _Notes:
    """Appends a line for each request to this process's file."""

    def __init__(self, folder: str) -> None:
        self._path = Path(folder) / f"{os.getpid()}.tsv"
        self._file = None

    def __call__(self, request, event_name: str, **_: object) -> None:
        if self._file is None:  # opened late: most processes call nothing
            self._file = self._path.open("a", buffering=1, encoding="utf-8")
        _, service, operation = event_name.split(".")
        body = request.body if isinstance(request.body, bytes | bytearray) else b""
        entries = max(1, body.count(_ENTRIES[operation])) if operation in _ENTRIES else 1
        size = request.headers.get("Content-Length", 0)
        self._file.write(f"{time.time():.3f}\t{service}\t{operation}\t{entries}\t{size}\n")


_folder = os.environ.get("COUNT_CALLS_INTO")
if handlers is not None and _folder:
    handlers.BUILTIN_HANDLERS.append(("before-send", _Notes(_folder)))
