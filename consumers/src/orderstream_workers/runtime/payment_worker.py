"""The payment worker: a process beside the stream that takes payments from their queue to the provider."""

import threading

import httpx

from orderstream_workers.effects import StoredRateLimiter
from orderstream_workers.runtime.health import health_served
from orderstream_workers.runtime.report import STALLED_AFTER, figures_or_none
from orderstream_workers.runtime.resources import Resources
from orderstream_workers.services.payments import PaymentWorker
from orderstream_workers.services.payments.http_provider import HttpPaymentProvider


def run_payment_worker(resources: Resources, stop: threading.Event) -> None:
    """Work until stopped.

    Args:
        resources: What it is made of.
        stop: Set to end it; what is in hand is finished first.
    """
    settings = resources.settings
    http = httpx.Client()
    resources.close_later(http.close)
    worker = PaymentWorker(
        store=resources.store,
        queue=resources.payment_queue,
        provider=HttpPaymentProvider(http, settings.payments_api_url),
        limiter=StoredRateLimiter(
            resources.store,
            name="payments-api",
            rate=settings.payments_per_second,
            now=lambda: resources.deciding_clock().timestamp(),
        ),
        emitter=resources.emitter,
        clock=resources.deciding_clock,
    )

    def report() -> dict[str, object]:
        return {
            "application": "payment-worker",
            "healthy": not resources.deciding_clock.skewed
            and (worker.last_round is None or resources.clock() - worker.last_round < STALLED_AFTER),
            "ready": not stop.is_set(),
            **resources.deciding_clock.report(),
            **worker.counters.snapshot(),
            **figures_or_none(lambda: {"dead_letters": resources.payment_dead_letters.depth()}),
        }

    with health_served(settings.health_port, report, settings.health_host):
        worker.run(stop)
