"""Who may say what: conversations begin outside the stream, commands have senders, replies have commands."""

import datetime as dt
from typing import Any

import msgspec
import pytest

from fakes.messages import envelope_of
from orderstream import EventPublisher
from orderstream.messages import (
    CommandWithoutSenderError,
    ConversationBegunError,
    Envelope,
    Message,
    ReplyWithoutCommandError,
    check_conversation,
    following,
    initial,
    replying,
    requesting,
)
from orderstream_orders.catalogue.examples import example_of
from orderstream_orders.contracts import (
    MESSAGE_TYPES,
    Command,
    OrderConfirmed,
    OrderShipped,
    ReleaseStock,
    Reply,
    ShipOrder,
    StockRejected,
    StockReleased,
)

NOW = dt.datetime(2010, 12, 1, 8, 26, tzinfo=dt.UTC)
RELEASE = envelope_of(ReleaseStock(order_id="o-1"), source="saga", event_id="release", time=NOW)
RELEASED = StockReleased(order_id="o-1")
INSIDE = [kind for kind in MESSAGE_TYPES if not getattr(kind, "outside", False)]


def example(kind: type[Message]) -> Any:
    return example_of(kind).message()


def without(envelope: Envelope, **attributes: str | None) -> Envelope:
    return msgspec.structs.replace(envelope, **attributes)


@pytest.mark.parametrize("kind", INSIDE, ids=lambda kind: kind.__name__)
def test_only_what_happens_outside_the_stream_begins_a_conversation(kind: type[Message]) -> None:
    """No command, no reply, no event that follows from another message; neither written nor read."""
    with pytest.raises(ConversationBegunError, match=kind.__name__):
        initial(example(kind), source=kind.owner, event_id="e-1", time=NOW)
    with pytest.raises(ConversationBegunError, match=kind.__name__):
        check_conversation(without(example_of(kind), causation_id=None))


def test_a_command_or_reply_cannot_go_out_as_an_event() -> None:
    """It would have no reply address, or no command."""
    with pytest.raises(CommandWithoutSenderError):
        following(RELEASE, ReleaseStock(order_id="o-1"), source="saga", ordinal=0, time=NOW)  # type: ignore[arg-type]
    with pytest.raises(ReplyWithoutCommandError, match="no command was named"):
        following(RELEASE, RELEASED, source="inventory", ordinal=0, time=NOW)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "reply", [StockRejected(order_id="o-1", reason="r"), OrderShipped(order_id="o-1", shipment_id="s")]
)
def test_a_command_has_no_reply_but_those_that_it_names(reply: Reply) -> None:
    """Whether it is another's of the same owner, or of another owner."""
    with pytest.raises(ReplyWithoutCommandError, match="ReleaseStock names no such reply"):
        replying(RELEASE, reply, source="inventory", time=NOW)


def test_an_event_has_no_reply() -> None:
    """Only commands are answered."""
    confirmed = example_of(OrderConfirmed)
    with pytest.raises(ReplyWithoutCommandError, match="OrderConfirmed is no command"):
        replying(confirmed, RELEASED, source="inventory", time=NOW)


@pytest.mark.parametrize("lacking", [{"reply_to": None}, {"reply_to": "nobody"}, {"correlation_id": None}])
def test_a_command_whose_reply_would_reach_nobody_is_refused(lacking: dict[str, str | None]) -> None:
    """Where it is sent, where it is read, and where it is answered."""
    cause, stray = example_of(OrderConfirmed), without(RELEASE, **lacking)
    to = {"correlation_id": "a:1", "reply_to": "saga"} | {name: text or "" for name, text in lacking.items()}
    with pytest.raises(CommandWithoutSenderError):
        requesting(cause, ReleaseStock(order_id="o-1"), source="saga", ordinal=0, time=NOW, **to)
    with pytest.raises(CommandWithoutSenderError):
        check_conversation(stray)
    with pytest.raises(CommandWithoutSenderError):
        replying(stray, RELEASED, source="inventory", time=NOW)


@pytest.mark.parametrize("lacking", [{"recipient": "nobody"}, {"correlation_id": None}])
def test_a_reply_for_nobody_is_refused(lacking: dict[str, str | None]) -> None:
    """Its recipient acts on no such reply, or nothing says what it answers."""
    with pytest.raises(ReplyWithoutCommandError, match=r"recipient|correlationid"):
        check_conversation(without(replying(RELEASE, RELEASED, source="inventory", time=NOW), **lacking))


def test_a_reply_of_an_earlier_version_is_read() -> None:
    """It names no recipient."""
    check_conversation(without(replying(RELEASE, RELEASED, source="inventory", time=NOW), recipient=None))


def test_the_publisher_refuses_what_was_made_past_the_contract() -> None:
    """An envelope that somebody wrote by hand does not leave the service; nothing is put."""
    publisher = EventPublisher(None, source="inventory")  # type: ignore[arg-type]
    stray = without(replying(RELEASE, RELEASED, source="inventory", time=NOW), correlation_id=None)
    with pytest.raises(ReplyWithoutCommandError):
        publisher.publish_envelope(stray)
    with pytest.raises(ConversationBegunError):
        publisher.publish(ShipOrder(order_id="o-1", country=None, units=1))  # type: ignore[arg-type]


def test_each_reply_is_named_by_a_command_of_its_owner() -> None:
    """A reply that no command names could never be sent; a command without one would wait for nothing."""
    commands = [kind for kind in MESSAGE_TYPES if issubclass(kind, Command)]
    assert all(command.success for command in commands)
    named = {(reply, command.owner) for command in commands for reply in command.replies()}
    assert named == {(kind, kind.owner) for kind in MESSAGE_TYPES if issubclass(kind, Reply)}
