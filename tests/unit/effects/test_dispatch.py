"""Dispatch: each type to its route, other types passed over, what is no event to the dead letters."""

import datetime as dt
from typing import ClassVar

import msgspec
import pytest

from fakes.engine import record_of
from fakes.messages import envelope_of
from orderstream.errors import DependencyError
from orderstream.messages import (
    CommandWithoutSenderError,
    ConversationBegunError,
    Envelope,
    IdentifierInvalidError,
    NotAnEventError,
    register,
    replying,
)
from orderstream_consumer.idempotency import MessageHandler, Received
from orderstream_consumer.processing.record import Position
from orderstream_orders.contracts import Command, OrderCancellationRequested, OrderShipped, Reply, ShipOrder

EVENT = envelope_of(
    ShipOrder(order_id="o-1", country=None, units=1),
    source="test",
    event_id="e-1",
    time=dt.datetime(2026, 1, 1, tzinfo=dt.UTC),
)


@register
class ParcelWeighed(Reply, frozen=True, kw_only=True):
    """A reply that two services act on."""

    owner: ClassVar[str] = "scales"
    consumers: ClassVar[tuple[str, ...]] = ("saga", "another")


@register
class WeighParcel(Command, frozen=True, kw_only=True):
    """Its command."""

    owner: ClassVar[str] = "scales"
    consumers: ClassVar[tuple[str, ...]] = ("scales",)
    success: ClassVar[tuple[type[Reply], ...]] = (ParcelWeighed,)


def test_a_message_reaches_its_route_with_its_record() -> None:
    """The route of a type gets the envelope, the shard and the position."""
    arrived: list[Received] = []
    handler = MessageHandler({ShipOrder.type_name(): arrived.append})
    handler.handle(record_of("o-1", 7, EVENT.encode()))
    assert [one.record_id for one in arrived] == ["shardId-000000000000/7/0"]
    assert arrived[0].subject == "o-1"
    assert arrived[0].position == Position(7)


def test_other_types_are_passed_over() -> None:
    """What a service has no route for is none of its business, known or not."""
    MessageHandler({}).handle(record_of("o-1", 1, EVENT.encode()))


@pytest.mark.parametrize("data", [b"not json", b"{}", b"\xff\xfe"])
def test_what_is_no_event_fails_by_itself(data: bytes) -> None:
    """Bytes that are no envelope raise a typed error that no retry can help."""
    with pytest.raises(NotAnEventError) as caught:
        MessageHandler({}).handle(record_of("o-1", 1, data))
    assert not caught.value.retryable


def test_only_what_is_named_overtakes() -> None:
    """A service names what may pass parked records; nothing else does, and what is no event never does."""
    named = MessageHandler({}, overtaking=(ShipOrder,))
    assert named.overtakes(record_of("o-1", 1, EVENT.encode()))
    assert not MessageHandler({}).overtakes(record_of("o-1", 1, EVENT.encode()))
    assert not named.overtakes(record_of("o-1", 1, b"no event"))


CANCELLATION = OrderCancellationRequested.type_name()


def asked_to_cancel(order_id: str) -> Envelope:
    """An event that begins a conversation."""
    event = OrderCancellationRequested(order_id=order_id)
    return envelope_of(event, source="test", event_id="e-1", time=EVENT.time)


@pytest.mark.parametrize("order_id", ["o\x01", "\u200bo-1", " o-1", "o-1\n", "\U0001f600" * 200])
def test_an_order_that_no_neighbour_can_carry_fails_at_the_door(order_id: str) -> None:
    """It is parked with its reason before anything is done for it, instead of stalling a shard later."""
    event = asked_to_cancel(order_id)
    arrived: list[Received] = []
    with pytest.raises(IdentifierInvalidError, match="subject") as caught:
        MessageHandler({CANCELLATION: arrived.append}).handle(record_of("o-1", 1, event.encode()))
    assert not caught.value.retryable
    assert arrived == []
    MessageHandler({}).handle(record_of("o-1", 1, event.encode()))


def test_the_first_message_of_an_order_that_was_taken_before_the_rule_may_come_again() -> None:
    """Its effects are done: parked, it would hold back all that is still to come of the order."""
    placed = asked_to_cancel("o\x01")
    arrived: list[Received] = []
    handler = MessageHandler({CANCELLATION: arrived.append}, is_known=lambda order: order == "o\x01")
    handler.handle(record_of("o", 1, placed.encode()))
    assert [one.subject for one in arrived] == ["o\x01"]


def test_whether_an_order_is_known_is_asked_only_where_it_matters() -> None:
    """A read of the store for each message would be for nothing; its outage is no reason to park."""

    def away(_: str) -> bool:
        raise DependencyError("store", "GetItem", "no reply")

    arrived: list[Received] = []
    handler = MessageHandler({CANCELLATION: arrived.append}, is_known=away)
    handler.handle(record_of("o-1", 1, asked_to_cancel("o-1").encode()))
    assert len(arrived) == 1
    odd = asked_to_cancel("o\x01")
    with pytest.raises(DependencyError):
        handler.handle(record_of("o", 1, odd.encode()))


@pytest.mark.parametrize("broken", [{"causation_id": None}, {"reply_to": None}, {"correlation_id": None}])
def test_a_command_that_nobody_has_sent_fails_by_itself(broken: dict[str, None]) -> None:
    """It begins a conversation, or its reply would reach nobody: parked before anything is done for it."""
    stray = msgspec.structs.replace(EVENT, **broken).encode()
    arrived: list[Received] = []
    with pytest.raises((ConversationBegunError, CommandWithoutSenderError)) as caught:
        MessageHandler({ShipOrder.type_name(): arrived.append}).handle(record_of("o-1", 1, stray))
    assert not caught.value.retryable
    assert arrived == []


@pytest.mark.parametrize(("recipient", "given"), [("saga", 1), (None, 1), ("another", 0)])
def test_a_reply_reaches_the_service_that_it_is_for(recipient: str | None, given: int) -> None:
    """Others that act on such replies pass it over; an earlier version's names no recipient."""
    asked = envelope_of(WeighParcel(order_id="o-1"), source="saga", event_id="e-1", time=EVENT.time)
    weighed = replying(asked, ParcelWeighed(order_id="o-1"), source="scales", time=EVENT.time)
    record = record_of("o-1", 1, msgspec.structs.replace(weighed, recipient=recipient).encode())
    arrived: list[Received] = []
    MessageHandler({"ParcelWeighed": arrived.append}, address="saga").handle(record)
    assert len(arrived) == given


def test_an_order_that_was_taken_before_the_rule_comes_to_its_end() -> None:
    """Parked for good, with stock reserved and money charged, it could be moved by nobody."""
    shipped = envelope_of(
        OrderShipped(order_id="\u200bo-1", shipment_id="s"), source="s", event_id="e-2", time=EVENT.time
    )
    arrived: list[Received] = []
    handler = MessageHandler({OrderShipped.type_name(): arrived.append}, address="saga")
    handler.handle(record_of("o", 1, shipped.encode()))
    assert [one.subject for one in arrived] == ["\u200bo-1"]
