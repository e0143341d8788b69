"""One order's notification: sent once, or known to have no recipient.

::

    (none) ──outcome, with an address──> PENDING ──the mail was accepted──> SENT
      └──────outcome of a guest────────────────────────────────────────────> NO_ADDRESS

SENT and NO_ADDRESS are final: an order has one outcome, and the customer is notified once.
"""

from enum import Enum
from typing import Literal

import msgspec

from orderstream_orders.contracts import CustomerNotified, OrderCancelled, OrderConfirmed
from orderstream_orders.currency import spelled

OrderOutcome = OrderConfirmed | OrderCancelled
"""The events that a customer is notified of."""


class Phase(Enum):
    """The phase of a notification."""

    PENDING = "pending"
    SENT = "sent"
    NO_ADDRESS = "no_address"


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of one order's notification. It holds no address.

    Attributes:
        phase: Its phase.
        about: The type of the event that it reports.
        event_id: The id of that event.
        record_id: The record that the event was first read from.
    """

    phase: Phase
    about: str
    event_id: str
    record_id: str


class Mail(msgspec.Struct, frozen=True, kw_only=True):
    """A mail to one customer.

    Attributes:
        recipient: The customer's address.
        subject: One line.
        body: Plain text.
    """

    recipient: str
    subject: str
    body: str


def expected(outcome: OrderOutcome, event_id: str, record_id: str) -> Notice:
    """The notice to write down before anything is sent."""
    phase = Phase.PENDING if outcome.customer.email else Phase.NO_ADDRESS
    return Notice(phase=phase, about=outcome.type_name(), event_id=event_id, record_id=record_id)


def to_send(notice: Notice, event_id: str, record_id: str) -> bool:
    """Whether this delivery is the one that sends.

    Only the record that wrote the intent goes on from it: a copy of the event elsewhere in the stream, read
    while the first is being worked on, does not send a second mail.
    """
    return notice.phase is Phase.PENDING and (notice.event_id, notice.record_id) == (event_id, record_id)


def concluded(notice: Notice, order_id: str) -> tuple[Notice, CustomerNotified]:
    """The notice once its mail was accepted, or where there is no recipient; and the event that says so."""
    outcome: Literal["sent", "no_address"] = "no_address" if notice.phase is Phase.NO_ADDRESS else "sent"
    final = msgspec.structs.replace(notice, phase=Phase(outcome))
    return final, CustomerNotified(order_id=order_id, about=notice.about, outcome=outcome)


def mail_about(outcome: OrderOutcome) -> Mail | None:
    """The mail about an outcome; None for a guest."""
    recipient = outcome.customer.email
    if not recipient:
        return None
    order = outcome.order_id
    if isinstance(outcome, OrderConfirmed):
        total = spelled(outcome.total_minor, outcome.currency)
        return Mail(
            recipient=recipient,
            subject=f"Your order {order} is confirmed",
            body=f"Your order {order} is confirmed and on its way.\nWe have charged {total}.\n",
        )
    return Mail(
        recipient=recipient,
        subject=f"Your order {order} is cancelled",
        body=(
            f"Your order {order} is cancelled: {outcome.reason.replace('_', ' ')}.\n"
            "Nothing stays charged; what had been charged has been given back.\n"
        ),
    )
