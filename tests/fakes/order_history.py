"""Messages of one order, as they come out of the stream."""

import datetime as dt

from fakes import messages
from orderstream.messages import Envelope, Message
from orderstream_orders.contracts import Customer, OrderLine, OrderPlaced

AT = dt.datetime(2026, 1, 1, 12, tzinfo=dt.UTC)


def placed(order_id: str) -> OrderPlaced:
    return OrderPlaced(
        order_id=order_id,
        customer=Customer(customer_id="17850", email="someone@example.com"),
        country="France",
        lines=(OrderLine(sku="85123A", quantity=1, unit_price="2.50", total_minor=250),),
        total_minor=250,
        currency="GBP",
    )


def envelope_of(
    message: Message,
    *,
    event_id: str | None = None,
    time: dt.datetime = AT,
    conversation_id: str = "conversation",
) -> Envelope:
    return messages.envelope_of(
        message,
        source=message.owner,
        event_id=event_id or f"{message.subject}:{message.type_name()}",
        time=time,
        conversation_id=conversation_id,
    )
