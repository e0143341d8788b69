"""Who asks whom for what: a request as the gateway sees it pass."""

import json
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

from chaos.http1 import Message

_SCOPE = re.compile(r"Credential=([^/]+)/[^/]+/[^/]+/([^/]+)/aws4_request")


@dataclass(frozen=True, slots=True)
class Call:
    """A request.

    Attributes:
        caller: Name of the process that makes it.
        service: ``dynamodb``, ``sqs``, ``s3``, ``sns``, ``ses``, ``kinesis``; ``payments`` if it is unsigned.
        operation: As AWS names it; elsewhere method and path.
        body: What was sent.
        access_key: Who has signed it; empty if it is unsigned.
        if_none_match: That header of a write to S3; empty if there is none.
    """

    caller: str
    service: str
    operation: str
    body: bytes
    access_key: str = ""
    if_none_match: str = ""

    @property
    def arguments(self) -> dict[str, Any]:
        """Its JSON body; empty where it has another one."""
        return _object(self.body)


@dataclass(frozen=True, slots=True)
class Reply:
    """What was answered.

    Attributes:
        status: HTTP status.
        body: What came back.
    """

    status: int
    body: bytes

    @property
    def ok(self) -> bool:
        """True if what was asked for has been done."""
        return 200 <= self.status < 300

    @property
    def result(self) -> dict[str, Any]:
        """Its JSON body; empty where it has another one."""
        return _object(self.body)


def call_of(caller: str, request: Message) -> Call:
    """Read the service off the signature's scope, and the operation off the protocol of that service."""
    method, path, _ = request.start.split(" ", 2)
    signed = _SCOPE.search(request.header("authorization"))
    access_key, service = signed.groups() if signed else ("", "payments")
    target = request.header("x-amz-target")
    if target:
        operation = target.rpartition(".")[2]
    elif "form-urlencoded" in request.header("content-type"):
        operation = parse_qs(request.body.decode()).get("Action", [""])[0]
    else:
        operation = f"{method} {path}"
    return Call(caller, service, operation, request.body, access_key, request.header("if-none-match"))


def _object(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body or b"{}")
    except ValueError:
        return {}  # CBOR, a form, a Parquet file: whoever asks about those looks at the bytes
    return value if isinstance(value, dict) else {}
