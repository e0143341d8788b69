"""The composition root: finds an application by its name, wires it, and runs it on the engine."""

import logging
import threading
from importlib import import_module
from pkgutil import iter_modules
from typing import Any, Final

from orderstream_workers.engine.config import EngineConfig
from orderstream_workers.engine.leases import DynamoDBLeaseTable
from orderstream_workers.engine.worker import Worker
from orderstream_workers.runtime import applications
from orderstream_workers.runtime.application import Application, Background
from orderstream_workers.runtime.health import health_served
from orderstream_workers.runtime.report import worker_report
from orderstream_workers.runtime.resources import Resources

logger = logging.getLogger(__name__)

APPLICATIONS: Final = tuple(
    sorted(module.name.replace("_", "-") for module in iter_modules(applications.__path__))
)
"""Every application that there is: one per module of ``runtime/applications``."""


def build_application(name: str, resources: Resources) -> Application:
    """Wire an application.

    Args:
        name: One of ``APPLICATIONS``.
        resources: What it is made of.
    """
    module = import_module(f"{applications.__name__}.{name.replace('-', '_')}")
    application: Application = module.build(resources)
    return application


def run_worker(name: str, resources: Resources, stop: threading.Event) -> None:
    """Run an application until it is told to stop, then drain.

    Args:
        name: One of ``APPLICATIONS``.
        resources: What it is made of.
        stop: Set to end it.
    """
    settings = resources.settings
    application = build_application(name, resources)
    worker = Worker(
        application.name,
        settings.stream,
        kinesis=resources.kinesis,
        # The suffix tells the consumer's leases from the service's own tables, one of which has its name.
        leases=DynamoDBLeaseTable(resources.dynamodb, f"{settings.table_prefix}{application.name}-consumer"),
        processors=application.processors,
        config=EngineConfig(
            failover_time=settings.failover_seconds, idle_between_reads=settings.idle_between_reads
        ),
    )

    def report() -> dict[str, Any]:
        return worker_report(
            application.name, worker.worker_id, worker.progress(), application.figures, resources.clock()
        )

    def drain_when_told() -> None:
        stop.wait()
        worker.request_shutdown()

    threads = [threading.Thread(target=drain_when_told, name="drain", daemon=True)]
    threads += [_background(run, stop) for run in application.background]
    with health_served(settings.health_port, report):
        for thread in threads:
            thread.start()
        try:
            worker.run()
        finally:
            stop.set()
            for thread in threads:
                thread.join()


def _background(run: Background, stop: threading.Event) -> threading.Thread:
    def guarded() -> None:
        try:
            run(stop)
        except Exception:
            # What runs beside the shards is needed: a process without it must not look healthy.
            logger.critical("a background task crashed, the worker drains", exc_info=True)
            stop.set()

    return threading.Thread(target=guarded, name="background")
