"""The customer hears the outcome once, whatever happens on the way; one narrow window is known."""

import pytest

from fakes.mailer import MemoryMailer
from fakes.payments import CrashedError, Outbox, TickingClock, received
from orderstream.errors import DependencyError
from orderstream_consumer.testing import Fault, MemoryStore
from orderstream_orders.contracts import (
    Customer,
    CustomerNotified,
    OrderCancelled,
    OrderConfirmed,
    ParcelDelivered,
    ParcelHandedOver,
    ParcelReturned,
)
from orderstream_workers.services.notifications import Mail, NotificationHandlers
from orderstream_workers.services.notifications.domain import mail_about

JANE = Customer(customer_id="17850", email="jane@example.com")
SENT = CustomerNotified(order_id="o-1", about="OrderConfirmed", outcome="sent")


def confirmed(customer: Customer = JANE) -> OrderConfirmed:
    return OrderConfirmed(order_id="o-1", customer=customer, total_minor=1230, currency="GBP")


def cancelled() -> OrderCancelled:
    return OrderCancelled(order_id="o-1", customer=JANE, reason="out_of_stock", failed_step="inventory")


class FaultyMailer(MemoryMailer):
    """A mailer whose next call goes wrong, before or after the mail was accepted."""

    fault: str | None = None

    def send(self, mail: Mail) -> None:
        fault, self.fault = self.fault, None
        if fault == "before":
            raise DependencyError("ses", "SendEmail", "Throttling")
        super().send(mail)
        if fault == "crash":
            raise CrashedError


class World:
    def __init__(self) -> None:
        self.faults: list[Fault | None] = []
        self.store = MemoryStore(lambda _, writes: self.faults.pop(0) if writes and self.faults else None)
        self.outbox = Outbox()
        self.mailer = FaultyMailer()
        self.handlers = NotificationHandlers(
            store=self.store, publisher=self.outbox, mailer=self.mailer, clock=TickingClock()
        )

    def deliver(self, message, position: int = 1) -> None:
        delivery = received(message, position)
        self.handlers.routes()[delivery.envelope.type](delivery)


def test_a_confirmation_is_mailed_and_told() -> None:
    """One mail to the customer's address, one event behind it."""
    world = World()
    world.deliver(confirmed())
    (mail,) = world.mailer.sent
    assert mail.recipient == "jane@example.com"
    assert mail.subject == "Your order o-1 is confirmed"
    assert "12.30 GBP" in mail.body
    assert world.outbox.messages() == [SENT]


def test_a_cancellation_says_why() -> None:
    """The mail names the order, the outcome and the reason, and that nothing stays charged."""
    mail = mail_about(cancelled())
    assert mail is not None
    assert mail.subject == "Your order o-1 is cancelled"
    assert "out of stock" in mail.body
    assert "Nothing stays charged" in mail.body


def test_a_guest_has_no_address() -> None:
    """Nothing is sent, and the event says so."""
    world = World()
    world.deliver(confirmed(Customer()))
    assert world.mailer.sent == []
    assert world.outbox.messages() == [
        CustomerNotified(order_id="o-1", about="OrderConfirmed", outcome="no_address")
    ]


def test_redelivery_and_copies_send_no_second_mail() -> None:
    """The same record publishes the same bytes again; a copy elsewhere in the stream is dropped."""
    world = World()
    for position in (1, 1, 2):
        world.deliver(confirmed(), position)
    assert len(world.mailer.sent) == 1
    first, second = world.outbox.published
    assert first == second


def test_an_outage_of_the_mail_service_is_retried() -> None:
    """Nothing is told before the mail was accepted."""
    world = World()
    world.mailer.fault = "before"
    with pytest.raises(DependencyError):
        world.deliver(confirmed())
    assert world.outbox.published == []
    world.deliver(confirmed())
    assert len(world.mailer.sent) == 1
    assert world.outbox.messages() == [SENT]


def test_a_copy_does_not_send_while_the_first_is_being_told() -> None:
    """The intent belongs to the record that wrote it, which is its own retry."""
    world = World()
    world.mailer.fault = "before"
    with pytest.raises(DependencyError):
        world.deliver(confirmed(), 1)
    world.deliver(confirmed(), 2)
    assert world.mailer.sent == []
    assert world.outbox.published == []
    world.deliver(confirmed(), 1)
    assert len(world.mailer.sent) == 1


def test_a_crash_between_acceptance_and_record_repeats_the_mail() -> None:
    """The one known window: the customer hears the outcome twice, never not at all."""
    world = World()
    world.mailer.fault = "crash"
    with pytest.raises(CrashedError):
        world.deliver(confirmed())
    world.deliver(confirmed())
    assert len(world.mailer.sent) == 2
    assert world.outbox.messages() == [SENT]


@pytest.mark.parametrize("fault", [Fault.BEFORE, Fault.AFTER])
def test_a_lost_intent_sends_nothing_yet(fault: Fault) -> None:
    """Whether the intent was written is unknown: the redelivery reads it and sends once."""
    world = World()
    world.faults = [fault]
    with pytest.raises(DependencyError):
        world.deliver(confirmed())
    assert world.mailer.sent == []
    world.deliver(confirmed())
    assert len(world.mailer.sent) == 1


def test_a_lost_record_does_not_lose_the_event() -> None:
    """The acknowledgement of the record gets lost: the redelivery finds it and publishes what is stored."""
    world = World()
    world.faults = [None, Fault.AFTER]
    with pytest.raises(DependencyError):
        world.deliver(confirmed())
    world.deliver(confirmed())
    assert len(world.mailer.sent) == 1
    assert world.outbox.messages() == [SENT]


def test_an_outage_of_the_record_does_not_repeat_the_mail() -> None:
    """A table that is read and not written is tried again and again: the customer hears the outcome once."""
    world = World()
    world.faults = [None, *[Fault.BEFORE] * 5]
    for _ in range(5):
        with pytest.raises(DependencyError):
            world.deliver(confirmed())
    world.deliver(confirmed())
    assert len(world.mailer.sent) == 1
    assert world.outbox.messages() == [SENT]


def test_the_notice_keeps_no_address() -> None:
    """Personal data stays in the stream: the table does not hold it."""
    world = World()
    world.deliver(confirmed())
    assert all(b"jane" not in bytes(item.attributes["state"]) for item in world.store.scan("notices"))


def test_each_thing_that_becomes_of_the_parcel_is_mailed_once() -> None:
    """Beside the outcome, whichever is read first; a copy elsewhere in the stream sends nothing."""
    world = World()
    news = [
        kind(order_id="o-1", shipment_id="sh_1", customer=JANE)
        for kind in (ParcelHandedOver, ParcelDelivered, ParcelReturned)
    ]
    for position, message in enumerate([*news, confirmed(), *news]):
        world.deliver(message, position)
    assert [mail.subject for mail in world.mailer.sent] == [
        "The parcel of your order o-1 has left: the carrier has it",
        "The parcel of your order o-1 has been delivered",
        "The parcel of your order o-1 has come back to us",
        "Your order o-1 is confirmed",
    ]
    told = {message.about for message in world.outbox.messages()}
    assert told == {"ParcelHandedOver", "ParcelDelivered", "ParcelReturned", "OrderConfirmed"}
