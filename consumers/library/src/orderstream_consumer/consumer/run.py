"""Puts a consumer together on its engine."""

import os
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from orderstream.observability.metrics import Exporter, Exporting, PrometheusExporter
from orderstream_consumer.consumer.config import ConsumerConfig
from orderstream_consumer.consumer.handler_delivery import HandlerDelivery
from orderstream_consumer.consumer.shard_command import COMMAND, shard_variable
from orderstream_consumer.consumer.stream import ConsumedName
from orderstream_consumer.delivery import PARKING, until_it_works
from orderstream_consumer.engines.embedded.leases import DynamoDBLeaseTable, LeaseTable
from orderstream_consumer.engines.ownership import ENGINES, EngineOwnership
from orderstream_consumer.engines.stream_identity import CONSUMED_STREAMS, ConsumedStream
from orderstream_consumer.engines.stream_leases import StreamLeases
from orderstream_consumer.health import DependencyWatch, lease_table_asked, stream_asked, table_asked
from orderstream_consumer.processing.clock import utc_now
from orderstream_consumer.processing.processor import StopSignal
from orderstream_consumer.running import ApplicationRun, ShardProcesses, engine_worker
from orderstream_consumer.store import Store, create_tables

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_kinesis import KinesisClient


@dataclass(frozen=True, slots=True)
class Backing:
    """What a consumer reads from and keeps its state in.

    Attributes:
        kinesis: Reads the stream.
        dynamodb: Creates tables; None where nothing is in DynamoDB.
        leases: The application's leases.
        store: The engine's ownership, the stream's identity, parked records.
        stored_in_dynamodb: Whether the store has tables that may be missing.
    """

    kinesis: "KinesisClient"
    dynamodb: "DynamoDBClient | None"
    leases: LeaseTable
    store: Store
    stored_in_dynamodb: bool


def lease_table_of(dynamodb: "DynamoDBClient", config: ConsumerConfig) -> LeaseTable:
    """Where a consumer's leases are, in DynamoDB."""
    return DynamoDBLeaseTable(dynamodb, str(config.lease_table), creates=config.create_tables)


def prepared_run(
    application: str,
    stream: ConsumedName,
    *,
    delivery: HandlerDelivery,
    named: tuple[object, object, object],
    config: ConsumerConfig,
    backing: Backing,
    stop: threading.Event,
    exporters: Sequence[Exporter] = (),
) -> tuple[ApplicationRun, Callable[[], None]]:
    """Wire a consumer.

    Args:
        application: The application's name.
        stream: The stream.
        delivery: Makes its processors.
        named: Handler, handler of batches and ``on_failure``, for the processes that KCL starts.
        config: The settings, with table names and the region filled in.
        backing: What it reads from and writes to.
        stop: Set to end it.
        exporters: Where its metrics go, besides ``/metrics``.

    Returns:
        What reports its health, and what makes it work until it is stopped.

    Raises:
        HandlerNotImportableError: KCL's processes cannot import the handler.
        KclMissingError: The engine is KCL, and the extra is not installed.
    """
    prefix = str(config.table_prefix)
    specs = (ENGINES, CONSUMED_STREAMS, *((PARKING,) if delivery.parks else ()))
    consumed = ConsumedStream(
        backing.store,
        application,
        partial(stream.identity, backing.kinesis, ordered=config.ordered),
        expiry=config.failover_time,
        gone_timeout=config.stream_gone_timeout or 0.0,
    )

    def shard_processes() -> ShardProcesses:
        handler, batch_handler, on_failure = named
        variable = shard_variable(
            application,
            stream.name,
            handler=handler,
            batch_handler=batch_handler,
            on_failure=on_failure,
            config=config,
        )
        return ShardProcesses(
            command=COMMAND,
            region=str(config.region_name),
            environment={**os.environ, **variable},
            properties=config.kcl_properties,
        )

    worker = engine_worker(
        application,
        stream.name,
        engine=config.engine,
        config=config.engine_config(),
        kinesis=backing.kinesis,
        leases=backing.leases,
        lease_table=str(config.lease_table),
        consumed=consumed,
        processors=delivery.processor,
        shard_processes=shard_processes,
        meter=delivery.meter,
    )
    dependencies = [
        stream_asked(backing.kinesis, stream.name),
        *(table_asked(backing.store, spec, prefix) for spec in specs),
        lease_table_asked(backing.leases.get, str(config.lease_table)),
    ]
    gauges = {"parked": delivery.parking().count} if delivery.parks else {}
    run = ApplicationRun(
        application,
        stream.name,
        worker=worker,
        ownership=EngineOwnership(
            backing.store,
            application,
            config.engine,
            worker_id=worker.worker_id,
            expiry=config.failover_time,
        ),
        consumed=consumed,
        leases=StreamLeases(backing.leases, consumed),
        watch=DependencyWatch(dependencies, gauges, utc_now),
        stop=stop,
        counters=delivery.tally.figures,
        failure=delivery.tally.failure,
        meter=delivery.meter,
        clock=utc_now,
    )

    def create() -> None:
        if backing.dynamodb is not None and backing.stored_in_dynamodb:
            create_tables(backing.dynamodb, specs, prefix)

    def prepare(stop: StopSignal) -> bool:
        tally, breaker = delivery.tally, delivery.breaker
        return not config.create_tables or until_it_works(create, stop=stop, breaker=breaker, tally=tally)

    def adopt(stop: StopSignal) -> bool:
        return not config.adopt_new_stream or consumed.adopt(backing.leases, stop)

    page = PrometheusExporter()

    def work() -> None:
        with Exporting(delivery.meter, [*exporters, page]):
            run.run(
                port=config.health_port or 0,
                host=config.health_host,
                prepare=prepare,
                adopt=adopt,
                metrics=page.text,
            )

    return run, work
