"""The API's responses, typed: the same structs are encoded and described in the OpenAPI document."""

from collections.abc import Mapping
from http import HTTPStatus

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response


class AcceptedResponse(msgspec.Struct, frozen=True, kw_only=True):
    """Kinesis has acknowledged the event; everything else is eventually consistent.

    Attributes:
        order_id: The order's id, the same for every retry under one ``Idempotency-Key``.
    """

    order_id: str


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """Why the response is not what was asked for.

    Attributes:
        code: For a program, e.g. ``"malformed"``.
        message: For a person: what is wrong and what to do.
        field: The field at fault, where there is one.
        line: The line at fault, counted from 1.
    """

    code: str
    message: str
    field: str | None = None
    line: int | None = None


class DependencyStatus(msgspec.Struct, frozen=True, kw_only=True):
    """What a dependency of the API said last.

    Attributes:
        name: Its kind and name.
        responded_seconds_ago: How long ago it last responded; null if it never has.
        failure: Why it did not respond when it was last asked; null if it did.
    """

    name: str
    responded_seconds_ago: float | None = None
    failure: str | None = None


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """Whether the API can do its work, as far as its dependencies go.

    Attributes:
        healthy: False while a dependency has not responded for too long.
        ready: False until each has responded once, and while it is not healthy.
        reason: Why one of them is False, in one sentence.
        dependencies: What each of them said last.
    """

    healthy: bool = True
    ready: bool = True
    reason: str | None = None
    dependencies: tuple[DependencyStatus, ...] = ()


class HealthResponse(msgspec.Struct, frozen=True, kw_only=True):
    """Whether requests can be taken, and what has come in since the start.

    Attributes:
        status: ``"ok"``; ``"full"`` while another request would be turned away; ``"starting"`` until each
            dependency has responded once; ``"failing"`` while one has not responded for too long.
        reason: Why it is not ``"ok"``, in one sentence.
        dependencies: What each dependency said last.
        in_flight: Requests under way.
        accepted: Requests that were taken.
        rejected: Requests that were not, and never will be without a change.
        rejected_by_code: The same, by the code of the response.
        unknown_outcomes: Requests whose outcome is unknown.
    """

    status: str
    reason: str | None
    dependencies: tuple[DependencyStatus, ...]
    in_flight: int
    accepted: int
    rejected: int
    rejected_by_code: dict[str, int]
    unknown_outcomes: int


def json_response(status: int, content: object, headers: Mapping[str, str] | None = None) -> Response:
    """A response in JSON.

    Args:
        status: The HTTP status.
        content: A struct, or whatever else has a form in JSON.
        headers: More headers.
    """
    return Response(
        msgspec.json.encode(content), status, dict(headers) if headers else None, "application/json"
    )


async def on_http_exception(_: Request, error: Exception) -> Response:
    """What the router refuses (no such path, no such method) is a problem like any other."""
    assert isinstance(error, HTTPException)
    status = HTTPStatus(error.status_code)
    problem = Problem(code=status.name.lower(), message=error.detail)
    return json_response(status, problem, error.headers)


async def on_disconnect(_: Request, __: Exception) -> Response:
    """The caller went away in the middle of its body: nothing was taken, and no client gets this response."""
    problem = Problem(code="malformed", message="the body did not arrive whole: send it again")
    return json_response(HTTPStatus.BAD_REQUEST, problem)


async def on_failure(_: Request, __: Exception) -> Response:
    """A defect of ours: the traceback is in the log, not in the response."""
    problem = Problem(
        code="internal_error", message="something failed here: ask again with the same Idempotency-Key"
    )
    return json_response(HTTPStatus.INTERNAL_SERVER_ERROR, problem)
