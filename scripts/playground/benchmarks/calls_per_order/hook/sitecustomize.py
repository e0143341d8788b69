"""Notes every AWS request of a process: time, service, operation, entries, bytes, and what AWS bills for it.

Python imports a module of this name at the start of every process that has its folder on ``PYTHONPATH``, so
the pipeline is counted as it is, unchanged. One file a process; one line a request, and one for what it is
billed, which is known once its response is there. DynamoDB is asked to state the capacity units as well.
"""

import base64
import json
import os
import time
from collections import Counter
from pathlib import Path

try:
    from botocore import handlers

    from orderstream.aws.billing import billed
except ImportError:  # an interpreter without AWS clients or without us has nothing to count
    handlers = None

_ENTRIES = {
    "PutRecords": b'"PartitionKey"',
    "TransactWriteItems": b'"TableName"',
    "BatchWriteItem": b'Request"',
}
_STATING = frozenset(
    {"GetItem", "Query", "Scan", "BatchGetItem", "TransactGetItems", "TransactWriteItems", "BatchWriteItem"}
) | {"PutItem", "UpdateItem", "DeleteItem"}


class _Notes:
    """Appends lines to this process's file."""

    def __init__(self, folder: str) -> None:
        self._path = Path(folder) / f"{os.getpid()}.tsv"
        self._file = None

    def asked(self, params, model, context, **_: object) -> dict:
        """Keep a request's parameters for the moment when its response is there."""
        if model.name in _STATING and model.service_model.service_name == "dynamodb":
            params = {**params, "ReturnConsumedCapacity": "TOTAL"}
        context["asked"] = params
        return params

    def sent(self, request, event_name: str, **_: object) -> None:
        """Note a request."""
        _, service, operation = event_name.split(".")
        body = request.body if isinstance(request.body, bytes | bytearray) else b""
        entries = max(1, body.count(_ENTRIES[operation])) if operation in _ENTRIES else 1
        self._write("sent", service, operation, entries, request.headers.get("Content-Length", 0), {})
        if (
            operation == "PutRecords"
        ):  # the producer writes the body itself: the parameters hold a placeholder
            records = [{"Data": base64.b64decode(each["Data"])} for each in json.loads(body)["Records"]]
            self._bill(service, operation, {"Records": records}, {})

    def answered(self, parsed, model, context, **_: object) -> None:
        """Note what it is billed, as reckoned from the request, and as DynamoDB says."""
        service = model.service_model.service_name
        if model.name != "PutRecords":
            self._bill(service, model.name, context.get("asked", {}), parsed)
        stated = parsed.get("ConsumedCapacity") or []
        tables = Counter()
        for each in stated if isinstance(stated, list) else [stated]:
            tables[each["TableName"]] += each["CapacityUnits"]
        if tables:
            self._write("stated", service, model.name, 0, 0, tables)

    def _bill(self, service, operation, request, response) -> None:
        used = Counter()
        for unit, resource, amount in billed(service, operation, request, response):
            used[f"{unit} {resource}".rstrip()] += amount
        if used:
            self._write("billed", service, operation, 0, 0, used)

    def _write(self, kind, service, operation, entries, size, amounts) -> None:
        if self._file is None:  # opened late: most processes call nothing
            self._file = self._path.open("a", buffering=1, encoding="utf-8")
        named = json.dumps(amounts)
        line = (kind, f"{time.time():.3f}", service, operation, entries, size, named)
        self._file.write("\t".join(map(str, line)) + "\n")


_folder = os.environ.get("COUNT_CALLS_INTO")
if handlers is not None and _folder:
    _notes = _Notes(_folder)
    handlers.BUILTIN_HANDLERS.append(("before-send", _notes.sent))
    handlers.BUILTIN_HANDLERS.append(("provide-client-params", _notes.asked))
    handlers.BUILTIN_HANDLERS.append(("after-call", _notes.answered))
