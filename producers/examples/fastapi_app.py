"""A web application (FastAPI; Starlette takes the same ``lifespan``): the producer lives as long as the app.

``STREAM=orders uvicorn fastapi_app:app``. A producer does not survive a fork, so it is made in the lifespan,
which runs in the worker, and not at import, which may run before the fork.
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException, Request
from pydantic import BaseModel, Field

from orderstream import AsyncProducer, BufferFullError, DeliveryFailedError, ProducerConfig


class Order(BaseModel):
    """What a customer asks for."""

    sku: str = Field(min_length=1)
    quantity: int = Field(ge=1)


class Place(BaseModel):
    """Where in the stream an order stands."""

    shard: str
    sequence_number: str


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Open the producer with the application and close it behind the last request."""
    config = ProducerConfig(when_full="raise", delivery_timeout=30)
    async with AsyncProducer(os.environ["STREAM"], config=config) as producer:
        app.state.producer = producer
        yield


def producer_of(request: Request) -> AsyncProducer:
    """The application's producer, for its routes."""
    producer: AsyncProducer = request.app.state.producer
    return producer


app = FastAPI(title="Shop", lifespan=lifespan)


@app.put("/orders/{order_id}", status_code=202)
async def place_order(
    order_id: str, order: Order, producer: Annotated[AsyncProducer, Depends(producer_of)]
) -> Place:
    """Accept an order once Kinesis has it; turn customers away rather than queue without bounds."""
    try:
        delivered = await producer.put(order.model_dump_json().encode(), partition_key=order_id)
    except (BufferFullError, DeliveryFailedError) as error:
        raise HTTPException(503, "busy, try again", headers={"Retry-After": "1"}) from error
    return Place(shard=delivered.shard_id, sequence_number=delivered.sequence_number)
