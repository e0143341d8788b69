"""Refuses a call that the role of the calling process does not allow, in the words of the service."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from chaos.calls import Call
from chaos.http1 import Message
from rights.asked import ACCOUNT, asked
from rights.policy import Decision, Policy, Request, decide


@dataclass(frozen=True, slots=True)
class Refusal:
    """A call that was refused.

    Attributes:
        caller: Whose role does not allow it.
        request: What is not allowed.
        decision: Why not.
    """

    caller: str
    request: Request
    decision: Decision

    def __str__(self) -> str:
        """As AWS says it."""
        end = f"{self.decision} the {self.request.action} action"
        if self.decision is Decision.DENIED:
            end = f"with {self.decision} a policy"
        return (
            f"User: arn:aws:sts::{ACCOUNT}:assumed-role/orderstream-{self.caller}/task is not authorized to "
            f"perform: {self.request.action} on resource: {self.request.resource} because {end}"
        )


class Guard:
    """Knows the role of each process. A caller is who has signed the call, not where it comes in.

    Args:
        roles: By the name of the process, which is its access key.
        buckets: The statements of the buckets' own policies.
        without_role: Processes that are not deployed, and have no role yet: nothing is refused to them.
    """

    def __init__(
        self,
        roles: Mapping[str, Policy],
        buckets: Policy = (),
        without_role: frozenset[str] = frozenset(),
    ) -> None:
        self._roles = roles
        self._buckets = buckets
        self._without_role = without_role
        self.refusals: list[Refusal] = []
        self.allowed: set[tuple[str, Request]] = set()
        """Every call that was let through."""

    def refusal(self, call: Call) -> Message | None:
        """The response to a call that is not allowed; None for one that is, and for one that is not AWS'.

        Args:
            call: With its signature's access key.
        """
        if not call.access_key or call.access_key in self._without_role:
            return None
        operation, arguments, context = read(call)
        for request in asked(call.service, operation, arguments, context):
            decision = decide((*self._roles.get(call.access_key, ()), *self._buckets), request)
            if decision is not Decision.ALLOWED:
                refusal = Refusal(call.access_key, request, decision)
                self.refusals.append(refusal)
                return _response(call.service, str(refusal))
            self.allowed.add((call.access_key, request))
        return None


def read(call: Call) -> tuple[str, Mapping[str, Any], Mapping[str, str]]:
    """The operation, its members and what it brings for conditions, off the protocol of the service."""
    if call.service == "s3":
        return _read_s3(call)
    if call.service in {"sns", "ses"}:
        form = parse_qs(call.body.decode())
        return call.operation, {name: values[0] for name, values in form.items()}, {}
    return call.operation, call.arguments, {}


def _read_s3(call: Call) -> tuple[str, Mapping[str, Any], Mapping[str, str]]:
    method, _, target = call.operation.partition(" ")
    where = urlsplit(target)
    bucket, _, key = unquote(where.path).removeprefix("/").partition("/")
    if key:
        names = {"HEAD": "HeadObject", "GET": "GetObject", "PUT": "PutObject"}
        return names.get(method, target), {"Bucket": bucket, "Key": key}, dict(_conditions(call))
    lists = method == "GET" and parse_qs(where.query).get("list-type") == ["2"]
    operation = "ListObjectsV2" if lists else {"HEAD": "HeadBucket"}.get(method, target)
    return operation, {"Bucket": bucket}, dict(_conditions(call))


def _conditions(call: Call) -> Iterator[tuple[str, str]]:
    yield "s3:objectcreationoperation", str(call.operation.startswith("PUT ")).lower()
    yield "aws:securetransport", "true"  # the emulator's lack of TLS is not the caller's
    yield "s3:tlsversion", "1.3"
    if call.if_none_match:
        yield "s3:if-none-match", call.if_none_match


def _response(service: str, message: str) -> Message:
    code = {"sns": "AuthorizationError"}.get(service, "AccessDenied")
    if service in {"sns", "ses"}:
        error = f"<Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>"
        body = f"<ErrorResponse>{error}</ErrorResponse>"
        return Message("HTTP/1.1 403 Forbidden", (("content-type", "text/xml"),), body.encode())
    if service == "s3":
        body = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>"
        return Message("HTTP/1.1 403 Forbidden", (("content-type", "application/xml"),), body.encode())
    kind = {"dynamodb": "com.amazon.coral.service#AccessDeniedException"}.get(
        service, "AccessDeniedException"
    )
    headers: tuple[tuple[str, str], ...] = (("content-type", "application/x-amz-json-1.0"),)
    if service == "sqs":
        headers = (*headers, ("x-amzn-query-error", "AccessDenied;Sender"))
    text = json.dumps({"__type": kind, "message": message, "Message": message})
    return Message("HTTP/1.1 400 Bad Request", headers, text.encode())
