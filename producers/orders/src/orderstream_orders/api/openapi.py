"""The OpenAPI 3.1 document of the API: bodies and responses are described from their own structs.

https://spec.openapis.org/oas/v3.1.0
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

import msgspec

from orderstream_orders.api.requests import (
    JSON,
    MAX_BODY_BYTES,
    MAX_CODE_LENGTH,
    MAX_ORDER_BYTES,
    OrderRequest,
)
from orderstream_orders.api.responses import AcceptedResponse, HealthResponse, Problem
from orderstream_orders.callers import READ, WRITE
from orderstream_orders.catalogue.schemas import described

Part = dict[str, Any]
"""A part of the document, as plain data."""

Responses = Mapping[int, tuple[str, type[msgspec.Struct]]]
"""By HTTP status, when a response comes and what it holds."""

BEARER: Final = "bearer"
"""The name of the security scheme."""

_REFERENCE: Final = "#/components/schemas/{name}"


@dataclass(frozen=True, slots=True)
class Described:
    """What the document says of some routes.

    Attributes:
        paths: Path items by path, see ``operation``.
        types: The structs that they refer to, beside ``Problem``.
    """

    paths: Mapping[str, Part]
    types: tuple[type[msgspec.Struct], ...]


def document(*more: Described) -> Part:
    """The whole document, as plain data.

    Args:
        more: The routes that are served beside the API's own.
    """
    parts = (_orders(), *more)
    types = (Problem, *(kind for part in parts for kind in part.types))
    _, schemas = msgspec.json.schema_components(types, ref_template=_REFERENCE)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Orderstream orders",
            "version": "1.0.0",
            "description": "Accepts orders into the stream, and reports their state. "
            "An order is taken once Kinesis has acknowledged it; the outcome follows.",
        },
        "paths": _paths(parts),
        "components": {
            "schemas": {name: _worded(schema) for name, schema in sorted(schemas.items())},
            "securitySchemes": {
                BEARER: {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "JWT",
                    "description": "A token of the issuer for this audience, signed with RS256, ES256 or "
                    "EdDSA. Its subject is the caller, and an order is its caller's alone. "
                    f"`{WRITE}` places and cancels, `{READ}` looks.",
                }
            },
        },
    }


def _paths(parts: Iterable[Described]) -> Part:
    """One path may have operations of several parts."""
    paths: Part = {}
    for part in parts:
        for path, item in part.paths.items():
            paths[path] = paths.get(path, {}) | item
    return paths


def operation(
    name: str,
    summary: str,
    responses: Responses,
    *,
    scope: str | None = None,
    **more: Any,
) -> Part:
    """An operation whose responses are JSON; 404 and 405 of the router and 500 are the same for all.

    Args:
        name: Its ``operationId``.
        summary: What it does.
        responses: By HTTP status, when it comes and what it holds.
        scope: The scope that a caller's token has to grant; None for operations without authentication.
        more: Other members of the operation, such as ``parameters``.
    """
    responses = responses if scope is None else {**responses, **_GUARDED}
    return {
        "operationId": name,
        "summary": summary,
        "security": [] if scope is None else [{BEARER: [scope]}],
        **more,
        "responses": {
            **{str(int(status)): _response(status, *response) for status, response in responses.items()},
            "500": _response(500, "A defect of ours; whether it was taken is unknown.", Problem),
        },
    }


_GUARDED: Final[Responses] = {
    HTTPStatus.UNAUTHORIZED: ("No valid token: the caller is unknown.", Problem),
    HTTPStatus.FORBIDDEN: ("The token does not grant the scope.", Problem),
    HTTPStatus.TOO_MANY_REQUESTS: ("Not taken: the caller asks too often.", Problem),
}
"""How every operation responds for which it has to be known who calls."""


def order_id_parameter() -> Part:
    """The path parameter ``order_id``."""
    schema = {"type": "string", "minLength": 1}
    return {"name": "order_id", "in": "path", "required": True, "schema": schema}


def _orders() -> Described:
    unavailable = "The outcome is unknown: ask again with the same Idempotency-Key. `unavailable`: not taken."
    place_order = operation(
        "placeOrder",
        "Place an order.",
        {
            HTTPStatus.ACCEPTED: ("Taken.", AcceptedResponse),
            HTTPStatus.BAD_REQUEST: (
                "A header is missing, too long or not for clients to send, or the body is no JSON.",
                Problem,
            ),
            HTTPStatus.REQUEST_TIMEOUT: ("The body did not arrive in time.", Problem),
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE: (
                f"The body is over {MAX_BODY_BYTES:,} bytes, or its event over {MAX_ORDER_BYTES:,}.",
                Problem,
            ),
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE: (
                f"The body is not said to be {JSON}. What was taken before stays taken.",
                Problem,
            ),
            HTTPStatus.UNPROCESSABLE_ENTITY: (
                "It does not fit the schema, cannot be charged, or its key belongs to another order.",
                Problem,
            ),
            HTTPStatus.SERVICE_UNAVAILABLE: (unavailable, Problem),
        },
        scope=WRITE,
        parameters=[
            _header("Idempotency-Key", "The caller's own name for the order.", required=True),
        ],
        requestBody={
            "required": True,
            "content": {JSON: {"schema": {"$ref": _REFERENCE.format(name="OrderRequest")}}},
        },
    )
    cancel = operation(
        "cancelOrder",
        "Ask for an order's cancellation.",
        {
            HTTPStatus.ACCEPTED: (
                "Requested; the history of the order shows whether it came in time.",
                AcceptedResponse,
            ),
            HTTPStatus.BAD_REQUEST: ("A header is too long, or is not for clients to send.", Problem),
            HTTPStatus.NOT_FOUND: ("The caller has no such order.", Problem),
            HTTPStatus.SERVICE_UNAVAILABLE: (unavailable, Problem),
        },
        scope=WRITE,
        parameters=[
            order_id_parameter(),
            _header("Idempotency-Key", "The caller's own name for the request.", required=False),
        ],
    )
    health = operation(
        "health",
        "Do its dependencies respond, and what has come in since the start?",
        {
            HTTPStatus.OK: ("They do, or have done so recently.", HealthResponse),
            HTTPStatus.SERVICE_UNAVAILABLE: ("One has not responded for 90 seconds.", HealthResponse),
        },
    )
    live = operation("live", "Is it alive?", {HTTPStatus.OK: ("Alive.", HealthResponse)})
    ready = operation(
        "ready",
        "Would another request be taken?",
        {
            HTTPStatus.OK: ("Yes.", HealthResponse),
            HTTPStatus.SERVICE_UNAVAILABLE: (
                "Not now: a dependency has not responded yet or for 90 seconds, or too many are under way.",
                HealthResponse,
            ),
        },
    )
    return Described(
        paths={
            "/orders": {"post": place_order},
            "/orders/{order_id}/cancel": {"post": cancel},
            "/health": {"get": health},
            "/health/live": {"get": live},
            "/health/ready": {"get": ready},
        },
        types=(OrderRequest, AcceptedResponse, HealthResponse),
    )


def _header(name: str, description: str, *, required: bool) -> Part:
    schema: Part = {"type": "string", "maxLength": MAX_CODE_LENGTH}
    if required:
        schema["minLength"] = 1
    return {"name": name, "in": "header", "required": required, "description": description, "schema": schema}


def _response(status: int, description: str, kind: type[msgspec.Struct]) -> Part:
    response: Part = {
        "description": description,
        "content": {"application/json": {"schema": {"$ref": _REFERENCE.format(name=kind.__name__)}}},
    }
    if status == HTTPStatus.ACCEPTED:
        schema = {"type": "string", "format": "uri-reference"}
        response["headers"] = {
            "Location": {"description": "Where the order is shown.", "schema": schema, "required": True}
        }
    if status in {HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.TOO_MANY_REQUESTS}:
        seconds = {"description": "Seconds to wait.", "schema": {"type": "integer"}, "required": True}
        response["headers"] = {"Retry-After": seconds}
    if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        challenge = {"description": "See RFC 6750.", "schema": {"type": "string"}, "required": True}
        response["headers"] = {"WWW-Authenticate": challenge}
    if status == HTTPStatus.UNSUPPORTED_MEDIA_TYPE:
        taken = {"description": "The media type that is taken.", "schema": {"const": JSON}, "required": True}
        response["headers"] = {"Accept": taken}
    return response


def _worded(schema: Part) -> Part:
    """Move each attribute's description from the struct's docstring to its property."""
    prose, words = described(schema.get("description"))
    properties = {
        name: {**part, "description": words[name]} if name in words else part
        for name, part in schema["properties"].items()
    }
    return {**schema, "description": prose, "properties": properties}
