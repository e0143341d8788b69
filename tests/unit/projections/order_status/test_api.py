"""``GET /orders/{id}``: an order's history, page by page."""

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Engine

from fakes.asgi import AsgiClient
from fakes.messages import envelope_of
from fakes.open_orders import access_for_everyone, shown_to_anyone
from orderstream_consumer.processing.record import DeliveredRecord, Position
from orderstream_orders.contracts import Customer, OrderPlaced, OrderShipped
from orderstream_workers.projections.order_status import (
    ReadModel,
    ReadModelWriter,
    routes,
)

AT = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
NUMBERS = (9, 10, 99, 100, 1000)
"""Sequence numbers that sort otherwise as text."""


@pytest.fixture
def filled(engine: Engine) -> Engine:
    records = []
    for number in NUMBERS:
        message = OrderShipped(order_id="o", shipment_id=f"s-{number}")
        if number == NUMBERS[0]:
            message = OrderPlaced(
                order_id="o", customer=Customer(), country="x", lines=(), total_minor=1, currency="GBP"
            )
        envelope = envelope_of(message, source="tests", event_id=f"e-{number}", time=AT)
        records.append(
            DeliveredRecord("shardId-000000000000", Position(number), "o", envelope.encode(), AT, None)
        )
    ReadModelWriter(engine).apply_batch(records)
    return engine


@pytest.fixture
def client(filled: Engine) -> Iterator[AsgiClient]:
    with AsgiClient(shown_to_anyone(routes(ReadModel(filled), access_for_everyone()))) as client:
        yield client


def ids(shown: dict[str, Any]) -> list[str]:
    return [message["event_id"] for message in shown["history"]]


def test_a_short_history_is_one_page(client: AsgiClient) -> None:
    """In the order of the stream, and there is no next page."""
    shown = client.get("/orders/o").json()
    assert ids(shown) == [f"e-{number}" for number in NUMBERS]
    assert shown["next"] is None


@pytest.mark.parametrize("limit", [1, 2, 3, 5, 6])
def test_pages_join_to_the_whole_history(client: AsgiClient, limit: int) -> None:
    """Each message once, whatever the length of a page."""
    found: list[str] = []
    after = ""
    while True:
        shown = client.get(f"/orders/o?limit={limit}" + (f"&after={after}" if after else "")).json()
        assert len(shown["history"]) <= limit
        found += ids(shown)
        after = shown["next"]
        if after is None:
            break
    assert found == [f"e-{number}" for number in NUMBERS]


@pytest.mark.parametrize("query", ["limit=0", "limit=1001", "limit=x", "limit=-1", "after=nothing"])
def test_a_page_that_cannot_be_is_refused(client: AsgiClient, query: str) -> None:
    """422 with the field, and never a traceback."""
    response = client.get(f"/orders/o?{query}")
    assert (response.status_code, response.json()["code"]) == (422, "malformed")
    assert response.json()["field"] == query.partition("=")[0]


def test_an_unknown_order_has_no_pages(client: AsgiClient) -> None:
    """404 as before."""
    assert client.get("/orders/nobody?after=e-9").status_code == 404


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=201", "state=placed", "state=GONE", "after=nothing", "after=%00"]
)
def test_a_list_that_cannot_be_is_refused(client: AsgiClient, query: str) -> None:
    """422 with the field."""
    response = client.get(f"/orders?{query}")
    assert (response.status_code, response.json()["field"]) == (422, query.partition("=")[0])


def test_where_callers_are_not_distinguished_every_order_is_listed(client: AsgiClient) -> None:
    """As everybody may see each; by state, if that is asked for."""
    assert [one["order_id"] for one in client.get("/orders").json()["orders"]] == ["o"]
    assert client.get("/orders?state=CONFIRMED").json() == {"orders": [], "next": None}
