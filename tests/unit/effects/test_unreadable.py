"""What is stored in another form than its service gives it is said so, and nothing is decided on it."""

import datetime as dt

import msgspec
import pytest

from fakes.delivery import delivered
from fakes.messages import envelope_of
from orderstream.messages import Envelope, NotAnEventError
from orderstream_consumer.idempotency import CollectingPublisher, Decision, Once, StateItems
from orderstream_consumer.idempotency.inbox import INBOX, Inbox
from orderstream_consumer.store import Attribute, Item, ItemUnreadableError, Put
from orderstream_consumer.testing import MemoryStore
from orderstream_orders.contracts import CapturePayment, RefundPayment, ShipOrder

NOW = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


class Total(msgspec.Struct, frozen=True):
    """A state."""

    units: int = 0


ITEMS = StateItems("orders", Total)


def message(event_id: str) -> Envelope:
    ship = ShipOrder(order_id="o-1", country=None, units=1)
    return envelope_of(ship, source="test", event_id=event_id, time=NOW)


@pytest.mark.parametrize(
    ("attributes", "reason"),
    [
        ({INBOX: {}}, "it has no state"),
        ({"state": "{}", INBOX: {}}, "state is no bytes"),
        ({"state": None, INBOX: {}}, "state is no bytes"),
    ],
)
def test_a_state_that_somebody_else_has_written_is_none(
    attributes: dict[str, Attribute], reason: str
) -> None:
    """The error names the item and the attribute: a person has to mend it."""
    with pytest.raises(ItemUnreadableError, match=f"item 'o-1' of table orders cannot be read: {reason}"):
        ITEMS.state(Item("orders", "o-1", None, 1, attributes))


def test_an_inbox_that_is_none_is_not_taken_for_an_empty_one() -> None:
    """Else all that was applied would be applied again."""
    with pytest.raises(ItemUnreadableError, match="inbox is no dict"):
        ITEMS.inbox(Item("orders", "o-1", None, 1, {INBOX: [], "state": b"{}"}))


@pytest.mark.parametrize(
    "entry", [None, [], {}, {"record_id": "s/1", "digest": 7, "outputs": b"", "number": 1}]
)
def test_an_entry_of_another_form_stands_for_no_delivery(entry: Attribute) -> None:
    """Neither fresh, nor applied before: it says which event's entry it is."""
    with pytest.raises(ItemUnreadableError, match="the inbox's entry of event e-1"):
        Inbox({"e-1": entry}).classify(delivered(message("e-1")))


def test_nothing_is_written_over_what_cannot_be_read() -> None:
    """The item stays as somebody left it, and no output goes out."""
    store, publisher = MemoryStore(), CollectingPublisher()
    left: dict[str, Attribute] = {"state": b"{}", INBOX: {"e-1": {}}}
    store.transact([Put("orders", "o-1", left, None)])
    once = Once(store=store, table="orders", state_type=Total, publisher=publisher)
    with pytest.raises(ItemUnreadableError):
        once.apply(delivered(message("e-1")), lambda _: Decision(Total(1)))
    found = store.get("orders", "o-1")
    assert found is not None
    assert found.attributes == left
    assert publisher.published == []


def test_a_route_takes_the_types_that_it_is_for() -> None:
    """One, or one of several; a message of another type is no message to it."""
    received = delivered(message("e-1"))
    assert received.message(ShipOrder) == received.message(CapturePayment, ShipOrder)
    with pytest.raises(
        NotAnEventError, match=r"type shipping.ShipOrder stands where payments.CapturePayment or"
    ):
        received.message(CapturePayment, RefundPayment)
