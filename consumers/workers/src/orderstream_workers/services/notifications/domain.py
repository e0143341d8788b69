"""What a customer is notified of, once: how the order ended, and each thing that becomes of its parcel.

::

    (none) ──news, with an address──> PENDING ──the mail was accepted──> SENT
      └──────news for a guest────────────────────────────────────────────> NO_ADDRESS

SENT and NO_ADDRESS are final: an order has one outcome, its parcel is handed over once, and so on. Each is
one notice, and the customer is notified of it once.
"""

from enum import Enum
from typing import Final, Literal, get_args

import msgspec

from orderstream_orders.contracts import (
    CustomerNotified,
    OrderCancelled,
    OrderConfirmed,
    ParcelDelivered,
    ParcelHandedOver,
    ParcelReturned,
)
from orderstream_orders.currency import spelled

OrderOutcome = OrderConfirmed | OrderCancelled
"""How an order ends: of one of the two its customer is notified."""

ParcelNews = ParcelHandedOver | ParcelDelivered | ParcelReturned
"""What becomes of its parcel: of each the customer is notified."""

News = OrderOutcome | ParcelNews
"""The events that a customer is notified of."""

NEWS: Final[tuple[type[News], ...]] = get_args(News)


class Phase(Enum):
    """The phase of a notification."""

    PENDING = "pending"
    SENT = "sent"
    NO_ADDRESS = "no_address"


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of one notification. It holds no address.

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


def key_of(news: News) -> str:
    """The key of a notice: an order has one outcome, and one piece of news of each kind of its parcel."""
    return news.order_id if isinstance(news, OrderOutcome) else f"{news.order_id}#{news.type_name()}"


def expected(news: News, event_id: str, record_id: str) -> Notice:
    """The notice to write down before anything is sent."""
    phase = Phase.PENDING if news.customer.email else Phase.NO_ADDRESS
    return Notice(phase=phase, about=news.type_name(), event_id=event_id, record_id=record_id)


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


def mail_about(news: News) -> Mail | None:
    """The mail about an event; None for a guest."""
    recipient = news.customer.email
    if not recipient:
        return None
    subject, body = _said(news)
    return Mail(recipient=recipient, subject=subject, body=body)


def _said(news: News) -> tuple[str, str]:
    """Subject and body."""
    order = news.order_id
    match news:
        case OrderConfirmed():
            total = spelled(news.total_minor, news.currency)
            return (
                f"Your order {order} is confirmed",
                f"Your order {order} is confirmed and on its way.\nWe have charged {total}.\n",
            )
        case OrderCancelled():
            return (
                f"Your order {order} is cancelled",
                (
                    f"Your order {order} is cancelled: {news.reason.replace('_', ' ')}.\n"
                    "Nothing stays charged; what had been charged has been given back.\n"
                ),
            )
        case ParcelHandedOver():
            said = "has left: the carrier has it"
        case ParcelDelivered():
            said = "has been delivered"
        case ParcelReturned():
            said = "has come back to us"
    return f"The parcel of your order {order} {said}", f"The parcel of your order {order} {said}.\n"
