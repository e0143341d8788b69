"""Orders are found by what they have in common, each once, whatever the size of the pages."""

import datetime as dt

import pytest
from sqlalchemy import Engine

from fakes.order_history import AT, envelope_of
from fakes.shard import delivered
from orderstream.messages import Message
from orderstream_orders.contracts import (
    Customer,
    OrderCancelled,
    OrderConfirmed,
    OrderLine,
    OrderPlaced,
    StockReserved,
)
from orderstream_workers.projections.order_status import (
    OrderSearch,
    ReadModel,
    ReadModelWriter,
    UnlistedOrderError,
)

HOUR = dt.timedelta(hours=1)


def order(order_id: str, *skus: str, customer: str | None = None, caller: str | None = None) -> OrderPlaced:
    return OrderPlaced(
        order_id=order_id,
        customer=Customer(customer_id=customer),
        country=None,
        lines=tuple(OrderLine(sku=sku, quantity=1, unit_price="2.50", total_minor=250) for sku in skus),
        total_minor=250,
        currency="GBP",
        placed_by=caller,
    )


class Model:
    """A read model that is filled message by message."""

    def __init__(self, engine: Engine) -> None:
        self.reads = ReadModel(engine)
        self._writer = ReadModelWriter(engine)
        self._sequence = 0

    def read(self, message: Message, hours: int = 0, event_id: str | None = None) -> None:
        self._sequence += 1
        data = envelope_of(message, time=AT + hours * HOUR, event_id=event_id).encode()
        self._writer.apply_batch([delivered(self._sequence, data, key=message.subject)])

    def found(self, *, limit: int = 50, **wanted: object) -> list[str]:
        """Every order, page by page."""
        ids: list[str] = []
        after: str | None = None
        while True:
            page = self.reads.find(OrderSearch(**wanted), after=after, limit=limit)
            assert len(page.orders) <= limit
            ids += [one.order_id for one in page.orders]
            if page.next is None:
                return ids
            assert page.next == ids[-1]
            after = page.next


def test_cancelled_orders_are_found_by_their_reason(model: "Model") -> None:
    """The reason that their event has, and no other."""
    assert model.found(reason="card_declined") == ["b"]
    assert model.found(reason="step_overdue") == []
    assert model.found(state="CONFIRMED", reason="card_declined") == []


@pytest.fixture
def model(engine: Engine) -> Model:
    """Four orders, two of them placed at one moment."""
    filled = Model(engine)
    filled.read(order("a", "85123A", customer="17850", caller="alice"))
    filled.read(order("b", "71053", "POST", customer="17850"), hours=1)
    filled.read(order("c", "85123A", "71053", caller="bob"), hours=1)
    filled.read(order("d", "22423", caller="alice"), hours=3)
    filled.read(OrderConfirmed(order_id="a", customer=Customer(), total_minor=250, currency="GBP"))
    filled.read(OrderCancelled(order_id="b", customer=Customer(), reason="card_declined"))
    filled.read(StockReserved(order_id="never-placed"))
    return filled


@pytest.mark.parametrize("limit", [1, 2, 3, 4, 50])
def test_every_order_is_on_one_page(model: Model, limit: int) -> None:
    """Newest first by default; orders of one moment are neither lost nor repeated between two pages."""
    assert model.found(limit=limit) == ["d", "c", "b", "a"]
    assert model.found(limit=limit, oldest_first=True) == ["a", "b", "c", "d"]
    assert model.found(limit=limit, sku="85123A") == ["c", "a"]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({"state": "PLACED"}, ["d", "c"]),
        ({"state": "CANCELLED"}, ["b"]),
        ({"customer_id": "17850"}, ["b", "a"]),
        ({"customer_id": "1785"}, []),
        ({"placed_by": "alice"}, ["d", "a"]),
        ({"placed_by": "alice", "state": "PLACED"}, ["d"]),
        ({"placed_by": "carol"}, []),
        ({"sku": "71053"}, ["c", "b"]),
        ({"sku": "POST"}, ["b"]),
        ({"placed_from": AT + HOUR}, ["d", "c", "b"]),
        ({"placed_before": AT + HOUR}, ["a"]),
        ({"placed_from": AT + HOUR, "placed_before": AT + 2 * HOUR, "state": "PLACED"}, ["c"]),
        ({"sku": "71053", "customer_id": "17850", "state": "CANCELLED"}, ["b"]),
    ],
)
def test_all_that_is_asked_for_holds(model: Model, wanted: dict[str, object], found: list[str]) -> None:
    """Members of a search are joined by "and"; a bound in time includes its own moment only from below."""
    assert model.found(**wanted) == found


def test_a_sku_is_found_as_a_whole_and_as_it_is_written(model: Model) -> None:
    """Neither a part of it, nor another case of letters, nor a wildcard, nor the text of another field."""
    model.read(order("e", "50%_OFF"), hours=4)
    model.read(order("f", "5000_OFF"), hours=4)
    model.read(order("g", "Ü-1"), hours=4)
    assert [model.found(sku=sku) for sku in ("85123", "85123a", "%", "GBP", "order_id")] == [[]] * 5
    assert model.found(sku="50%_OFF") == ["e"]
    assert model.found(sku="Ü-1") == ["g"]


def test_a_second_order_placed_of_an_order_shows_it_once(model: Model) -> None:
    """A forged message with an id of its own is history, and makes no second order."""
    model.read(order("d", "22423"), hours=3, event_id="forged")
    assert model.found(sku="22423", limit=1) == ["d"]


def test_a_page_behind_an_order_that_is_none(model: Model) -> None:
    """A mistyped id is an error that names it, and does not pass for the end of the list."""
    for unknown in ("z", "never-placed"):
        with pytest.raises(UnlistedOrderError, match=unknown):
            model.reads.find(OrderSearch(), after=unknown)
