"""Shipping in the stream: every request is answered, and all replies agree."""

import datetime as dt
import logging

import pytest

from fakes.delivery import delivered
from fakes.messages import envelope_of
from orderstream.errors import DependencyError
from orderstream.messages import Envelope, decode_envelope, requesting
from orderstream_consumer.idempotency.publisher import CollectingPublisher
from orderstream_consumer.testing import Fault, MemoryStore
from orderstream_orders.contracts import (
    MESSAGE_TYPES,
    OrderShipped,
    RefuseShipment,
    ShipmentRefused,
    ShipOrder,
    StepResolved,
)
from orderstream_workers.services.shipping import TABLES, ShippingHandlers

NOW = dt.datetime(2010, 12, 1, 8, 26, tzinfo=dt.UTC)


def request(event_id: str, attempt: int = 1, country: str = "France") -> Envelope:
    """ShipOrder as the coordinator sends it."""
    command = ShipOrder(order_id="o-1", country=country, units=6)
    cause = envelope_of(command, source="saga", event_id=event_id, time=NOW, conversation_id="talk")
    return requesting(
        cause,
        command,
        source="saga",
        ordinal=0,
        time=NOW,
        correlation_id=f"ship_order:{attempt}",
        reply_to="saga",
    )


class Shipping:
    """The handlers over a store in memory."""

    def __init__(self, store: MemoryStore | None = None, unserved: frozenset[str] = frozenset()) -> None:
        self.store = store or MemoryStore()
        self.publisher = CollectingPublisher()
        handlers = ShippingHandlers(
            store=self.store, publisher=self.publisher, clock=lambda: NOW, unserved_countries=unserved
        )
        self.routes = handlers.routes()

    def hear(self, envelope: Envelope, sequence: int = 1) -> None:
        self.routes[envelope.type](delivered(envelope, sequence))

    @property
    def replies(self) -> list[Envelope]:
        return [decode_envelope(data) for data in self.publisher.published]


def test_the_reply_goes_to_the_request() -> None:
    """It has the request's mark and conversation, and shipping's name."""
    shipping, command = Shipping(), request("first")
    shipping.hear(command)
    (reply,) = shipping.replies
    assert isinstance(reply.message(), OrderShipped)
    assert (reply.source, reply.correlation_id, reply.causation_id) == (
        "shipping",
        "ship_order:1",
        command.id,
    )
    assert reply.conversation_id == "talk"


def test_an_unserved_destination_is_refused() -> None:
    """The setting decides."""
    shipping = Shipping(unserved=frozenset({"Norway"}))
    shipping.hear(request("first", country="Norway"))
    assert [reply.message() for reply in shipping.replies] == [
        ShipmentRefused(order_id="o-1", reason="destination_not_served")
    ]


def test_a_new_request_gets_the_same_reply_under_a_new_id() -> None:
    """The coordinator that has not heard the first reply needs one to its second request."""
    shipping = Shipping()
    shipping.hear(request("first"), 1)
    shipping.hear(request("second", attempt=2), 2)
    first, second = shipping.replies
    assert second.message() == first.message()
    assert second.id != first.id
    assert second.correlation_id == "ship_order:2"


def test_a_decision_survives_a_change_of_the_settings() -> None:
    """An order that was taken stays taken."""
    shipping = Shipping()
    shipping.hear(request("first"), 1)
    changed = Shipping(shipping.store, unserved=frozenset({"France"}))
    changed.hear(request("second", attempt=2), 2)
    assert isinstance(changed.replies[0].message(), OrderShipped)


def test_redelivery_repeats_the_reply_and_a_duplicate_does_not() -> None:
    """The same record again: the same bytes. A copy elsewhere: nothing."""
    shipping, command = Shipping(), request("first")
    for sequence in (1, 1, 2):
        shipping.hear(command, sequence)
    assert len(shipping.publisher.published) == 2
    assert len(set(shipping.publisher.published)) == 1


@pytest.mark.parametrize("fault", [Fault.BEFORE, Fault.AFTER])
def test_an_outage_at_the_commit_leads_to_one_reply(fault: Fault) -> None:
    """Whether the commit happened or not: the request is not released, and its retry finds out."""
    faults = [fault]
    store = MemoryStore(lambda operation, _: faults.pop() if operation == "transact" and faults else None)
    shipping, command = Shipping(store), request("first")
    with pytest.raises(DependencyError):
        shipping.hear(command)
    assert shipping.replies == []
    shipping.hear(command)
    assert [reply.type for reply in shipping.replies] == ["OrderShipped"]


def test_shipping_hears_all_that_is_meant_for_it() -> None:
    """Its routes are exactly the messages whose contract names it, its tables those that it declares."""
    shipping = Shipping()
    meant = {kind.type_name() for kind in MESSAGE_TYPES if "shipping" in kind.consumers}
    assert set(shipping.routes) == meant
    shipping.hear(request("first"))
    assert all(list(shipping.store.scan(table.name)) for table in TABLES)


@pytest.mark.parametrize("refused_first", [True, False])
def test_a_refusal_that_was_asked_for_is_final_unless_the_shipment_was_taken(refused_first: bool) -> None:
    """Whichever command comes first decides, and both get that one reply."""
    refusal = envelope_of(RefuseShipment(order_id="o-1"), source="saga", event_id="refuse", time=NOW)
    shipping = Shipping()
    for index, command in enumerate(
        [refusal, request("ship")] if refused_first else [request("ship"), refusal]
    ):
        shipping.hear(command, index)
    first, second = (reply.message() for reply in shipping.replies)
    assert first == second
    assert isinstance(first, ShipmentRefused if refused_first else OrderShipped)


def resolved(step: str = "ship_order", decision: str = "done") -> Envelope:
    """An operator's decision about the order."""
    decided = StepResolved(
        order_id="o-1", step=step, attempt=2, decision=decision, operator="ann", reason="sent by courier"
    )
    return envelope_of(decided, source="operators", event_id=f"{step} {decision}", time=NOW)


def test_a_shipment_by_hand_is_not_made_again() -> None:
    """Shipping hears of it in the stream, says that the parcel has left, and takes later requests as done."""
    shipping = Shipping()
    shipping.hear(resolved())
    assert [reply.type for reply in shipping.replies] == ["ParcelHandedOver"]
    shipping.hear(request("late", attempt=3), 2)
    assert shipping.replies[1].message() == OrderShipped(order_id="o-1", shipment_id="by-hand")


@pytest.mark.parametrize("other", [resolved("capture_payment"), resolved("ship_order", "refuse")])
def test_other_decisions_are_none_of_shipping_s(other: Envelope) -> None:
    """A refund by hand ships nothing, and a refusal comes as a command."""
    shipping = Shipping()
    shipping.hear(other)
    shipping.hear(request("first"), 2)
    assert shipping.replies[0].message().shipment_id != "by-hand"


def test_a_second_parcel_is_an_alarm(caplog: pytest.LogCaptureFixture) -> None:
    """Where shipping had taken the order already, its record stays and a person has to hear of it."""
    shipping = Shipping()
    shipping.hear(request("first"))
    with caplog.at_level(logging.ERROR):
        shipping.hear(resolved(), 2)
    assert "shipped by hand" in caplog.text
    shipping.hear(request("second", attempt=3), 3)
    assert len({reply.message() for reply in shipping.replies}) == 1
