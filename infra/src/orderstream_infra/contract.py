"""Which requests the orders API takes from callers: read from its own OpenAPI document."""

from dataclasses import dataclass

from orderstream_orders.api.openapi import BEARER, document
from orderstream_workers.runtime.http.beside import DESCRIBED


@dataclass(frozen=True, slots=True, order=True)
class Route:
    """Requests that callers make.

    Attributes:
        method: Such as ``POST``.
        path: With names in braces for what varies, as both OpenAPI and the gateway write it.
        scopes: What a token has to grant, without the issuer's prefix.
    """

    method: str
    path: str
    scopes: tuple[str, ...]


def routes() -> tuple[Route, ...]:
    """Every operation that asks for a token; what asks for none, such as ``/health``, is for the inside."""
    return tuple(
        sorted(
            Route(
                method.upper(), path, tuple(scope for each in operation["security"] for scope in each[BEARER])
            )
            for path, operations in document(*DESCRIBED)["paths"].items()
            for method, operation in operations.items()
            if operation["security"]
        )
    )
