"""Plays a file of invoices into the pipeline, with a bound on the orders that are under way."""

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

import httpx

from orderstream.errors import OrderstreamError
from orderstream_playground.demo.client import OrdersClient
from orderstream_playground.demo.invoices import Invoice, Rejection, rejection_of
from orderstream_playground.demo.offers import Offer, OfferBook

CONCURRENCY: Final = 8
"""Requests to the orders API at the same time."""

WINDOW: Final = 256
"""Orders under way at which offering pauses: a queue without end has no latency to speak of."""

_LOOK_EVERY: Final = 16
"""Invoices between two looks at how many orders are under way."""


@dataclass(slots=True)
class Tally:
    """What has been offered so far.

    Attributes:
        offered: Invoices read from the file.
        accepted: Those that became orders.
        rejected: Those that did not, by reason.
        sample_order: The order that the progress display follows.
        done: True once the whole file has been offered.
    """

    offered: int = 0
    accepted: int = 0
    rejected: dict[str, int] = field(default_factory=dict)
    sample_order: str | None = None
    done: bool = False


async def play(
    invoices: Iterator[Invoice],
    *,
    book: OfferBook,
    http: httpx.AsyncClient,
    seed_stock: Callable[[str], None],
    open_orders: Callable[[], int],
    tally: Tally,
) -> None:
    """Offer every invoice.

    Args:
        invoices: What to offer, read as it is needed.
        book: Where every offer is written down.
        http: Client of the orders API.
        seed_stock: Puts a SKU on the shelf, before the first order that names it; thread-safe.
        open_orders: How many orders order status knows that have not ended.
        tally: Is kept up to date.
    """
    client = OrdersClient(http, asyncio.sleep)
    permits = asyncio.Semaphore(CONCURRENCY)

    async def offer(number: int, invoice: Invoice) -> None:
        try:
            response = await client.place(invoice)
        finally:
            permits.release()
        if isinstance(response, Rejection):
            _refuse(book, tally, number, invoice, response)
            return
        tally.accepted += 1
        tally.sample_order = tally.sample_order or invoice.order_id
        book.add(
            number,
            Offer(
                order_id=invoice.order_id,
                invoice=invoice.number,
                outcome="accepted",
                reason=None,
                detail=None,
                lines=invoice.lines,
                accepted_at=response,
            ),
        )

    with ThreadPoolExecutor(CONCURRENCY, thread_name_prefix="seed") as shelves, _first_error_alone():
        loop = asyncio.get_running_loop()
        async with asyncio.TaskGroup() as group:
            for number, invoice in enumerate(invoices):
                tally.offered += 1
                rejection = rejection_of(invoice, book)
                if rejection is not None:
                    _refuse(book, tally, number, invoice, rejection)
                    continue
                await asyncio.gather(
                    *(loop.run_in_executor(shelves, seed_stock, sku) for sku in book.new_skus(invoice))
                )
                await permits.acquire()
                if number % _LOOK_EVERY == 0:
                    while await asyncio.to_thread(open_orders) >= WINDOW:
                        await asyncio.sleep(0.5)
                group.create_task(offer(number, invoice))
    tally.done = True


@contextmanager
def _first_error_alone() -> Iterator[None]:
    """A task group raises groups, and a person needs the first failure."""
    try:
        yield
    except BaseExceptionGroup as group:
        ours = group.subgroup(OrderstreamError)
        if ours is None:
            raise
        raise ours.exceptions[0] from group


def _refuse(book: OfferBook, tally: Tally, number: int, invoice: Invoice, rejection: Rejection) -> None:
    tally.rejected[rejection.reason] = tally.rejected.get(rejection.reason, 0) + 1
    book.add(
        number,
        Offer(
            order_id=invoice.order_id,
            invoice=invoice.number,
            outcome="rejected",
            reason=rejection.reason,
            detail=rejection.detail,
            lines=invoice.lines,
            accepted_at=None,
        ),
    )
