"""The collector's HTTP API.

| Request | Responses |
|---|---|
| ``POST /v1/traces`` | 200: the spans of an OTLP request (protobuf) are kept; 400: it is none |
| ``GET /v1/traces?order_id=ID`` | the spans of an order's traces, and those that link to them, as JSON |
| ``GET /health``, also ``/live`` and ``/ready`` below it | 200 |
"""

import gzip
import zlib
from collections.abc import Callable
from typing import Final

import msgspec
from anyio import to_thread
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from orderstream_playground.local.traces.otlp import read_export
from orderstream_playground.local.traces.store import SpanStore

_PROTOBUF: Final = "application/x-protobuf"


def create_app(store: SpanStore, pass_on: Callable[[bytes], object] = lambda _: None) -> Starlette:
    """Build the collector's application.

    Args:
        store: Keeps the spans.
        pass_on: Is given each request's body.
    """

    async def export(request: Request) -> Response:
        body = await request.body()
        try:
            if request.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            spans = read_export(body)
        except (ValueError, OSError, EOFError, zlib.error):
            return Response("the body is no export of spans", 400)
        pass_on(body)
        await to_thread.run_sync(store.add, spans)
        return Response(b"", media_type=_PROTOBUF)

    async def tell(request: Request) -> Response:
        spans = await to_thread.run_sync(store.of_order, request.query_params.get("order_id", ""))
        return Response(msgspec.json.encode(spans), media_type="application/json")

    async def health(_: Request) -> Response:
        return Response(b'{"healthy":true}', media_type="application/json")

    return Starlette(
        routes=[
            Route("/v1/traces", export, methods=["POST"]),
            Route("/v1/traces", tell, methods=["GET"]),
            *(Route(path, health) for path in ("/health", "/health/live", "/health/ready")),
        ]
    )
