"""Rules that hold for every message: who owns it, what it is called, how a command ends."""

import pytest

from orderstream.messages import Message
from orderstream_orders.catalogue import example_of
from orderstream_orders.catalogue.schemas import described
from orderstream_orders.contracts import MESSAGE_TYPES, Command, Event, Reply, StockEvent, order_of

SERVICES = {"orders", "saga", "inventory", "payments", "shipping", "notifications", "stock-monitor"}
PUBLISHERS = {*SERVICES, "operators"}
"""People say things too, and are asked for nothing."""
REPLIES = {
    "inventory.ReserveStock": {"StockReserved", "StockRejected"},
    "inventory.ReleaseStock": {"StockReleased"},
    "payments.CapturePayment": {"PaymentCaptured", "PaymentDeclined"},
    "payments.RefundPayment": {"PaymentRefunded"},
    "shipping.ShipOrder": {"OrderShipped", "ShipmentRefused"},
    "shipping.RefuseShipment": {"OrderShipped", "ShipmentRefused"},
}
BY_NAME = {message_type.type_name(): message_type for message_type in MESSAGE_TYPES}

every_message = pytest.mark.parametrize("message_type", MESSAGE_TYPES, ids=lambda kind: kind.type_name())


@every_message
def test_every_message_is_owned_by_one_service(message_type: type[Message]) -> None:
    """Each message has one owner, and its consumers are services of the flow."""
    assert message_type.owner in PUBLISHERS
    assert set(message_type.consumers) <= SERVICES


@every_message
def test_a_command_is_addressed_to_its_owner(message_type: type[Message]) -> None:
    """Commands are named service.VerbObject and acted on by that service alone; events have a plain name."""
    if issubclass(message_type, Command):
        assert message_type.type_name() == f"{message_type.owner}.{message_type.__name__}"
        assert message_type.consumers == (message_type.owner,)
    else:
        assert issubclass(message_type, Event | Reply | StockEvent)
        assert message_type.type_name() == message_type.__name__


def test_every_command_ends_in_a_reply_of_its_owner() -> None:
    """For each command its owner has events that answer it, and the coordinator acts on each of them."""
    commands = {name for name, kind in BY_NAME.items() if kind.kind == "command"}
    assert set(REPLIES) == commands
    for command, replies in REPLIES.items():
        for reply in replies:
            assert BY_NAME[reply].owner == BY_NAME[command].owner
            assert BY_NAME[reply].consumers == ("saga",)


def test_answers_of_the_examples_are_answers_of_their_commands() -> None:
    """Where an example was caused by a command, it is one of that command's replies."""
    examples = [example_of(message_type) for message_type in MESSAGE_TYPES]
    commands = {envelope.id: envelope for envelope in examples if envelope.type in REPLIES}
    answered = [envelope for envelope in examples if envelope.causation_id in commands]
    assert len(answered) >= 5
    for envelope in answered:
        if envelope.source != "saga":
            command = commands[envelope.causation_id or ""]
            assert envelope.type in REPLIES[command.type]
            assert envelope.correlation_id == command.correlation_id


@every_message
def test_every_message_has_an_example_of_its_own(message_type: type[Message]) -> None:
    """The example is of that type, published by the right service, and can be read."""
    example = example_of(message_type)
    assert isinstance(example.message(), message_type)
    if message_type.kind == "command":
        assert example.reply_to == "saga"
    else:
        assert example.source == message_type.owner


@every_message
def test_every_field_of_a_message_is_described(message_type: type[Message]) -> None:
    """A field without a word in the docstring would stand in the catalogue without one."""
    own = set(message_type.__struct_fields__) - {message_type.subject_field}
    assert own <= set(described(message_type.__doc__)[1])


@every_message
def test_a_message_cannot_be_changed(message_type: type[Message]) -> None:
    """Messages are values."""
    with pytest.raises(AttributeError):
        example_of(message_type).message().order_id = "another"


@every_message
def test_a_message_is_about_an_order_or_a_sku(message_type: type[Message]) -> None:
    """The subject is the order id; an event about stock has its SKU there, and names no order."""
    example = example_of(message_type)
    assert example.subject == getattr(example.message(), message_type.subject_field)
    assert order_of(example) == (None if issubclass(message_type, StockEvent) else example.subject)
