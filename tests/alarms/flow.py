"""Orders that flow: invoices of the bundled month, placed one after the other at a steady rate."""

import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import count, islice

import httpx

from e2e.running import INVOICES
from orderstream_consumer.store import DynamoDBStore
from orderstream_playground.demo.client import order_of
from orderstream_playground.demo.invoices import Invoice, read_invoices
from orderstream_playground.local.environment import Layout
from orderstream_playground.local.issuer import AsCaller, LocalIssuer
from orderstream_workers.services.inventory import seed_stock

_UNITS = 1_000_000
_THREADS = 16


class OrderFlow:
    """Places orders from a thread of its own. Each is asked for once: an API that fails is to be seen.

    Args:
        layout: Where the orders API is.
        store: Where stock is kept.

    Attributes:
        statuses: How often the API gave which status; 0 where it gave none.
    """

    def __init__(self, layout: Layout, store: DynamoDBStore) -> None:
        self.statuses: Counter[int] = Counter()
        self._layout = layout
        self._store = store
        self._stocked: set[str] = set()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self, rate: float, invoices: Iterator[Invoice] | None = None) -> None:
        """Begin.

        Args:
            rate: Orders a second.
            invoices: What is ordered; by default the month, again and again, at most ten lines of each.
        """
        self._stop.clear()
        chosen = again_and_again() if invoices is None else invoices
        self._thread = threading.Thread(target=self._run, args=(rate, chosen), name="orders", daemon=True)
        self._thread.start()

    @property
    def running(self) -> bool:
        """Whether there is more to be placed."""
        return self._thread is not None and self._thread.is_alive()

    def stop(self) -> None:
        """Place no more."""
        self._stop.set()
        self.join()

    def join(self) -> None:
        """Wait until all have been placed."""
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def stock(self, sku: str) -> None:
        """Put a SKU on the shelf, unless it is there."""
        if sku not in self._stocked:
            seed_stock(self._store, sku, _UNITS)
            self._stocked.add(sku)

    def _run(self, rate: float, invoices: Iterator[Invoice]) -> None:
        home = self._layout.home
        with (
            httpx.Client(
                base_url=self._layout.api_url,
                auth=AsCaller(LocalIssuer.of(home), "flow"),
                timeout=20.0,
                limits=httpx.Limits(max_connections=_THREADS),
            ) as http,
            ThreadPoolExecutor(_THREADS, thread_name_prefix="orders") as pool,
        ):
            due = time.monotonic()
            for invoice in invoices:
                due += 1 / rate
                if self._stop.wait(max(0.0, due - time.monotonic())):
                    return
                pool.submit(self._place, http, invoice)

    def _place(self, http: httpx.Client, invoice: Invoice) -> None:
        for line in invoice.lines:
            if not line.is_service:
                self.stock(line.sku)
        try:
            response = http.post(
                "/orders", json=order_of(invoice), headers={"Idempotency-Key": invoice.number}
            )
        except httpx.TransportError:
            self.statuses[0] += 1
        else:
            self.statuses[response.status_code] += 1


def month(limit: int | None = None) -> Iterator[Invoice]:
    """Every invoice of the bundled month that is an order."""
    whole = (one for one in read_invoices(INVOICES) if one.malformed is None and one.number[:1] != "C")
    return islice(whole, limit)


def again_and_again() -> Iterator[Invoice]:
    """The month without end; small orders under numbers of their own, since faults need no long ones."""
    for turn in count():
        for invoice in month():
            yield replace(invoice, number=f"{invoice.number}-{turn}", lines=invoice.lines[:10])
