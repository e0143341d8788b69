"""The HTTP side: the orders API, and what services and projections show beside it, in one server."""

import logging
import threading
from typing import Any, Final

import msgspec

from orderstream import EventPublisher, Producer, ProducerConfig
from orderstream.messages.spans import SendSpans
from orderstream.observability.metrics import PrometheusExporter
from orderstream_consumer.health.changes import HealthChanges
from orderstream_consumer.health.report import not_responding, outages, shown_dependencies, verdict
from orderstream_consumer.health.server import health_served
from orderstream_consumer.health.watch import DependencyWatch
from orderstream_consumer.processing.beside import Beside
from orderstream_consumer.processing.metrics import HEALTHY
from orderstream_orders.api import (
    DependencyStatus,
    DynamoDBIdempotencyStore,
    OrderAccess,
    Standing,
    create_app,
)
from orderstream_workers.runtime.dependencies import dependencies_of
from orderstream_workers.runtime.http.beside import DESCRIBED, routes_beside
from orderstream_workers.runtime.http.callers import callers_of
from orderstream_workers.runtime.http.server import serve
from orderstream_workers.runtime.read_model import open_read_model, read_model_asked
from orderstream_workers.runtime.resources import Resources
from orderstream_workers.runtime.settings import HEALTH_PORT
from orderstream_workers.runtime.telemetry.metrics import exporting
from orderstream_workers.runtime.topology import ORDERS
from orderstream_workers.runtime.topology.pipeline import API, IDEMPOTENCY_KEYS

logger = logging.getLogger(__name__)

RECORDS_PER_SECOND_PER_SHARD: Final = 500
"""Orders that are let in: half of what a shard takes, so that their results always find room."""


def serve_api(resources: Resources, host: str, port: int, stop: threading.Event) -> None:
    """Serve until stopped; requests that are under way are completed first.

    Args:
        resources: What it is made of.
        host: Address to listen on.
        port: TCP port.
        stop: Set to end it.

    Raises:
        ListenError: the address cannot be had.
        SettingsError: the settings authenticate no caller, or admit unauthenticated callers from other hosts.
    """
    settings = resources.settings
    callers = callers_of(settings, host, resources.clock, resources.close_later)
    config = ProducerConfig(
        records_per_second_per_shard=RECORDS_PER_SECOND_PER_SHARD,
        bytes_per_second_per_shard=524_288,
        when_full="raise",
    )
    engine = open_read_model(resources)
    watch = DependencyWatch(
        [
            *dependencies_of(API, resources),
            read_model_asked(engine),
            *callers.dependencies,
        ],
        {},
        resources.clock,
    )

    def standing() -> Standing:
        now, states = resources.clock(), watch.states()
        return Standing(
            **verdict(outages(states, now), not_responding(states)),
            dependencies=tuple(DependencyStatus(**shown) for shown in shown_dependencies(states, now)),
        )

    producing = resources.producing
    store = DynamoDBIdempotencyStore(resources.dynamodb, settings.name_of(IDEMPOTENCY_KEYS))
    authentication = callers.authentication
    meter, page = resources.meter, PrometheusExporter()
    meter.before_collecting(lambda: meter.record(HEALTHY, int(standing().healthy)))

    def report() -> dict[str, Any]:
        said: dict[str, Any] = msgspec.to_builtins(standing())
        return said | {"application": API.name}

    with (
        exporting(settings, meter, page, {}),
        # Where both ports are one, as in a container, the API's own routes respond for its health.
        health_served(
            0 if settings.health_port == port else settings.health_port,
            report,
            settings.health_host,
            setting=HEALTH_PORT,
            metrics=page.text,
        ),
        Producer(
            settings.name_of(ORDERS), client=producing, config=config, meter=resources.meter
        ) as producer,
        Beside(stop) as beside,
    ):
        app = create_app(
            publisher=EventPublisher(
                producer,
                source="orders",
                spans=SendSpans(resources.tracer, settings.stream),
                compression=None if settings.compression == "none" else settings.compression,
            ),
            idempotency_store=store,
            authentication=authentication,
            clock=resources.clock,
            requests_per_second=settings.caller_requests_per_second,
            extra_routes=routes_beside(
                engine,
                resources.store,
                OrderAccess(store, enforced=authentication.knows_callers),
                stop.is_set,
            ),
            described=DESCRIBED,
            standing=standing,
            tracer=resources.tracer,
            meter=resources.meter,
        )
        for run in (watch.run, HealthChanges(report, resources.clock).run, *callers.beside):
            beside.start(run)
        logger.info("serving", extra={"host": host, "port": port, "auth": settings.auth})
        serve(app, host, port, stop)
