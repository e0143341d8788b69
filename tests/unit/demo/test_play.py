"""Unknown outcomes are asked again with the same key, refusals are written down, stock comes first."""

import asyncio
import datetime as dt
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from orderstream_playground.demo.books import open_books
from orderstream_playground.demo.client import OrdersClient
from orderstream_playground.demo.errors import OrderFileError, PlayError
from orderstream_playground.demo.invoices import Invoice, InvoiceLine, Rejection
from orderstream_playground.demo.offers import OfferBook
from orderstream_playground.demo.play import Tally, play

LINES = (InvoiceLine("85123A", 2, "2.55", None), InvoiceLine("POST", 1, "3.00", None))


def invoice(number: str) -> Invoice:
    return Invoice(number, LINES, "17850", "France")


def client_of(response: Callable[[httpx.Request], httpx.Response]) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.MockTransport(response), base_url="http://orders")


async def no_sleep(_: float) -> None:
    await asyncio.sleep(0)


def test_an_unknown_outcome_is_asked_again_with_the_same_key() -> None:
    """503, 429 and a broken connection say nothing about the order: the same key is asked again."""
    keys: list[str] = []

    def response(request: httpx.Request) -> httpx.Response:
        keys.append(request.headers["Idempotency-Key"])
        if len(keys) == 1:
            return httpx.Response(503)
        if len(keys) == 2:
            raise httpx.ReadError("gone", request=request)
        return httpx.Response(429 if len(keys) == 3 else 202)

    async def run() -> dt.datetime | Rejection:
        async with client_of(response) as http:
            return await OrdersClient(http, no_sleep).place(invoice("7"))

    assert isinstance(asyncio.run(run()), dt.datetime)
    assert keys == ["7"] * 4


def test_the_pauses_between_two_questions_double() -> None:
    """Up to a bound, with jitter: a thousand clients that an API turned away do not come back together."""
    pauses: list[float] = []

    async def note(pause: float) -> None:
        pauses.append(pause)

    async def run() -> None:
        statuses = iter([503] * 8 + [202])
        async with client_of(lambda _: httpx.Response(next(statuses))) as http:
            await OrdersClient(http, note, draw=lambda: 0.5).place(invoice("7"))

    asyncio.run(run())
    assert pauses == pytest.approx([0.075, 0.15, 0.3, 0.6, 1.2, 2.4, 3.75, 3.75])


def test_a_refusal_carries_the_apis_own_code() -> None:
    """What the API answers with 422 is the rejection's code and words."""

    def response(_: httpx.Request) -> httpx.Response:
        return httpx.Response(422, json={"code": "nothing_to_pay", "message": "the total is 0"})

    async def run() -> dt.datetime | Rejection:
        async with client_of(response) as http:
            return await OrdersClient(http, no_sleep).place(invoice("7"))

    assert asyncio.run(run()) == Rejection("nothing_to_pay", "the total is 0")


def test_an_api_that_never_answers_is_given_up() -> None:
    """After its patience is over the client says which invoice it could not place, and why."""
    times = iter(dt.datetime(2026, 1, 1, tzinfo=dt.UTC) + dt.timedelta(seconds=50 * n) for n in range(100))

    async def run() -> None:
        async with client_of(lambda _: httpx.Response(503)) as http:
            await OrdersClient(http, no_sleep, now=lambda: next(times)).place(invoice("7"))

    with pytest.raises(PlayError, match=r"invoice 7 .*HTTP 503"):
        asyncio.run(run())


def test_stock_is_on_the_shelf_before_its_first_order(tmp_path: Path) -> None:
    """A SKU is seeded once, before the first order that names it is offered; services never are."""
    events: list[str] = []

    def response(request: httpx.Request) -> httpx.Response:
        events.append("order " + request.headers["Idempotency-Key"])
        return httpx.Response(202)

    async def run() -> Tally:
        tally = Tally()
        with open_books(tmp_path / "books.sqlite") as database:
            async with client_of(response) as http:
                await play(
                    iter([invoice("1"), invoice("2"), invoice("C3"), invoice("1")]),
                    book=OfferBook(database),
                    http=http,
                    seed_stock=lambda sku: events.append("stock " + sku),
                    open_orders=lambda: 0,
                    tally=tally,
                )
            outcomes = [(one.invoice, one.outcome, one.reason) for one in OfferBook(database)]
        assert outcomes == [
            ("1", "accepted", None),
            ("2", "accepted", None),
            ("C3", "rejected", "credit_note"),
            ("1", "rejected", "duplicate_invoice"),
        ]
        return tally

    tally = asyncio.run(run())
    assert events[0] == "stock 85123A"
    assert sorted(events[1:]) == ["order 1", "order 2"]
    assert (tally.offered, tally.accepted, tally.done) == (4, 2, True)
    assert tally.rejected == {"credit_note": 1, "duplicate_invoice": 1}


@pytest.mark.parametrize("where", ["file", "api"])
def test_what_goes_wrong_is_told_as_it_is(tmp_path: Path, where: str) -> None:
    """A file that breaks off, or an API that responds nonsense, is one clear error and no group of them."""

    def invoices() -> Iterator[Invoice]:
        yield invoice("1")
        if where == "file":
            raise OrderFileError("orders.csv.gz", "is a broken gzip file")

    def response(_: httpx.Request) -> httpx.Response:
        return httpx.Response(202 if where == "file" else 418)

    async def run() -> None:
        with open_books(tmp_path / "books.sqlite") as database:
            async with client_of(response) as http:
                await play(
                    invoices(),
                    book=OfferBook(database),
                    http=http,
                    seed_stock=lambda _: None,
                    open_orders=lambda: 0,
                    tally=Tally(),
                )

    with pytest.raises(OrderFileError if where == "file" else PlayError, match=r"broken gzip|no reason"):
        asyncio.run(run())
