"""The composition root: finds an application by its name, wires it, and runs it on the chosen engine."""

import logging
import sys
import threading
from collections.abc import Callable, Mapping
from importlib import import_module
from pkgutil import iter_modules
from typing import Any, Final, Protocol

from orderstream_workers.engine.config import EngineConfig
from orderstream_workers.engine.identity import ConsumedStream, StreamIdentity
from orderstream_workers.engine.leases import DynamoDBLeaseTable
from orderstream_workers.engine.lifecycle import ShardProgress
from orderstream_workers.engine.mark import EngineMark
from orderstream_workers.engine.processor import StopSignal
from orderstream_workers.engine.worker import Worker
from orderstream_workers.kcl import KclWorker
from orderstream_workers.runtime import applications
from orderstream_workers.runtime.application import Application, Background
from orderstream_workers.runtime.clients import region
from orderstream_workers.runtime.health import health_served
from orderstream_workers.runtime.report import worker_report
from orderstream_workers.runtime.resources import Resources
from orderstream_workers.runtime.settings import Settings

logger = logging.getLogger(__name__)

APPLICATIONS: Final = tuple(
    sorted(module.name.replace("_", "-") for module in iter_modules(applications.__path__))
)
"""Every application that there is: one per module of ``runtime/applications``."""


class EngineWorker(Protocol):
    """What both engines offer: see ``engine.worker.Worker`` and ``kcl.KclWorker``."""

    worker_id: str

    @property
    def started(self) -> bool:
        """Whether it has begun to look after shards; from any thread."""

    def run(self) -> None:
        """Work until ``request_shutdown``."""

    def request_shutdown(self) -> None:
        """Drain; from any thread."""

    def progress(self) -> tuple[ShardProgress, ...]:
        """Tell how each shard of this worker is doing; from any thread."""


def build_application(name: str, resources: Resources) -> Application:
    """Wire an application.

    Args:
        name: One of ``APPLICATIONS``.
        resources: What it is made of.
    """
    module = import_module(f"{applications.__name__}.{name.replace('-', '_')}")
    application: Application = module.build(resources)
    return application


def run_worker(
    name: str, resources: Resources, stop: threading.Event, *, adopt_new_stream: bool = False
) -> None:
    """Run an application until it is told to stop, then drain.

    Args:
        name: One of ``APPLICATIONS``.
        resources: What it is made of.
        stop: Set to end it.
        adopt_new_stream: Delete the leases of another stream and begin with the one that is there.

    Raises:
        MixedEnginesError: the application runs on another engine.
        StreamChangedError: the leases belong to another stream.
        OrderstreamError: something that it cannot do without has failed; the worker has drained.
    """
    settings = resources.settings
    application = build_application(name, resources)
    worker, counters = _worker(application, resources)
    mark = EngineMark(
        resources.store,
        application.name,
        settings.engine,
        worker_id=worker.worker_id,
        expiry=settings.failover_seconds,
    )

    stream = application.stream or settings.stream
    consumed = ConsumedStream(
        resources.store,
        application.name,
        lambda: StreamIdentity.of(resources.kinesis, stream),
        expiry=settings.failover_seconds,
        gone_timeout=settings.stream_gone_seconds,
    )

    def figures() -> Mapping[str, Any]:
        return {**counters(), **application.gauges()}

    claimed = threading.Event()

    def report() -> dict[str, Any]:
        said = worker_report(
            application.name,
            application.stream or settings.stream,
            worker.worker_id,
            worker.progress(),
            figures,
            resources.clock(),
        )
        said["healthy"] = said["healthy"] and not resources.deciding_clock.skewed
        said |= resources.deciding_clock.report()
        return {**said, "ready": claimed.is_set() and worker.started and not stop.is_set()}

    def drain_when_told(stop: StopSignal) -> None:
        stop.wait()
        worker.request_shutdown()

    with health_served(settings.health_port, report, settings.health_host):
        if not mark.claim(stop):
            return
        if adopt_new_stream and not consumed.adopt(_leases(application, resources), stop):
            return
        if not consumed.confirm(stop):
            return
        claimed.set()
        beside = _Beside(stop)
        for run in (drain_when_told, mark.renew_until, consumed.watch, *application.background):
            beside.start(run)
        try:
            worker.run()
        finally:
            logger.info("worker has drained", extra={"counters": dict(counters())})
            beside.end()


def _lease_table(application: Application, settings: Settings) -> str:
    # The suffix tells the consumer's leases from the service's own tables, one of which has its name.
    return f"{settings.table_prefix}{application.name}-consumer"


def _leases(application: Application, resources: Resources) -> DynamoDBLeaseTable:
    return DynamoDBLeaseTable(resources.dynamodb, _lease_table(application, resources.settings))


def _worker(
    application: Application, resources: Resources
) -> tuple[EngineWorker, Callable[[], Mapping[str, int]]]:
    """The worker on the engine that the settings name, and what gives its counters."""
    settings = resources.settings
    stream = application.stream or settings.stream
    config = EngineConfig(
        failover_time=settings.failover_seconds, idle_between_reads=settings.idle_between_reads
    )
    if settings.engine == "embedded":
        embedded = Worker(
            application.name,
            stream,
            kinesis=resources.kinesis,
            leases=_leases(application, resources),
            processors=application.processors,
            config=config,
        )
        return embedded, application.counters
    kcl = KclWorker(
        application.name,
        stream,
        lease_table=_lease_table(application, settings),
        shard_command=(sys.executable, "-m", "orderstream_workers.runtime.kcl_shard", application.name),
        config=config,
        region=region(),
        more=settings.more_kcl_properties,
    )
    return kcl, lambda: {**application.counters(), **kcl.counters()}


class _Beside:
    """What runs beside the shards, each in a thread. The worker cannot do without any of it."""

    def __init__(self, stop: threading.Event) -> None:
        self._stop = stop
        self._threads: list[threading.Thread] = []
        self._failure: Exception | None = None

    def start(self, run: Background) -> None:
        def guarded() -> None:
            try:
                run(self._stop)
            except Exception as error:
                # A process without it must not look healthy.
                logger.critical("what runs beside the shards failed, the worker drains", exc_info=True)
                self._failure = error
                self._stop.set()

        thread = threading.Thread(target=guarded, name="beside")
        thread.start()
        self._threads.append(thread)

    def end(self) -> None:
        """Stop all of it; raise what one of them failed with."""
        self._stop.set()
        for thread in self._threads:
            thread.join()
        if self._failure is not None:
            raise self._failure
