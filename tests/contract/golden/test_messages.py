"""Today's code reads every message that version 1 wrote, and writes it as it was."""

import json
from collections import Counter
from typing import TYPE_CHECKING

import msgspec
import pytest

from e2e.running import INVOICES
from fakes.golden import books, events, messages, stream
from orderstream.messages import Envelope, check_conversation, decode_envelope, derived_id
from orderstream_orders.contracts import MESSAGE_TYPES, OrderPlaced, order_id_for, order_of
from orderstream_playground.demo.invoices import CALLER, read_invoices
from orderstream_workers.projections.order_status.status import project
from orderstream_workers.services.stock_monitor.change import read_change
from orderstream_workers.services.stock_monitor.detection import detect

if TYPE_CHECKING:
    from orderstream_workers.projections.order_status import OrderStatus

_MOST_OUTPUTS = 16


def _recorded() -> list[bytes]:
    return [*events("plain/orders"), *events("zstd/orders"), *messages()]


def test_every_type_is_there() -> None:
    """The recorded set leaves no message type out."""
    recorded = {decode_envelope(event).type for event in _recorded()}
    assert recorded >= {kind.type_name() for kind in MESSAGE_TYPES}


def test_each_message_is_decoded_and_encoded_as_it_was() -> None:
    """Nothing is lost, added or renamed: envelope and data come back member by member."""
    for event in _recorded():
        envelope = decode_envelope(event)
        assert json.loads(envelope.encode()) == json.loads(event)
        message = envelope.message()
        if envelope.dataschema == type(message).schema_uri():
            assert json.loads(msgspec.json.encode(message)) == json.loads(event)["data"]


def test_each_message_has_its_place_in_a_conversation() -> None:
    """No rule about who may say what refuses a message that was written before the rule."""
    for event in [*events("plain/orders"), *events("zstd/orders"), *messages()]:
        check_conversation(decode_envelope(event))


@pytest.mark.parametrize("name", ["plain/orders", "zstd/orders"])
def test_ids_are_derived_as_they_were(name: str) -> None:
    """An id follows from source, cause and ordinal; a change would make each redelivery a new message."""
    for event in events(name):
        envelope = decode_envelope(event)
        if envelope.causation_id is not None:
            candidates = {
                derived_id(envelope.source, envelope.causation_id, ordinal)
                for ordinal in range(_MOST_OUTPUTS)
            }
            assert envelope.id in candidates, envelope.type


def test_orders_have_the_ids_that_their_callers_keys_give() -> None:
    """The same request under the same key is the same order, across versions."""
    expected = {order_id_for(CALLER, invoice.number) for invoice in read_invoices(INVOICES, 10)}
    expected |= {order_id_for("golden", f"golden-{number}") for number in range(6)}
    placed = {
        envelope.subject
        for envelope in map(decode_envelope, events("plain/orders"))
        if isinstance(envelope.message(), OrderPlaced)
    }
    assert placed == expected == books()["orders"].keys()


def test_order_status_folds_to_the_same_endings() -> None:
    """The read model built anew from the stream says of each order what it said then."""
    orders: dict[str, OrderStatus] = {}
    for envelope in map(decode_envelope, events("plain/orders")):
        if order_of(envelope) is not None:
            orders[order_of(envelope)] = project(orders.get(order_of(envelope)), envelope, envelope.message())
    recorded = books()["orders"]
    assert orders.keys() == recorded.keys()
    for order_id, status in orders.items():
        ending = recorded[order_id]
        assert status.ended_at is not None
        assert (
            status.state,
            status.state_reason,
            status.total_minor,
            status.currency,
            status.ended_at.isoformat(),
        ) == tuple(ending[name] for name in ("state", "state_reason", "total_minor", "currency", "ended_at"))
    assert Counter(status.state_reason for status in orders.values()).keys() >= {
        None,
        "out_of_stock",
        "card_declined",
        "customer_request",
    }


@pytest.mark.parametrize("run", ["plain", "zstd"])
def test_the_same_changes_of_stock_count_as_low(run: str) -> None:
    """Each recorded change is read; those that crossed the threshold give the recorded events."""

    def essence(envelope: Envelope) -> tuple[str, bytes]:
        return envelope.id, bytes(envelope.data)

    crossed = {
        essence(event)
        for record in stream(f"{run}/stock")
        if (event := detect(read_change(record.data), 100)) is not None
    }
    recorded = {
        essence(envelope)
        for envelope in map(decode_envelope, events(f"{run}/orders"))
        if envelope.source == "stock-monitor"
    }
    assert crossed == recorded != set()
