"""The composition root: finds an application by its name, wires it, and runs it on the chosen engine."""

import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from orderstream.observability.metrics import PrometheusExporter
from orderstream_consumer.engines.config import EngineConfig
from orderstream_consumer.engines.ownership import EngineOwnership
from orderstream_consumer.engines.stream_identity import ConsumedStream, StreamIdentity
from orderstream_consumer.engines.stream_leases import StreamLeases
from orderstream_consumer.health import DependencyWatch, lease_table_asked
from orderstream_consumer.processing.measured import measured
from orderstream_consumer.processing.processor import StopSignal
from orderstream_consumer.running import ApplicationRun, ShardProcesses, engine_worker
from orderstream_workers.runtime.application import Application
from orderstream_workers.runtime.clients import region
from orderstream_workers.runtime.dependencies import dependencies_of
from orderstream_workers.runtime.discovery import application_module
from orderstream_workers.runtime.resources import Resources
from orderstream_workers.runtime.settings import HEALTH_PORT
from orderstream_workers.runtime.telemetry.metrics import exporting


def build_application(name: str, resources: Resources) -> Application:
    """Wire an application.

    Args:
        name: One of ``application_names``.
        resources: What it is made of.

    Raises:
        TopologyError: there is none, or its file cannot be used.
    """
    application = application_module(name, resources.settings).build(resources)
    return replace(application, processors=measured(application.processors, resources.meter))


def run_worker(
    name: str,
    resources: Resources,
    stop: threading.Event,
    *,
    adopt_new_stream: bool = False,
    reported: Callable[[Callable[[], dict[str, Any]]], None] = lambda _: None,
    page: PrometheusExporter | None = None,
) -> None:
    """Run an application until a signal stops it, then drain.

    Args:
        name: One of ``application_names``.
        resources: What it is made of.
        stop: Set to end it.
        adopt_new_stream: Delete the leases of another stream and begin with the one that is there.
        reported: Is given what ``/health`` says, once there is a worker.
        page: What ``/metrics`` shows, where several applications share it.

    Raises:
        MixedEnginesError: the application runs on another engine.
        StreamChangedError: the leases belong to another stream.
        KeysUnorderedError: the stream distributes records itself, and the application needs their order.
        OrderstreamError: something that it cannot do without has failed; the worker has drained.
    """
    settings = resources.settings
    application = build_application(name, resources)
    declared = application.declared
    stream = settings.name_of(declared.reads)
    consumed = ConsumedStream(
        resources.store,
        declared.name,
        lambda: StreamIdentity.of(resources.kinesis, stream, ordered=declared.ordered),
        expiry=settings.failover_seconds,
        gone_timeout=settings.stream_gone_seconds,
    )
    leases, lease_table = resources.leases(declared.name), resources.lease_table(declared.name)
    worker = engine_worker(
        declared.name,
        stream,
        engine=settings.engine,
        config=EngineConfig(
            failover_time=settings.failover_seconds,
            idle_between_reads=settings.idle_between_reads,
            initial_position=declared.initial_position,
        ),
        kinesis=resources.kinesis,
        leases=leases,
        lease_table=lease_table,
        consumed=consumed,
        processors=application.processors,
        shard_processes=lambda: ShardProcesses(
            command=(sys.executable, "-m", "orderstream_workers.runtime.kcl_shard", declared.name),
            region=region(),
            properties=settings.more_kcl_properties,
        ),
        meter=resources.meter,
        clock=resources.clock,
    )
    ownership = EngineOwnership(
        resources.store,
        declared.name,
        settings.engine,
        worker_id=worker.worker_id,
        expiry=settings.failover_seconds,
    )
    dependencies = [
        lease_table_asked(leases.get, lease_table),
        *dependencies_of(declared, resources),
        *application.dependencies,
    ]
    run = ApplicationRun(
        declared.name,
        stream,
        worker=worker,
        ownership=ownership,
        consumed=consumed,
        leases=StreamLeases(resources.leases(declared.name), consumed),
        watch=DependencyWatch(dependencies, application.gauges, resources.clock),
        stop=stop,
        background=application.background,
        counters=application.counters,
        failure=application.failure,
        skew=resources.deciding_clock.trouble,
        meter=resources.meter,
        clock=resources.clock,
    )

    def adopt(stop: StopSignal) -> bool:
        return not adopt_new_stream or consumed.adopt(leases, stop)

    def report() -> dict[str, Any]:
        return run.report() | resources.deciding_clock.report()

    reported(report)
    page = page or PrometheusExporter()
    with exporting(settings, resources.meter, page, {"worker_id": worker.worker_id}):
        run.run(
            port=settings.health_port,
            host=settings.health_host,
            setting=HEALTH_PORT,
            report=report,
            adopt=adopt,
            metrics=page.text,
        )
