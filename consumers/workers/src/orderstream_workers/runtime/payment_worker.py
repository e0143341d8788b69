"""The payment worker: a process beside the stream that takes payments from their queue to the provider."""

import datetime as dt
import threading
from collections.abc import Mapping
from typing import Any, Final

import httpx

from orderstream.observability.metrics import Meter, PrometheusExporter
from orderstream_consumer.health.changes import HealthChanges
from orderstream_consumer.health.report import (
    STALLED_AFTER,
    age,
    not_responding,
    outages,
    shown_dependencies,
    shown_figures,
    verdict,
)
from orderstream_consumer.health.server import health_served
from orderstream_consumer.health.watch import Dependency, DependencyState, DependencyWatch, Figure
from orderstream_consumer.limits import SharedSlots, SlotLimit, StoredRateLimiter
from orderstream_consumer.processing.beside import Beside
from orderstream_consumer.processing.metrics import HEALTHY
from orderstream_workers.runtime.dependencies import dependencies_of, queue_asked
from orderstream_workers.runtime.resources import Resources
from orderstream_workers.runtime.settings import HEALTH_PORT
from orderstream_workers.runtime.telemetry.metrics import exporting
from orderstream_workers.runtime.topology import QueueSpec
from orderstream_workers.runtime.topology.pipeline import PAYMENT_QUEUE, PAYMENT_WORKER, PAYMENTS_API
from orderstream_workers.services.payments import PaymentStanding, PaymentWorker, QueuedSpans
from orderstream_workers.services.payments.metrics import DEAD_LETTERS, UNSETTLED_TIME
from orderstream_workers.services.payments.provider.http import HttpPaymentProvider

_READ_WITHIN: Final = 30.0
"""Seconds since the queue was last read for which what was found there is taken to be all."""

_SERVING: Final = 10.0
"""Seconds that the provider may work on a request after we have given it up."""

_SLOT_LIFE: Final = 30.0
"""Seconds after which the slots of a silent worker are free: above those of a call and ``_SERVING``."""

_PROVIDER: Final = "payments-api"
"""The name of the provider's limit."""


def run_payment_worker(resources: Resources, stop: threading.Event) -> None:
    """Work until stopped.

    Args:
        resources: What it is made of.
        stop: Set to end it; what is in hand is finished first.
    """
    settings = resources.settings
    http = httpx.Client()
    resources.close_later(http.close)
    provider_url = settings.name_of(PAYMENTS_API)
    provider = HttpPaymentProvider(http, provider_url, tracer=resources.tracer)
    slots = _slots(settings.payments_at_once, provider.call_seconds)
    worker = PaymentWorker(
        store=resources.store,
        queue=resources.payment_queue,
        provider=provider,
        limiter=StoredRateLimiter(
            resources.store,
            name=_PROVIDER,
            rate=settings.payments_per_second,
            slots=slots,
            now=lambda: resources.deciding_clock().timestamp(),
        ),
        slots=slots,
        publisher=resources.publisher,
        clock=resources.deciding_clock,
        wall_clock=resources.clock,
        spans=QueuedSpans(
            resources.tracer,
            queue=settings.name_of(PAYMENT_QUEUE),
            application=PAYMENT_WORKER.name,
            clock=resources.clock,
        ),
        slow_seconds=settings.slow_seconds,
        meter=resources.meter,
    )
    # Every client is made here, by one thread.
    dead_letters = resources.payment_dead_letters
    watch = DependencyWatch(
        [
            *dependencies_of(PAYMENT_WORKER, resources),
            queue_asked(resources, QueueSpec.dead_letters_of(settings.name_of(PAYMENT_QUEUE))),
            Dependency(f"provider {provider_url}", provider.ask),
        ],
        {"dead_letters": dead_letters.depth},
        resources.clock,
    )

    def report() -> dict[str, Any]:
        said = payment_report(
            worker.standing(),
            dependencies=watch.states(),
            counters=worker.counters.snapshot(),
            figures=watch.figures(),
            stopping=stop.is_set(),
            skew=resources.deciding_clock.trouble(),
            now=resources.clock(),
        )
        said |= slots.report() if slots else {}
        return said | resources.deciding_clock.report()

    resources.meter.before_collecting(lambda: measure_payments(report(), resources.meter))
    page = PrometheusExporter()
    with (
        exporting(settings, resources.meter, page, {}),
        health_served(
            settings.health_port,
            report,
            settings.health_host,
            setting=HEALTH_PORT,
            metrics=page.text,
        ),
        Beside(stop) as beside,
    ):
        beside.start(watch.run)
        beside.start(HealthChanges(report, resources.clock).run)
        worker.run(stop)


def _slots(at_once: int, call_seconds: float) -> SharedSlots | None:
    """The provider's slots; None where it allows any number of requests at the same time."""
    if at_once == 0:
        return None
    limit = SlotLimit(at_once=at_once, call=call_seconds, serving=_SERVING, life=_SLOT_LIFE)
    return SharedSlots(limit, name=_PROVIDER)


def measure_payments(report: Mapping[str, Any], meter: Meter) -> None:
    """Record a payment worker's state.

    Args:
        report: See ``payment_report``.
        meter: Takes the figures; what is unknown is not recorded.
    """
    meter.record(HEALTHY, int(report["healthy"]))
    unsettled, silent = report["unsettled_seconds"], report["round_seconds_ago"]
    # A 0 would end an alarm: while the queue is not read, no one knows whether payments wait in it.
    if unsettled is not None or silent <= _READ_WITHIN:
        meter.record(UNSETTLED_TIME, unsettled or 0)
    if isinstance(report.get("dead_letters"), int):
        meter.record(DEAD_LETTERS, report["dead_letters"])


def payment_report(
    standing: PaymentStanding,
    *,
    dependencies: tuple[DependencyState, ...],
    counters: dict[str, int],
    figures: dict[str, Figure],
    stopping: bool,
    skew: str | None = None,
    now: dt.datetime,
) -> dict[str, Any]:
    """Say how a payment worker is doing.

    Args:
        standing: What the worker has done last.
        dependencies: What each dependency said last.
        counters: What this process has counted.
        figures: What is true of the queue as a whole.
        stopping: Whether it finishes what is in hand.
        skew: What is wrong with the host's clock; None if nothing is.
        now: The time (UTC).
    """
    because = f": {standing.failure}" if standing.failure else ""
    troubles = [] if skew is None else [skew]
    if (silent := now - standing.last_round) > STALLED_AFTER:
        lasted = int(silent.total_seconds())
        troubles.append(f"the payment queue has not been read for {lasted} s{because}")
    if standing.unsettled_since is not None and now - standing.unsettled_since > STALLED_AFTER:
        lasted = int((now - standing.unsettled_since).total_seconds())
        troubles.append(f"no payment was settled for {lasted} s although payments wait{because}")
    obstacles = [
        *(["it finishes what is in hand and ends"] if stopping else []),
        *not_responding(dependencies),
    ]
    return {
        "application": PAYMENT_WORKER.name,
        **verdict([*troubles, *outages(dependencies, now)], obstacles),
        "round_seconds_ago": age(standing.last_round, now),
        "unsettled_seconds": age(standing.unsettled_since, now),
        "failure": standing.failure,
        "dependencies": shown_dependencies(dependencies, now),
        **counters,
        **shown_figures(figures),
    }
