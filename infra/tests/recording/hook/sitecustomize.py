"""Notes every AWS call of a process as what IAM would be asked: the process, the action, the resource.

Python imports a module of this name at the start of every process that has its folder on ``PYTHONPATH``, so
the pipeline is recorded as it is, unchanged. One file a process, one line for each new combination.
"""

import os
import sys
from pathlib import Path

try:
    from botocore import handlers
except ImportError:  # an interpreter without AWS clients has nothing to note
    handlers = None

# IAM has no action for a transaction: it asks for each item's own.
_ITEM_ACTIONS = {
    "Put": "PutItem",
    "Update": "UpdateItem",
    "Delete": "DeleteItem",
    "ConditionCheck": "ConditionCheckItem",
}
# Operations of S3 that IAM knows under another name.
_S3_ACTIONS = {"HeadBucket": "ListBucket", "ListObjectsV2": "ListBucket", "HeadObject": "GetObject"}
_NAMES = ("TableName", "StreamName", "QueueUrl", "QueueName", "TopicArn", "Bucket")


class _Recorder:
    """Appends what is new to this process's file."""

    def __init__(self, folder: str) -> None:
        self._path = Path(folder) / f"{os.getpid()}.tsv"
        self._seen = set()
        self._streams = {}

    def asked(self, params, model, context, **_: object) -> None:
        """Note a call before it is sent: a call that fails has needed its right as well."""
        context["asked"] = params
        service, operation = model.service_model.service_name, model.name
        for action, resource in self._needed(service, operation, params):
            line = "\t".join((" ".join(sys.argv[1:3]), f"{service}:{action}", resource))
            if line not in self._seen:
                self._seen.add(line)
                with self._path.open("a", encoding="utf-8") as file:
                    file.write(line + "\n")

    def answered(self, parsed, context, **_: object) -> None:
        """Remember which stream an iterator or a page is of: the next call names nothing else."""
        stream = self._stream_of(context.get("asked", {}))
        for token in ("ShardIterator", "NextShardIterator", "NextToken"):
            if parsed.get(token):
                self._streams[parsed[token]] = stream

    def _needed(self, service, operation, params):
        if operation == "TransactWriteItems":
            for item in params["TransactItems"]:
                for kind, write in item.items():
                    yield _ITEM_ACTIONS[kind], write["TableName"]
        elif operation == "BatchGetItem":
            for table in params["RequestItems"]:
                yield operation, table
        elif operation == "Query" and params.get("IndexName"):
            yield operation, f"{params['TableName']}/index/{params['IndexName']}"
        elif service == "kinesis":
            yield operation, self._stream_of(params)
        elif service == "s3":
            yield _S3_ACTIONS.get(operation, operation), params["Bucket"]
        else:
            named = next((str(params[name]) for name in _NAMES if name in params), "*")
            yield operation, named.replace("/", ":").rpartition(":")[2]

    def _stream_of(self, params):
        if "StreamName" in params:
            return params["StreamName"]
        return self._streams.get(params.get("ShardIterator") or params.get("NextToken"), "?")


_folder = os.environ.get("RECORD_CALLS_INTO")
if handlers is not None and _folder:
    _recorder = _Recorder(_folder)
    handlers.BUILTIN_HANDLERS.append(("before-parameter-build", _recorder.asked))
    handlers.BUILTIN_HANDLERS.append(("after-call.kinesis", _recorder.answered))
