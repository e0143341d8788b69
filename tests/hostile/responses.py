"""What stands between us and a service can respond with: a named catalogue, in each protocol.

Not one of these is a statement of the service about the request at hand: a gateway's page, a cut body, an
expired signature, a throttle. Whoever receives one waits and asks again.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Wire(StrEnum):
    """How a service speaks."""

    JSON = "json"
    """AWS JSON 1.0 and 1.1: Kinesis, DynamoDB, SQS."""
    QUERY = "query"
    """Forms in, XML out: SNS, SES."""
    XML = "xml"
    """REST with XML: S3."""
    HTTP = "http"
    """Plain JSON over HTTP: the payment provider."""


class Delivery(StrEnum):
    """How a response reaches the caller, if it does."""

    WHOLE = "whole"
    CUT = "cut"
    """Half of the body, then the end of the connection."""
    CUT_HEAD = "cut_head"
    """Half of the head, then the end of the connection."""
    HANG_UP = "hang_up"
    """Nothing, and the end of the connection."""
    RESET = "reset"
    """Nothing, and a reset."""
    SILENT = "silent"
    """Nothing, until the caller gives up."""
    SLOW = "slow"
    """All of it, a few bytes at a time."""
    GARBAGE = "garbage"
    """The body alone, without a head."""


@dataclass(frozen=True, slots=True)
class Odd:
    """A response.

    Attributes:
        name: Names it in tests, reports and plans.
        status: HTTP status.
        body: What is sent, or half of it.
        headers: Beside the length.
        delivery: How it reaches the caller.
    """

    name: str
    status: int = 200
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = (("content-type", "text/html"),)
    delivery: Delivery = Delivery.WHOLE

    def __str__(self) -> str:
        """Its name."""
        return self.name


_TYPES: Final = {
    Wire.JSON: "application/x-amz-json-1.0",
    Wire.QUERY: "text/xml",
    Wire.XML: "application/xml",
    Wire.HTTP: "application/json",
}

_PAGES: Final = {
    "html": b"<html><body><h1>502 Bad Gateway</h1></body></html>",
    "doctype": b"<!DOCTYPE html>\n<html><head><title>Sorry</title><body><p>Try again<br></body></html>",
    "text": b"upstream connect error or disconnect/reset before headers",
    "json": b'{"message": "Service Unavailable"}',
}

PAGE_STATUSES: Final = (200, 202, 204, 403, 404, 405, 408, 421, 429, 500, 502, 503, 504, 520)
"""The statuses under which gateways, proxies and captive portals show their pages."""

THROTTLES: Final = (
    "LimitExceededException",
    "PriorRequestNotComplete",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "RequestThrottled",
    "RequestThrottledException",
    "SlowDown",
    "Throttling",
    "ThrottledException",
    "ThrottlingException",
    "TooManyRequests",
    "TooManyRequestsException",
    "BandwidthLimitExceeded",
    "EC2ThrottledException",
)
"""Every spelling of "too many requests" that an AWS SDK knows, and a proxy's."""

_SIGNATURES: Final = {
    "ExpiredToken": "The security token included in the request is expired",
    "ExpiredTokenException": "The security token included in the request is expired",
    "RequestExpired": "Request has expired.",
    "TokenRefreshRequired": "The provided token must be refreshed.",
    "InvalidSignatureException": "Signature expired: 20101201T082600Z is now earlier than 20101201T084100Z",
    "SignatureDoesNotMatch": "Signature not yet current: 20101201T082600Z is later than 20101201T081100Z",
    "RequestTimeTooSkewed": "The difference between the request time and the current time is too large.",
    "RequestInTheFuture": "The request is dated in the future.",
    "UnrecognizedClientException": "The security token included in the request is invalid.",
    "InvalidClientTokenId": "The security token included in the request is invalid.",
    "IncompleteSignature": "Authorization header requires 'Credential' parameter.",
    "MissingAuthenticationTokenException": "Missing Authentication Token",
    "AccessDeniedException": "User is not authorized to perform this operation.",
    "AccessDenied": "Access Denied",
    "OptInRequired": "The AWS Access Key Id needs a subscription for the service",
}
"""What the next signature, the next credentials or an operator cures; no record is at fault."""


def refusal(wire: Wire, code: str, status: int = 400, message: str = "said so") -> Odd:
    """An error as the service itself writes it.

    Args:
        wire: How it speaks.
        code: The error's code.
        status: HTTP status.
        message: The error's text.
    """
    return _written(wire, f"{code}-{status}", status, error_body(wire, code, message))


def good(wire: Wire, body: bytes = b"{}", name: str = "good", *headers: tuple[str, str]) -> Odd:
    """A response as the service itself writes it: with a request id.

    Args:
        wire: How it speaks.
        body: What it says.
        name: The response's name.
        headers: More of them.
    """
    ids = (("x-amzn-requestid", "r-1"), ("x-amz-request-id", "r-1"))
    return Odd(name, 200, body, (*_type(wire), *ids, *headers))


def error_body(wire: Wire, code: str, message: str) -> bytes:
    """The body of an error as the service itself writes it."""
    match wire:
        case Wire.JSON:
            return json.dumps({"__type": f"com.amazonaws.service#{code}", "message": message}).encode()
        case Wire.QUERY:
            text = (
                f"<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message>"
                "</Error><RequestId>r-1</RequestId></ErrorResponse>"
            )
        case Wire.XML:
            text = f"<Error><Code>{code}</Code><Message>{message}</Message><RequestId>r-1</RequestId></Error>"
        case Wire.HTTP:
            text = json.dumps({"code": code, "message": message})
    return text.encode()


def throttles(wire: Wire) -> Iterator[Odd]:
    """Throttles: in every spelling, under each of the statuses, and without a word."""
    for status in (429, 503):
        yield Odd(f"empty-{status}", status)
        yield _written(wire, f"nothing-{status}", status, b"{}")
    if wire is not Wire.HTTP:
        for code in THROTTLES:
            for status in (400, 429, 503):
                yield refusal(wire, code, status, "Rate exceeded")


def signatures(wire: Wire) -> Iterator[Odd]:
    """Expired and skewed signatures, expired tokens, missing rights."""
    for code, message in _SIGNATURES.items():
        if wire is Wire.HTTP:
            return
        for status in (400, 403):
            yield refusal(wire, code, status, message)


def pages() -> Iterator[Odd]:
    """Pages of a gateway, and redirects."""
    for status in PAGE_STATUSES:
        for kind, body in _PAGES.items():
            yield Odd(f"page-{kind}-{status}", status, b"" if status == 204 else body)
        yield Odd(f"empty-page-{status}", status)
    for status in (301, 302, 303, 307, 308):
        yield Odd(f"redirect-{status}", status, b"", (("location", "http://127.0.0.1:9/login"),))


def shapes(wire: Wire) -> Iterator[Odd]:
    """Bodies under 200 that hold none of what was asked for."""
    yield _written(wire, "empty-200", 200, b"")
    for name, text in (
        ("object", "{}"),
        ("null", "null"),
        ("list", "[]"),
        ("objects", "[{}]"),
        ("text", '"ok"'),
        ("number", "5"),
        ("true", "true"),
        ("unfinished", '{"Item": {"pk": {"S"'),
        ("binary", "\x00\xff\x7f"),
    ):
        yield _written(wire, f"{name}-200", 200, text.encode("latin-1"))
    if wire in {Wire.QUERY, Wire.XML}:
        for name, text in (
            ("foreign", "<a/>"),
            ("result-without-members", "<PublishResponse><PublishResult/></PublishResponse>"),
            ("mail-without-members", "<SendEmailResponse><SendEmailResult/></SendEmailResponse>"),
            ("unclosed", "<SendEmailResponse><SendEmailResult><MessageId>m"),
        ):
            yield _written(wire, f"{name}-200", 200, text.encode())


def members(wire: Wire, *names: str) -> Iterator[Odd]:
    """Bodies under 200 whose members are of other types than was agreed.

    Args:
        wire: ``JSON`` or ``HTTP``.
        names: The members that a caller cannot do without.
    """
    for name in names:
        for kind, value in (
            ("null", None),
            ("number", 5),
            ("text", "a text"),
            ("empty-text", ""),
            ("list", []),
            ("nulls", [None]),
            ("texts", ["a text"]),
            ("object", {}),
            ("objects", [{}]),
            ("nested", {"a": {"b": []}}),
        ):
            body = json.dumps({name: value}).encode()
            yield good(wire, body, f"{name}-as-{kind}")


def deliveries(wire: Wire) -> Iterator[Odd]:
    """Connections that are slow, end, break or stay silent."""
    for delivery in (Delivery.HANG_UP, Delivery.RESET, Delivery.SILENT):
        yield Odd(delivery.value, delivery=delivery)
    whole = error_body(wire, "InternalError", "x" * 200)
    yield Odd("cut-200", 200, b'{"Items": [' + b" " * 200, _type(wire), Delivery.CUT)
    yield Odd("cut-500", 500, whole, _type(wire), Delivery.CUT)
    yield Odd("slow-200", 200, _PAGES["html"], delivery=Delivery.SLOW)
    yield Odd("slow-500", 500, whole, _type(wire), Delivery.SLOW)
    yield Odd("cut-head", 200, b"{}", _type(wire), Delivery.CUT_HEAD)
    yield Odd("garbage", 200, b"\x15\x03\x01\x00\x02\x02\x16", _type(wire), Delivery.GARBAGE)


def service_failures(wire: Wire) -> Iterator[Odd]:
    """The service's own internal errors."""
    for code in ("InternalError", "InternalFailure", "InternalServerError", "ServiceUnavailable"):
        for status in (500, 503):
            yield refusal(wire, code, status)


def kinds(wire: Wire) -> dict[str, tuple[Odd, ...]]:
    """Everything of this catalogue that can stand in for any response of a service, by kind."""
    return {
        "pages": tuple(pages()),
        "shapes": tuple(shapes(wire)),
        "deliveries": tuple(deliveries(wire)),
        "throttles": tuple(throttles(wire)),
        "signatures": tuple(signatures(wire)),
        "failures": tuple(service_failures(wire)),
    }


def outages(wire: Wire) -> tuple[Odd, ...]:
    """The same in one row."""
    return tuple(odd for kind in kinds(wire).values() for odd in kind)


def _written(wire: Wire, name: str, status: int, body: bytes) -> Odd:
    return Odd(name, status, body, _type(wire))


def _type(wire: Wire) -> tuple[tuple[str, str], ...]:
    return (("content-type", _TYPES[wire]),)
