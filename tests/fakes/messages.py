"""Messages in envelopes, as if a conversation were under way: commands come from the saga."""

import datetime as dt

import msgspec

from orderstream.messages import Command, Envelope, Event, Message, Reply, following, initial
from orderstream_orders.contracts import OrderCancellationRequested


def envelope_of(
    message: Message,
    *,
    source: str,
    event_id: str,
    time: dt.datetime,
    conversation_id: str | None = None,
    correlation_id: str | None = None,
    traceparent: str | None = None,
) -> Envelope:
    """Any message under an id of the test's choice, with all that a message of its kind must have."""
    if isinstance(message, Event) and message.outside:
        return initial(
            message,
            source=source,
            event_id=event_id,
            time=time,
            conversation_id=conversation_id,
            correlation_id=correlation_id,
            traceparent=traceparent,
        )
    begun = initial(
        OrderCancellationRequested(order_id=message.subject),
        source="orders",
        event_id=conversation_id or "begun",
        time=time,
        traceparent=traceparent,
    )
    follows = OrderCancellationRequested(order_id=message.subject)
    caused = following(begun, follows, source=source, ordinal=0, time=time)
    asked = isinstance(message, Command | Reply)
    return msgspec.structs.replace(
        caused,
        id=event_id,
        type=message.type_name(),
        dataschema=message.schema_uri(),
        data=msgspec.Raw(msgspec.json.encode(message)),
        correlation_id=correlation_id or ("step:1" if asked else None),
        reply_to="saga" if isinstance(message, Command) else None,
        recipient="saga" if isinstance(message, Reply) else None,
    )
