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

from orderstream import (
    AsyncProducer,
    BufferFullError,
    DeliveryFailedError,
    ProducerConfig,
    RecordInvalidError,
    RecordTooLargeError,
)


class Order(BaseModel):
    """What a customer asks for."""

    sku: str = Field(min_length=1)
    quantity: int = Field(ge=1)


class StreamPosition(BaseModel):
    """An order's position in the stream."""

    shard: str
    sequence_number: str


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Open the producer with the application and close it behind the last request.

    An application whose stream, region or credentials are wrong does not start.
    """
    config = ProducerConfig(when_full="raise", delivery_timeout=30)
    async with AsyncProducer(os.environ["STREAM"], config=config) as producer:
        await producer.wait_ready(timeout=30)
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
) -> StreamPosition:
    """Accept an order once Kinesis has it; turn customers away rather than queue without bounds.

    What Kinesis could never take is the customer's to fix (4xx), all else may pass (503): the producer's log
    has the reason.
    """
    try:
        delivered = await producer.put(order.model_dump_json().encode(), partition_key=order_id)
    except RecordInvalidError as error:
        raise HTTPException(422, str(error)) from error
    except RecordTooLargeError as error:
        raise HTTPException(413, str(error)) from error
    except (BufferFullError, DeliveryFailedError) as error:
        raise HTTPException(503, "busy, try again", headers={"Retry-After": "1"}) from error
    return StreamPosition(shard=delivered.shard_id, sequence_number=delivered.sequence_number)
