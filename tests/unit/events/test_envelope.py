"""The envelope: what goes into the stream, and what is refused when it comes out."""

import datetime as dt
import json
from typing import Any

import pytest

from orderstream.messages import NotAnEventError, decode_envelope, derived_id, initial, replying, requesting
from orderstream.messages.envelope import Envelope
from orderstream_orders.contracts import (
    Command,
    OrderCancellationRequested,
    OrderShipped,
    ReleaseStock,
    ShipmentRefused,
    ShipOrder,
    StockReleased,
)

NOW = dt.datetime(2010, 12, 1, 8, 26, tzinfo=dt.UTC)


def opening() -> Envelope:
    message = OrderCancellationRequested(order_id="o-1")
    return initial(message, source="orders", event_id="e-1", time=NOW, traceparent="00-abc-def-01")


def command() -> Envelope:
    return asked(ReleaseStock(order_id="o-1"))


def asked(message: Command) -> Envelope:
    return requesting(
        opening(),
        message,
        source="saga",
        ordinal=3,
        time=NOW,
        correlation_id="reserve_stock:1",
        reply_to="saga",
    )


def written(envelope: Envelope) -> dict[str, Any]:
    fields: dict[str, Any] = json.loads(envelope.encode())
    return fields


def test_an_envelope_is_written_as_cloudevents_names_it() -> None:
    """Attribute names are lower case without separators, and absent attributes are left out."""
    assert written(command()) == {
        "specversion": "1.0",
        "id": derived_id("saga", "e-1", 3),
        "source": "saga",
        "type": "inventory.ReleaseStock",
        "subject": "o-1",
        "time": "2010-12-01T08:26:00Z",
        "datacontenttype": "application/json",
        "dataschema": "urn:orderstream:schema:inventory.ReleaseStock:1",
        "conversationid": "e-1",
        "correlationid": "reserve_stock:1",
        "causationid": "e-1",
        "replyto": "saga",
        "traceparent": "00-abc-def-01",
        "data": {"order_id": "o-1"},
    }
    assert "replyto" not in written(opening())


def test_the_initial_event_makes_the_conversation() -> None:
    """The first event's id names the conversation, unless it joins one; nothing caused it."""
    assert opening().conversation_id == "e-1"
    assert opening().causation_id is None
    message = OrderCancellationRequested(order_id="o-1")
    joined = initial(message, source="orders", event_id="e-2", time=NOW, conversation_id="e-1")
    assert joined.conversation_id == "e-1"


def test_a_reply_stays_in_the_conversation_under_the_command_s_correlation_id() -> None:
    """Conversation, correlation and trace are copied, the cause is the command, no reply is asked for."""
    reply = replying(command(), StockReleased(order_id="o-1"), source="inventory", time=NOW)
    assert reply.conversation_id == "e-1"
    assert reply.correlation_id == "reserve_stock:1"
    assert reply.causation_id == command().id
    assert reply.traceparent == "00-abc-def-01"
    assert reply.reply_to is None
    assert reply.recipient == "saga"


def test_two_different_decisions_on_one_cause_share_their_id() -> None:
    """The type is not part of the id: of a success and a refusal of the same command only one can pass."""
    taken, refused = (
        replying(asked(ShipOrder(order_id="o-1", country=None, units=1)), reply, source="shipping", time=NOW)
        for reply in (
            OrderShipped(order_id="o-1", shipment_id="s"),
            ShipmentRefused(order_id="o-1", reason="destination_not_served"),
        )
    )
    assert taken.id == refused.id


def test_decoding_gives_back_what_was_encoded() -> None:
    """An envelope survives the stream, and so does its message."""
    decoded = decode_envelope(command().encode())
    assert decoded == command()
    assert decoded.message() == ReleaseStock(order_id="o-1")


def test_encoding_is_stable() -> None:
    """Decoded and encoded again, the bytes are the same: stored outputs can be sent again as they were."""
    assert decode_envelope(command().encode()).encode() == command().encode()


def test_unknown_attributes_and_fields_are_ignored() -> None:
    """A newer publisher may add extensions to the envelope and fields to the data."""
    fields = written(command())
    fields["tenant"] = "north"
    fields["data"]["priority"] = {"level": 1}
    assert decode_envelope(json.dumps(fields).encode()).message() == ReleaseStock(order_id="o-1")


@pytest.mark.parametrize(
    "data",
    [b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"specversion": "1.0"}', b'{"specversion": "0.3"}'],
    ids=["empty", "cut", "list", "null", "not text", "no id", "another version"],
)
def test_what_is_no_envelope_is_refused(data: bytes) -> None:
    """Bytes that are no CloudEvents 1.0 envelope raise one typed error, with its reason."""
    with pytest.raises(NotAnEventError) as caught:
        decode_envelope(data)
    assert caught.value.reason
    assert not caught.value.retryable


@pytest.mark.parametrize("name", ["id", "source", "type", "subject", "time", "dataschema", "conversationid"])
def test_an_envelope_without_a_required_attribute_is_refused(name: str) -> None:
    """The error names the attribute that is missing."""
    fields = written(command())
    del fields[name]
    with pytest.raises(NotAnEventError, match=name):
        decode_envelope(json.dumps(fields).encode())


def test_a_subject_that_is_not_the_order_of_its_data_is_refused() -> None:
    """Partition key and data speak of one order, or the sequence of the wrong one would be kept."""
    fields = written(command())
    fields["subject"] = "o-2"
    with pytest.raises(NotAnEventError, match="o-2"):
        decode_envelope(json.dumps(fields).encode()).message()
