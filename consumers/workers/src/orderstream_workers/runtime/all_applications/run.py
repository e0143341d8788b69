"""Runs every application on a thread of its own, starts again what fails, and drains all of them together."""

import datetime as dt
import logging
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, Final, Protocol

import msgspec

from orderstream.errors import OrderstreamError
from orderstream.observability.log_context import logs_as
from orderstream.observability.metrics import PrometheusExporter
from orderstream_consumer.engines.config import EngineConfig
from orderstream_consumer.health.server import health_served
from orderstream_consumer.processing.clock import utc_now
from orderstream_workers.runtime.all_applications.standing import Standing, report_of_all
from orderstream_workers.runtime.bootstrap import run_worker
from orderstream_workers.runtime.discovery import application_names
from orderstream_workers.runtime.resources import Resources
from orderstream_workers.runtime.settings import HEALTH_PORT, Settings

logger = logging.getLogger(__name__)

DRAIN_SECONDS: Final = EngineConfig().shutdown_timeout + 10.0
"""Seconds that all of them together may take to end: a worker's own drain, and what is closed after it."""

Reported = Callable[[Callable[[], dict[str, Any]]], None]
"""Is given what an application's ``/health`` says."""


class RunOne(Protocol):
    """Runs one application until its own stop is set."""

    def __call__(self, name: str, stop: threading.Event, reported: Reported) -> None:
        """Run it.

        Args:
            name: The application.
            stop: Set to end it.
            reported: Is given what its health says, once it has a worker.
        """


class NotDrainedError(OrderstreamError):
    """Applications have not ended in time; the process ends without them.

    Args:
        names: The applications.
        seconds: How long they had.
    """

    def __init__(self, names: Sequence[str], seconds: float) -> None:
        self.names = tuple(names)
        self.seconds = seconds
        super().__init__(
            f"{', '.join(names)} did not end within {seconds:.0f} s; what was in hand is delivered again, "
            "and their leases expire"
        )


def run_all(settings: Settings, stop: threading.Event) -> None:
    """Run every application until stopped, then drain.

    Args:
        settings: Of the process; they hold for each application.
        stop: Set to end it.

    Raises:
        ListenError: the address of ``/health`` cannot be had.
        NotDrainedError: some have not ended in time.
        TopologyError: the applications cannot be found.
    """
    page = PrometheusExporter()
    own = msgspec.structs.replace(settings, health_port=0)  # one /health speaks for all

    def run_one(name: str, stop: threading.Event, reported: Reported) -> None:
        with Resources(own, name) as resources:
            run_worker(name, resources, stop, reported=reported, page=page)

    applications = AllApplications(application_names(settings), run_one)
    with health_served(
        settings.health_port,
        applications.report,
        settings.health_host,
        setting=HEALTH_PORT,
        metrics=page.text,
    ):
        applications.run(stop)


class AllApplications:
    """Every application, each with a thread, clients, tables of leases and a stop of its own.

    Args:
        names: The applications.
        run_one: Runs one of them.
        clock: The time (UTC).
        drain_seconds: See ``DRAIN_SECONDS``.
    """

    def __init__(
        self,
        names: Sequence[str],
        run_one: RunOne,
        *,
        clock: Callable[[], dt.datetime] = utc_now,
        drain_seconds: float = DRAIN_SECONDS,
    ) -> None:
        self._run_one = run_one
        self._clock = clock
        self._drain_seconds = drain_seconds
        self._standings = {name: Standing(name, clock()) for name in names}
        self._reports: dict[str, Callable[[], dict[str, Any]]] = {}
        self._stops: dict[str, threading.Event] = {}
        self._stopping = threading.Event()
        self._lock = threading.Lock()

    def report(self) -> dict[str, Any]:
        """What ``/health`` says; from any thread."""
        with self._lock:
            standings, reports = tuple(self._standings.values()), dict(self._reports)
        return report_of_all(standings, reports)

    def run(self, stop: threading.Event) -> None:
        """Run until stopped, then drain.

        Args:
            stop: Set to end it.

        Raises:
            NotDrainedError: some have not ended in time.
        """
        # Daemons: one that hangs must not keep the process from its end.
        threads = {
            name: threading.Thread(target=self._keep, args=(name,), name=name, daemon=True)
            for name in self._standings
        }
        for thread in threads.values():
            thread.start()
        stop.wait()
        self._ask_to_stop()
        end = time.monotonic() + self._drain_seconds
        for thread in threads.values():
            thread.join(max(0.0, end - time.monotonic()))
        if left := [name for name, thread in threads.items() if thread.is_alive()]:
            raise NotDrainedError(left, self._drain_seconds)

    def _ask_to_stop(self) -> None:
        with self._lock:
            self._stopping.set()
            for name, standing in self._standings.items():
                self._standings[name] = standing.asked_to_stop(self._clock())
            stops = list(self._stops.values())
        for own in stops:
            own.set()

    def _keep(self, name: str) -> None:
        """Run one application, again and again, until the process ends."""
        with logs_as(name):
            while (own := self._begun(name)) is not None:
                reason = self._run(name, own)
                pause = self._came_back(name, reason)
                self._stopping.wait(pause)

    def _run(self, name: str, own: threading.Event) -> str | None:
        try:
            self._run_one(name, own, lambda report: self._wired(name, report))
        except OrderstreamError as error:
            logger.error("application failed", extra={"error": error})
            return str(error)
        except BaseException as error:
            # Whatever it is: the other applications are not affected.
            logger.critical("application failed", exc_info=True)
            return f"{type(error).__name__}: {error}"
        return None

    def _begun(self, name: str) -> threading.Event | None:
        """A stop for the next try; None once the process ends."""
        with self._lock:
            if self._stopping.is_set():
                self._standings[name] = self._standings[name].came_back(None, self._clock())
                return None
            own = self._stops[name] = threading.Event()
            self._standings[name] = self._standings[name].started(self._clock())
            return own

    def _wired(self, name: str, report: Callable[[], dict[str, Any]]) -> None:
        with self._lock:
            self._reports[name] = report
            self._standings[name] = self._standings[name].wired(self._clock())

    def _came_back(self, name: str, reason: str | None) -> float:
        with self._lock:
            self._reports.pop(name, None)
            self._standings[name] = self._standings[name].came_back(reason, self._clock())
            return self._standings[name].pause()
