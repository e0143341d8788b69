"""The HTTP side: the orders API, and order status beside it in one server."""

import logging

import uvicorn

from orderstream import EventPublisher, Producer, ProducerConfig
from orderstream.api import DynamoDBIdempotencyStore, create_app
from orderstream_workers.runtime.clients import region
from orderstream_workers.runtime.resources import Resources
from orderstream_workers.runtime.tables import IDEMPOTENCY_KEYS
from orderstream_workers.services.order_status import (
    ReadModel,
    create_schema,
    described,
    open_engine,
    routes,
)

logger = logging.getLogger(__name__)


def serve_api(resources: Resources, host: str, port: int) -> None:
    """Serve until SIGTERM or SIGINT; requests that are under way are answered first.

    Args:
        resources: What it is made of.
        host: Address to listen on.
        port: TCP port.
    """
    settings = resources.settings
    # Half of what a shard takes: the results of the orders that are let in always find room.
    config = ProducerConfig(
        region_name=region(),
        records_per_second_per_shard=500,
        bytes_per_second_per_shard=524_288,
        when_full="raise",
    )
    engine = open_engine(settings.read_model_url)
    resources.close_later(engine.dispose)
    create_schema(engine)  # whoever asks before the first order is to be told that there is none
    with Producer(settings.stream, config=config) as producer:
        app = create_app(
            publisher=EventPublisher(
                producer,
                source="orders",
                compression=None if settings.compression == "none" else settings.compression,
            ),
            idempotency_store=DynamoDBIdempotencyStore(
                resources.dynamodb, settings.table_prefix + IDEMPOTENCY_KEYS.name
            ),
            clock=resources.clock,
            extra_routes=routes(ReadModel(engine)),
            described=[described()],
        )
        logger.info("serving", extra={"host": host, "port": port})
        uvicorn.run(
            app,
            host=host,
            port=port,
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=10,
        )
