"""Runs an application on an engine: claims it, confirms its stream, reports its health, drains.

::

    prepared ──claimed──> confirmed ──> the worker runs ──stop, or a failure──> drains ──> let go of
        │      ownership     stream          │
        └────────┴───────────┴───────────────┴── beside all of it: /health, the watch of dependencies
"""

import datetime as dt
import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from orderstream.observability.metrics import AggregatingMeter
from orderstream_consumer.engines.ownership import EngineOwnership
from orderstream_consumer.engines.stream_identity import ConsumedStream
from orderstream_consumer.engines.stream_leases import StreamLeases
from orderstream_consumer.health import (
    DependencyWatch,
    HealthChanges,
    WorkerStanding,
    health_served,
    measure_report,
    worker_report,
)
from orderstream_consumer.processing.beside import Beside
from orderstream_consumer.processing.processor import StopSignal
from orderstream_consumer.running.engine_worker import EngineWorker

logger = logging.getLogger(__name__)

Background = Callable[[StopSignal], None]
"""Runs in a thread of its own until the signal is set."""

Step = Callable[[StopSignal], bool]
"""Does something before the worker runs, waiting out outages; False if it had to stop before."""


def nothing_to_do(_: StopSignal) -> bool:
    """A step that is none."""
    return True


class ApplicationRun:
    """One run of an application's worker.

    Args:
        application: The application's name.
        stream: The stream's name.
        worker: The engine's worker.
        ownership: Keeps another engine from running the application.
        consumed: Keeps another stream from being read with the application's leases.
        leases: The application's leases.
        watch: Asks what the application depends on, and reads its figures.
        stop: Set to end the run; set by the run when something that it cannot do without fails.
        background: What runs beside the shards.
        counters: What this process has counted.
        failure: The last failure in a lane; None if there was none recently.
        skew: What is wrong with the host's clock; None if nothing is.
        meter: Takes the worker's state, before each collection.
        clock: The time (UTC).
    """

    def __init__(
        self,
        application: str,
        stream: str,
        *,
        worker: EngineWorker,
        ownership: EngineOwnership,
        consumed: ConsumedStream,
        leases: StreamLeases,
        watch: DependencyWatch,
        stop: threading.Event,
        background: Sequence[Background] = (),
        counters: Callable[[], Mapping[str, int]] = dict,
        failure: Callable[[], str | None] = lambda: None,
        skew: Callable[[], str | None] = lambda: None,
        meter: AggregatingMeter | None = None,
        clock: Callable[[], dt.datetime],
    ) -> None:
        self._application = application
        self._stream = stream
        self._worker = worker
        self._ownership = ownership
        self._consumed = consumed
        self._leases = leases
        self._watch = watch
        self._stop = stop
        self._background = background
        self._counters = counters
        self._failure = failure
        self._skew = skew
        self._clock = clock
        self._begun_at = clock()
        self._claimed = threading.Event()
        if meter is not None:
            meter.before_collecting(lambda: measure_report(self.report(), self._watch.figures(), meter))

    def report(self) -> dict[str, Any]:
        """What ``/health`` says; from any thread. See ``worker_report``."""
        worker = self._worker
        return worker_report(
            self._application,
            self._stream,
            worker.worker_id,
            standing=WorkerStanding(
                begun_at=self._begun_at,
                claimed=self._claimed.is_set(),
                started=worker.started,
                stopping=self._stop.is_set(),
                failure=self._consumed.trouble or self._failure() or worker.failure,
                given_up=tuple(worker.given_up.values()),
                skew=self._skew(),
                hole=worker.hole,
            ),
            progress=worker.progress(),
            dependencies=self._watch.states(),
            counters=self._counted(),
            figures=self._watch.figures(),
            now=self._clock(),
        )

    def run(
        self,
        *,
        port: int,
        host: str,
        setting: str = "health_port",
        report: Callable[[], dict[str, Any]] | None = None,
        prepare: Step = nothing_to_do,
        adopt: Step = nothing_to_do,
        metrics: Callable[[], str] | None = None,
    ) -> None:
        """Work until stopped, then drain.

        Args:
            port: TCP port of ``/health``; 0 serves none.
            host: Address that it listens on.
            setting: What sets the port.
            report: What ``/health`` says, if it says more than ``report``.
            prepare: Done before the application is claimed.
            adopt: Done before its stream is confirmed.
            metrics: Gives the page of ``/metrics``.

        Raises:
            ListenError: the address cannot be had.
            MixedEnginesError: the application runs on another engine.
            StreamChangedError: the leases belong to another stream.
            KeysUnorderedError: the stream distributes records itself, and the application needs their order.
            OrderstreamError: something that it cannot do without has failed; the worker has drained.
        """
        report = report or self.report
        served = health_served(port, report, host, setting=setting, metrics=metrics)
        with served, Beside(self._stop) as beside:
            if not prepare(self._stop):
                return
            beside.start(self._watch.run)
            beside.start(HealthChanges(report, self._clock).run)
            if not self._ownership.claim(self._stop):
                return
            self._claimed.set()
            beside.start(self._ownership.renew_until)  # a stream may be long in coming
            if not adopt(self._stop) or not self._consumed.confirm(self._stop):
                return
            if not self._worker.tells_streams_apart and not self._leases.sweep(self._stop):
                return
            for run in (self._drain_when_told, self._consumed.watch, *self._background):
                beside.start(run)
            try:
                self._worker.run()
            finally:
                logger.info("worker has drained", extra={"counters": dict(self._counted())})

    def _counted(self) -> Mapping[str, int]:
        return {**self._counters(), **self._worker.counters()}

    def _drain_when_told(self, stop: StopSignal) -> None:
        stop.wait()
        self._worker.request_shutdown()
