"""The provider as a process of its own, asked by the payment service's own client."""

import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from fakes.payment_queue import MemoryPaymentQueue
from fakes.payments import AmplePermits, Outbox, TickingClock, capture_command, received, refund_command
from orderstream_consumer.testing import MemoryStore
from orderstream_orders.contracts import PaymentCaptured, PaymentRefunded
from orderstream_workers.services.payments import (
    PaymentHandlers,
    PaymentWorker,
    ProviderThrottledError,
    ProviderUnavailableError,
)
from orderstream_workers.services.payments.domain import Charge, Refund
from orderstream_workers.services.payments.provider import Charged, Declined
from orderstream_workers.services.payments.provider.http import HttpPaymentProvider


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def serving(ledger: Path, *options: str) -> Iterator[str]:
    """The process, from its first healthy answer until the body ends."""
    port = free_port()
    command = [sys.executable, "-m", "orderstream_playground.local.payments_api", "--port", str(port)]
    process = subprocess.Popen([*command, "--ledger", str(ledger), *options])
    url = f"http://127.0.0.1:{port}"
    try:
        await_health(url, process)
        yield url
    finally:
        process.terminate()
        assert process.wait(10) is not None


def await_health(url: str, process: subprocess.Popen) -> None:
    pause = threading.Event()
    for _ in range(300):
        assert process.poll() is None, "the provider did not start"
        try:
            if httpx.get(f"{url}/health").is_success:
                return
        except httpx.ConnectError:
            pause.wait(0.05)
    raise AssertionError("the provider is not healthy")


@pytest.fixture
def client() -> Iterator[httpx.Client]:
    with httpx.Client() as made:
        yield made


def test_money_moves_once_over_http_and_across_a_restart(client: httpx.Client, tmp_path: Path) -> None:
    """Charge, lost process, the same charge again, refund: two rows that net to zero."""
    charge = Charge("o-1", 1230, "GBP", "o-1:capture")
    with serving(tmp_path / "ledger.sqlite", "--rate", "100") as url:
        first = HttpPaymentProvider(client, url).charge(charge)
    with serving(tmp_path / "ledger.sqlite", "--rate", "100") as url:
        provider = HttpPaymentProvider(client, url)
        assert provider.charge(charge) == first
        assert isinstance(first, Charged)
        provider.refund(Refund("o-1", first.charge_id, 1230, "GBP", "o-1:refund"))
        lines = [line for line in client.get(f"{url}/v1/ledger").text.splitlines() if line]
        assert len(lines) == 2


def test_declines_and_throttles_over_http(client: httpx.Client, tmp_path: Path) -> None:
    """All cards declined at 100 percent; the second request of a second is too much at a rate of 1."""
    with serving(tmp_path / "ledger.sqlite", "--rate", "1", "--decline-percent", "100") as url:
        provider = HttpPaymentProvider(client, url)
        assert provider.charge(Charge("o-1", 1, "GBP", "a")) == Declined("card_declined")
        with pytest.raises(ProviderThrottledError) as caught:
            provider.charge(Charge("o-2", 1, "GBP", "b"))
        assert caught.value.retry_after == 1.0
    with pytest.raises(ProviderUnavailableError):
        provider.charge(Charge("o-2", 1, "GBP", "b"))


def test_a_worker_resolves_lost_responses(client: httpx.Client, tmp_path: Path) -> None:
    """Charged and unheard, refunded and unheard: each is asked again under its key and nets to zero."""
    with serving(tmp_path / "ledger.sqlite", "--rate", "1000") as url:
        clock, store, outbox = TickingClock(), MemoryStore(), Outbox()
        queue = MemoryPaymentQueue(clock.monotonic)
        handlers = PaymentHandlers(store=store, publisher=outbox, queue=queue, clock=clock)
        worker = PaymentWorker(
            store=store,
            queue=queue,
            provider=HttpPaymentProvider(client, url),
            limiter=AmplePermits(),
            publisher=outbox,
            clock=clock,
            now=clock.monotonic,
        )

        def work() -> None:
            for _ in range(10):
                client.post(f"{url}/_faults", json={"lost_responses": 1, "hang_seconds": 0})
                for message in queue.receive(1, wait=0, visibility=60):
                    worker.work(message, clock.seconds)
                    client.post(f"{url}/_faults", json={})
                clock.sleep(61)
                for message in queue.receive(1, wait=0, visibility=60):
                    worker.work(message, clock.seconds)

        handlers.capture_payment(received(capture_command(), 1))
        work()
        handlers.refund_payment(received(refund_command(), 2))
        work()
        assert worker.counters.snapshot()["unavailable"] == 2
        kinds = {type(message) for message in outbox.messages()}
        assert kinds == {PaymentCaptured, PaymentRefunded}
        assert len(client.get(f"{url}/v1/ledger").text.splitlines()) == 2
