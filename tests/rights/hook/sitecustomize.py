"""Notes every AWS call of a process as what IAM would be asked: the caller, the action, the resource.

Python imports a module of this name at the start of every process that has its folder on ``PYTHONPATH``, so
the pipeline is recorded as it is, unchanged. One file a process, one line for each new combination. A process
of the pipeline is known by its access key, an operators' command by its words.
"""

import json
import os
import re
import sys
from pathlib import Path

try:
    from botocore import handlers
except ImportError:  # an interpreter without AWS clients has nothing to note
    handlers = None

_NOBODY = "local"
"""The access key of what is no process of the pipeline."""


class _Recorder:
    """Appends what is new to this process's file."""

    def __init__(self, folder: str) -> None:
        self._path = Path(folder) / f"{os.getpid()}.tsv"
        self._seen = set()

    def called(self, params, model, **_: object) -> None:
        """Note a call before it is sent: a call that fails has needed its right as well."""
        key = os.environ.get("AWS_ACCESS_KEY_ID", _NOBODY)
        caller = key if key != _NOBODY else f"orderstream {' '.join(sys.argv[1:3])}"
        self.note(caller, model.service_model.service_name, model.name, params)

    def note(self, caller, service, operation, params) -> None:
        """Write down what is new of a call."""
        from rights.asked import asked

        for request in asked(service, operation, params):
            resource = request.resource
            if resource.startswith("arn:aws:s3:::") and "/" in resource:
                resource = f"{resource.partition('/')[0]}/*"  # one for all objects
            line = f"{caller}\t{request.action}\t{resource}"
            if line not in self._seen:
                self._seen.add(line)
                with self._path.open("a", encoding="utf-8") as file:
                    file.write(line + "\n")


def _note_what_is_served(recorder) -> None:
    """Have the Kinesis fake note its calls: KCL's Java is no Python."""
    from orderstream.testing.asgi import KinesisApp

    served = KinesisApp._call

    async def noted(self, scope, body, receive, send) -> None:
        headers = dict(scope["headers"])
        signed = re.search(rb"Credential=([^/]+)/", headers.get(b"authorization", b""))
        if signed:
            operation = headers.get(b"x-amz-target", b"").decode().rpartition(".")[2]
            recorder.note(signed[1].decode(), "kinesis", operation, json.loads(body or b"{}"))
        await served(self, scope, body, receive, send)

    KinesisApp._call = noted


_folder = os.environ.get("RECORD_CALLS_INTO")
if handlers is not None and _folder:
    _recorder = _Recorder(_folder)
    handlers.BUILTIN_HANDLERS.append(("before-parameter-build", _recorder.called))
    if "orderstream.testing.server" in sys.orig_argv:
        _note_what_is_served(_recorder)
