"""The process of one shard, as MultiLangDaemon starts it."""

import datetime as dt
import os
import threading
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final, Self, TextIO

from orderstream.observability.metrics import AggregatingMeter
from orderstream_consumer.engines.kcl.adapter import MultiLangProcessor
from orderstream_consumer.engines.kcl.channel import CHANNEL, ShardEnd, ShardReport
from orderstream_consumer.processing.clock import utc_now
from orderstream_consumer.processing.processor import ProcessorFactory
from orderstream_consumer.processing.progress import ShardProgress

_REPEAT_EVERY: Final = 5.0
"""Seconds between two tellings of the same: a call that does not return counts and fails meanwhile."""


def run_shard_process(
    processors: ProcessorFactory,
    *,
    protocol: tuple[TextIO, TextIO],
    errors: TextIO,
    counters: Callable[[], Mapping[str, int]],
    failure: Callable[[], str | None] = lambda: None,
    meter: AggregatingMeter | None = None,
    environment: Mapping[str, str] = os.environ,
    clock: Callable[[], dt.datetime] = utc_now,
) -> None:
    """Serve the daemon until it closes our input.

    Args:
        processors: Makes the processor of the shard.
        protocol: What the daemon writes to us, and what we write to it.
        errors: Where ``amazon_kclpy`` writes its errors.
        counters: What this process has counted so far.
        failure: The last failure in this process; None if there was none recently.
        meter: What this process measures, for its worker to export.
        environment: Names the worker's channel.
        clock: The time (UTC).
    """
    from amazon_kclpy.kcl import KCLProcess  # noqa: PLC0415 - an extra

    stop = threading.Event()
    shard_end = ShardEnd(environment[CHANNEL], stop)
    from_daemon, to_daemon = protocol
    with _Teller(shard_end, counters, failure, meter) as teller:
        processor = MultiLangProcessor(processors, stop, teller.tell, clock)
        try:
            KCLProcess(processor, from_daemon, to_daemon, errors).run()
        finally:
            teller.say_last()
            shard_end.close()


class _Teller:
    """Reports the progress to the worker when it changes, and every few seconds while a call lasts."""

    def __init__(
        self,
        shard_end: ShardEnd,
        counters: Callable[[], Mapping[str, int]],
        failure: Callable[[], str | None],
        meter: AggregatingMeter | None,
    ) -> None:
        self._shard_end = shard_end
        self._counters = counters
        self._failure = failure
        self._meter = meter
        self._progress: ShardProgress | None = None
        self._lock = threading.Lock()
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._repeat, name="kcl-progress", daemon=True)

    def __enter__(self) -> Self:
        """Repeat while the body runs."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Repeat no more."""
        self._ends.set()
        self._thread.join()

    def tell(self, progress: ShardProgress) -> None:
        """Report a new state."""
        with self._lock:
            self._progress = progress
            self._send()

    def say_last(self) -> None:
        """Report what was counted and measured since, before the process ends."""
        with self._lock:
            self._send(measured=True)

    def _repeat(self) -> None:
        while not self._ends.wait(_REPEAT_EVERY):
            with self._lock:
                self._send(measured=True)

    def _send(self, *, measured: bool = False) -> None:
        """Report; with the metrics only now and then, since they are a few kilobytes."""
        if self._progress is not None:
            progress = replace(self._progress, failure=self._failure())
            metrics = self._meter.collect() if measured and self._meter is not None else None
            self._shard_end.report(ShardReport(progress, dict(self._counters()), metrics))
