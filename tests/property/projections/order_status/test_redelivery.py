"""However a stream is cut into batches and repeated, the read model is the same."""

import datetime as dt
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from fakes.order_history import AT, envelope_of, placed
from fakes.shard import delivered
from orderstream.messages import Message
from orderstream_consumer.processing.record import DeliveredRecord
from orderstream_orders.contracts import (
    Customer,
    OrderCancelled,
    OrderConfirmed,
    OrderPlaced,
    OrderShipped,
    PaymentCaptured,
    StockReserved,
)
from orderstream_workers.projections.order_status import (
    ReadModel,
    ReadModelWriter,
    migrate,
    open_engine,
)
from orderstream_workers.projections.order_status.status import OrderStatus, project


def story(order_id: str) -> list[Any]:
    return [
        placed(order_id),
        StockReserved(order_id=order_id),
        OrderShipped(order_id=order_id, shipment_id="s"),
        OrderConfirmed(order_id=order_id, customer=Customer(), total_minor=250, currency="GBP"),
        OrderCancelled(order_id=order_id, customer=Customer(), reason="late"),
    ]


MESSAGES = [message for pair in zip(story("a"), story("b"), strict=True) for message in pair]
RECORDS = [delivered(number, envelope_of(message).encode()) for number, message in enumerate(MESSAGES)]


def model_after(batches: list[list[DeliveredRecord]]) -> list[Any]:
    engine = open_engine("sqlite://")
    migrate(engine)
    writer = ReadModelWriter(engine)
    for batch in batches:
        writer.apply_batch(batch)
    model = ReadModel(engine)
    found = [model.order("a"), model.order("b")]
    engine.dispose()
    return found


EXPECTED = model_after([RECORDS])


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=6))
def test_batches_may_be_cut_and_repeated(cuts: list[tuple[int, int]]) -> None:
    """After each batch the reader may fall back, as after a crash, and read on from there."""
    batches: list[list[DeliveredRecord]] = []
    reached = 0
    for back, length in cuts:
        start = max(reached - back, 0)
        batches.append(RECORDS[start : start + length])
        reached = max(reached, min(start + length, len(RECORDS)))
    batches.append(RECORDS[reached:])
    assert model_after(batches) == EXPECTED


@settings(max_examples=40, deadline=None)
@given(st.permutations(RECORDS))
def test_facts_do_not_depend_on_the_order_of_arrival(records: list[DeliveredRecord]) -> None:
    """Whatever comes first, the facts are the same; only which of two endings wins is decided by arrival."""
    for found, expected in zip(model_after([records]), EXPECTED, strict=True):
        assert found.total_minor == expected.total_minor
        assert (found.reserved_at, found.shipped_at, found.placed_at) == (
            expected.reserved_at,
            expected.shipped_at,
            expected.placed_at,
        )
        assert found.state in ("CONFIRMED", "CANCELLED")
        assert found.history == expected.history


PAID = PaymentCaptured(order_id="a", amount_minor=250, currency="GBP", charge_id="c")


@given(st.lists(st.sampled_from([*story("a"), PAID]), min_size=1, max_size=12))
def test_the_first_of_each_fact_counts(messages: list[Message]) -> None:
    """Told again, later and under another id, a fact keeps its first time, and an order its first end."""
    status: OrderStatus | None = None
    firsts: dict[type, dt.datetime] = {}
    for number, message in enumerate(messages):
        time = AT + dt.timedelta(seconds=number)
        firsts.setdefault(type(message), time)
        status = project(status, envelope_of(message, event_id=f"e-{number}", time=time), message)
    assert status is not None
    facts = (status.placed_at, status.reserved_at, status.paid_at, status.shipped_at)
    kinds = (OrderPlaced, StockReserved, PaymentCaptured, OrderShipped)
    assert facts == tuple(firsts.get(kind) for kind in kinds)
    end = next((m for m in messages if isinstance(m, OrderConfirmed | OrderCancelled)), None)
    assert status.ended_at == (firsts[type(end)] if end else None)
    assert status.state == {OrderConfirmed: "CONFIRMED", OrderCancelled: "CANCELLED"}.get(type(end), "PLACED")
