"""Notes every AWS request of a process: time, service, operation, entries, bytes, capacity units by table.

Python imports a module of this name at the start of every process that has its folder on ``PYTHONPATH``, so
the pipeline is counted as it is, unchanged. One file a process, one line a request.
"""

import json
import os
import time
from collections import Counter
from pathlib import Path

import capacity

try:
    from botocore import handlers
except ImportError:  # an interpreter without AWS clients has nothing to count
    handlers = None

_ENTRIES = {
    "PutRecords": b'"PartitionKey"',
    "TransactWriteItems": b'"TableName"',
    "BatchWriteItem": b'Request"',
}
_READS = ("GetItem", "Query", "Scan", "BatchGetItem")


class _Notes:
    """Appends a line for each request to this process's file."""

    def __init__(self, folder: str) -> None:
        self._path = Path(folder) / f"{os.getpid()}.tsv"
        self._file = None

    def sent(self, request, event_name: str, **_: object) -> None:
        """Note a request, and what a DynamoDB request writes."""
        _, service, operation = event_name.split(".")
        body = request.body if isinstance(request.body, bytes | bytearray) else b""
        entries = max(1, body.count(_ENTRIES[operation])) if operation in _ENTRIES else 1
        size = request.headers.get("Content-Length", 0)
        tables = Counter()
        if service == "dynamodb" and operation not in _READS:
            for table, units in capacity.writes(operation, json.loads(body)):
                tables[table] += units
        self._write("sent", service, operation, entries, size, tables)

    def answered(self, parsed, model, context, **_: object) -> None:
        """Note what a DynamoDB request read."""
        if model.name in _READS and "Error" not in parsed:
            tables = Counter()
            for table, units in capacity.reads(model.name, context["asked"], parsed):
                tables[table] += units
            self._write("read", "dynamodb", model.name, 0, 0, tables)

    def asked(self, params, context, **_: object) -> None:
        """Keep a request's parameters for the moment when its response is there."""
        context["asked"] = params

    def _write(self, kind, service, operation, entries, size, tables) -> None:
        if self._file is None:  # opened late: most processes call nothing
            self._file = self._path.open("a", buffering=1, encoding="utf-8")
        named = json.dumps(tables)
        line = (kind, f"{time.time():.3f}", service, operation, entries, size, named)
        self._file.write("\t".join(map(str, line)) + "\n")


_folder = os.environ.get("COUNT_CALLS_INTO")
if handlers is not None and _folder:
    _notes = _Notes(_folder)
    handlers.BUILTIN_HANDLERS.append(("before-send", _notes.sent))
    handlers.BUILTIN_HANDLERS.append(("provide-client-params.dynamodb", _notes.asked))
    handlers.BUILTIN_HANDLERS.append(("after-call.dynamodb", _notes.answered))
