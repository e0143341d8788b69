"""A data-processing service: one function for a command, its replies, a second try, then a dead letter."""

from typing import ClassVar

import pytest

from orderstream.configuration import ConfigError
from orderstream.errors import DependencyError
from orderstream.messages import Command, Reply, UnknownMessageTypeError, derived_id, register
from orderstream_consumer import CommandService
from orderstream_consumer.idempotency import CollectingPublisher, Publisher
from orderstream_consumer.testing import CommandFixture, CommandParkedError


@register
class LabelPrinted(Reply, frozen=True, kw_only=True):
    """Success."""

    owner: ClassVar[str] = "labels"
    consumers: ClassVar[tuple[str, ...]] = ("desk",)
    subject_field: ClassVar[str] = "parcel"

    parcel: str
    text: str


@register
class LabelRefused(Reply, frozen=True, kw_only=True):
    """An expected error."""

    owner: ClassVar[str] = "labels"
    consumers: ClassVar[tuple[str, ...]] = ("desk",)
    subject_field: ClassVar[str] = "parcel"

    parcel: str
    reason: str


@register
class PrintLabel(Command, frozen=True, kw_only=True):
    """Everything that is needed is in it."""

    owner: ClassVar[str] = "labels"
    consumers: ClassVar[tuple[str, ...]] = ("labels",)
    success: ClassVar[tuple[type[Reply], ...]] = (LabelPrinted,)
    refusals: ClassVar[tuple[type[Reply], ...]] = (LabelRefused,)
    subject_field: ClassVar[str] = "parcel"

    parcel: str
    address: str


@register
class BurnLabel(Command, frozen=True, kw_only=True):
    """A command that nobody has written a function for."""

    owner: ClassVar[str] = "labels"
    consumers: ClassVar[tuple[str, ...]] = ("labels",)
    success: ClassVar[tuple[type[Reply], ...]] = (LabelPrinted,)
    subject_field: ClassVar[str] = "parcel"

    parcel: str


class Printer:
    """Prints labels, fails as often as it is told, and counts its calls."""

    def __init__(self, *failures: Exception) -> None:
        self.failures = list(failures)
        self.calls = 0

    def service(self, publisher: Publisher) -> CommandService:
        labels = CommandService("labels", publisher=publisher)

        @labels.carries_out(PrintLabel)
        def print_label(command: PrintLabel) -> LabelPrinted | LabelRefused:
            self.calls += 1
            if self.failures:
                raise self.failures.pop(0)
            if not command.address:
                return LabelRefused(parcel=command.parcel, reason="no_address")
            return LabelPrinted(parcel=command.parcel, text=command.address.upper())

        return labels


def test_success_and_expected_errors_are_replies() -> None:
    """To the sender, under its correlation id, in the conversation of the command."""
    labels = CommandFixture(Printer().service)
    printed = labels.send(PrintLabel(parcel="p-1", address="Bath"), correlation_id="print:7")
    assert printed == LabelPrinted(parcel="p-1", text="BATH")
    assert labels.send(PrintLabel(parcel="p-2", address="")) == LabelRefused(
        parcel="p-2", reason="no_address"
    )
    first, second = labels.replies
    assert (first.recipient, first.correlation_id, first.causation_id) == ("desk", "print:7", "command-1")
    assert (first.source, first.subject, second.subject) == ("labels", "p-1", "p-2")


def test_an_unexpected_error_is_tried_once_more() -> None:
    """What passes by itself costs no person a thought."""
    printer = Printer(ValueError("ink"))
    labels = CommandFixture(printer.service)
    assert labels.send(PrintLabel(parcel="p-1", address="Bath")) == LabelPrinted(parcel="p-1", text="BATH")
    assert printer.calls == 2


def test_an_error_that_stays_is_parked_with_its_reason() -> None:
    """After two tries; no reply goes out, and the commands of other keys are carried out."""
    printer = Printer(ValueError("ink"), ValueError("no ink"))
    labels = CommandFixture(printer.service)
    with pytest.raises(CommandParkedError, match="ValueError: no ink"):
        labels.send(PrintLabel(parcel="p-1", address="Bath"))
    assert (printer.calls, labels.replies) == (2, [])
    assert isinstance(labels.send(PrintLabel(parcel="p-2", address="Bath")), LabelPrinted)


def test_an_outage_is_no_error_of_the_command() -> None:
    """The function is called until what it needs responds; nothing is parked."""
    printer = Printer(*(DependencyError("printer", "Print", "off") for _ in range(5)))
    assert isinstance(CommandFixture(printer.service).send(PrintLabel(parcel="p", address="B")), LabelPrinted)
    assert printer.calls == 6


def test_a_command_that_comes_again_has_the_same_reply_byte_for_byte() -> None:
    """The service remembers nothing: id and time of the reply follow from the command."""
    labels = CommandFixture(Printer().service)
    labels.send(PrintLabel(parcel="p-1", address="Bath"))
    labels.redeliver()
    first, again = labels.replies
    assert first == again
    assert first.id == derived_id("labels", "command-1", 0)


def test_a_reply_that_the_command_does_not_name_is_a_defect() -> None:
    """It is parked, never published."""

    def service(publisher: Publisher) -> CommandService:
        labels = CommandService("labels", publisher=publisher)
        labels.carries_out(BurnLabel)(lambda command: LabelRefused(parcel=command.parcel, reason="fire"))
        return labels

    with pytest.raises(CommandParkedError, match="names no such reply"):
        CommandFixture(service).send(BurnLabel(parcel="p-1"))


def test_a_command_without_a_function_is_parked() -> None:
    """It is addressed to this service: passed over, its sender would wait for nothing."""
    with pytest.raises(CommandParkedError, match=UnknownMessageTypeError.__name__):
        CommandFixture(Printer().service).send(BurnLabel(parcel="p-1"))


def test_a_command_has_one_function_of_its_owner() -> None:
    """Another service's command, and a second function, are refused at the start."""
    labels = Printer().service(CollectingPublisher())
    with pytest.raises(ConfigError, match="no other function"):
        labels.carries_out(PrintLabel)
    with pytest.raises(ConfigError, match="'stamps' owns"):
        CommandService("stamps", publisher=CollectingPublisher()).carries_out(PrintLabel)
    assert list(labels.routes()) == ["labels.PrintLabel"]
