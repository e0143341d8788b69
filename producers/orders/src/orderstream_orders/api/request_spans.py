"""The span of a request: where the trace of an order begins, unless the caller has begun it."""

from collections.abc import Awaitable, Callable
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from orderstream.observability.log_context import log_about, log_scope, span_fields
from orderstream.observability.tracing import Tracer, traceparent_from_xray

Endpoint = Callable[[Request], Awaitable[Response]]

_SERVER_ERROR: Final = 500
_MALFORMED: Final = "X-Amzn-Trace-Id"
"""No ``traceparent``: the tracer leaves it out, and warns of it."""


def traced(tracer: Tracer, route: str, endpoint: Endpoint) -> Endpoint:
    """An endpoint whose requests have a span each, after OpenTelemetry's conventions for HTTP servers.

    Its parent is what the header ``traceparent`` names, or AWS' ``X-Amzn-Trace-Id`` where it names one: a
    load balancer's own names a trace and no parent. A caller that leaves its trace unrecorded leaves the
    order's unrecorded.

    Args:
        tracer: Begins the spans.
        route: The route's path, with its parameters' names.
        endpoint: What responds.
    """
    if not tracer.enabled:
        return endpoint

    async def respond(request: Request) -> Response:
        span = tracer.span(
            f"{request.method} {route}",
            "server",
            parent=_cause(request),
            attributes={
                "http.request.method": request.method,
                "http.route": route,
                "url.scheme": request.url.scheme,
                "url.path": request.url.path,
            },
        )
        with log_scope(), span as current:
            log_about(**span_fields(current.traceparent))
            response = await endpoint(request)
            current.set("http.response.status_code", response.status_code)
            if response.status_code >= _SERVER_ERROR:
                current.fail(str(response.status_code))
            return response

    return respond


def _cause(request: Request) -> str | None:
    if (traceparent := request.headers.get("traceparent")) is not None:
        return traceparent
    header = request.headers.get("X-Amzn-Trace-Id")
    if header is None or "Parent=" not in header:
        return None
    return traceparent_from_xray(header) or _MALFORMED
