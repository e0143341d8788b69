"""A web application (Starlette; FastAPI takes the same ``lifespan``): the producer lives as long as the app.

``STREAM=orders uvicorn starlette_app:app``. A producer does not survive a fork, so it is made in the
lifespan, which runs in the worker, and not at import, which may run before the fork.
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from orderstream import AsyncProducer, BufferFullError, ProducerConfig


@asynccontextmanager
async def lifespan(app: Starlette) -> AsyncIterator[None]:
    """Open the producer with the application and close it behind the last request."""
    config = ProducerConfig(when_full="raise", delivery_timeout=30)
    async with AsyncProducer(os.environ["STREAM"], config=config) as producer:
        app.state.producer = producer
        yield


async def place_order(request: Request) -> JSONResponse:
    """Accept an order once Kinesis has it; turn customers away rather than queue without bounds."""
    producer: AsyncProducer = request.app.state.producer
    order_id = request.path_params["order_id"]
    try:
        delivered = await producer.put(await request.body(), partition_key=order_id)
    except BufferFullError:
        return JSONResponse({"error": "busy"}, status_code=503, headers={"Retry-After": "1"})
    return JSONResponse({"shard": delivered.shard_id, "at": delivered.sequence_number}, status_code=202)


app = Starlette(lifespan=lifespan, routes=[Route("/orders/{order_id}", place_order, methods=["PUT"])])
