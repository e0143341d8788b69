"""The services go on with the rows that version 1 wrote, and decide on its messages as it did."""

import datetime as dt
import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from fakes.golden import books, events, stream, tables
from fakes.payment_queue import MemoryPaymentQueue
from fakes.payments import Outbox
from orderstream.messages import Envelope, decode_envelope, derived_id
from orderstream_consumer.idempotency import MessageHandler, Received
from orderstream_consumer.testing import MemoryStore
from orderstream_workers.services.inventory import InventoryHandlers
from orderstream_workers.services.notifications import NotificationHandlers
from orderstream_workers.services.payments import PaymentHandlers
from orderstream_workers.services.saga import SagaHandlers
from orderstream_workers.services.saga.deadlines import SagaDeadlines
from orderstream_workers.services.saga.domain import Input, SagaOutcome, transition
from orderstream_workers.services.shipping import ShippingHandlers

if TYPE_CHECKING:
    from orderstream_workers.services.saga.state import Saga

LATER = dt.datetime(2026, 12, 24, tzinfo=dt.UTC)

Routes = Mapping[str, Callable[[Received], None]]


class SilentMailer:
    """Takes no mail: each of these customers was told."""

    def send(self, mail: object) -> None:
        raise AssertionError(f"told a second time: {mail}")


def _handlers(store: MemoryStore, outbox: Outbox) -> dict[str, Routes]:
    basics: dict[str, Any] = {"store": store, "publisher": outbox, "clock": lambda: LATER}
    return {
        "saga": SagaHandlers(**basics).routes(),
        "inventory": InventoryHandlers(**basics).routes(),
        "payments": PaymentHandlers(**basics, queue=MemoryPaymentQueue()).routes(),
        "shipping": ShippingHandlers(**basics).routes(),
    }


@pytest.mark.parametrize("service", ["saga", "inventory", "payments", "shipping"])
def test_a_redelivery_of_everything_changes_no_row_and_says_what_was_said(service: str) -> None:
    """Replayed onto its own rows, the stream makes a service repeat its messages byte for byte; no more."""
    store, outbox = tables(), Outbox()
    said = {decode_envelope(event).id: event for event in events("plain/orders")}
    before = {(item.table, item.key, item.sort): item for item in _rows(store)}
    handler = MessageHandler(_handlers(store, outbox)[service])
    for record in stream("plain/orders"):
        handler.handle(record)
    assert outbox.envelopes()
    assert {(item.table, item.key, item.sort): item for item in _rows(store)} == before
    for envelope in outbox.envelopes():
        assert envelope.encode() == said[envelope.id]


def test_a_redelivered_outcome_tells_no_customer_again() -> None:
    """The recorded notices say who was told; a redelivery repeats the event alone."""
    store, outbox = tables(), Outbox()
    handlers = NotificationHandlers(store=store, publisher=outbox, mailer=SilentMailer(), clock=lambda: LATER)
    handler = MessageHandler(handlers.routes())
    for record in stream("plain/orders"):
        handler.handle(record)
    assert len(outbox.envelopes()) == len(books()["orders"])


def test_the_coordinator_decides_as_it_did() -> None:
    """Fed with the recorded inputs at the recorded times, the transitions give the recorded messages.

    Messages only grow: a field that was added since says more, and nothing else may differ.
    """
    recorded = [decode_envelope(event) for event in events("plain/orders")]
    said = {envelope.id: envelope for envelope in recorded}
    sagas: dict[str, Saga] = {}
    heard: set[str] = set()
    decided = 0
    for envelope in recorded:
        message = envelope.message()
        if not isinstance(message, Input) or envelope.id in heard:
            continue
        heard.add(envelope.id)
        order_id = envelope.subject
        outcome = transition(sagas.get(order_id), message, _time_of(envelope, said), SagaDeadlines())
        if isinstance(outcome, SagaOutcome):
            if outcome.saga is not None:
                sagas[order_id] = outcome.saga
            for ordinal, output in enumerate(outcome.outputs):
                then = said[derived_id("saga", envelope.id, ordinal)]
                data = json.loads(msgspec.json.encode(output.message))
                assert (then.type, data) == (output.message.type_name(), data | json.loads(bytes(then.data)))
                assert output.correlation_id in {None, then.correlation_id}
                decided += 1
    assert decided == sum(envelope.source == "saga" for envelope in said.values())
    phases = {order_id: saga.phase.value.upper() for order_id, saga in sagas.items()}
    assert phases == {order_id: ending["state"] for order_id, ending in books()["orders"].items()}


def _time_of(cause: Envelope, said: Mapping[str, Envelope]) -> dt.datetime:
    """When the coordinator decided: the time of its first message."""
    first = said.get(derived_id("saga", cause.id, 0))
    return first.time if first is not None else cause.time


def _rows(store: MemoryStore) -> list[Any]:
    names = ("saga-orders", "stock", "reservations", "payments", "shipments", "notices", "alerts")
    return [item for name in names for item in store.scan(name)]
