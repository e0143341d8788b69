"""A user's own consumer: its handler runs inside of a span, whatever it reads."""

import datetime as dt
import threading
from typing import Any

import pytest

from fakes.tracing import KeptSpans, traceparent_of
from orderstream import ConfigError, EventPublisher, Producer
from orderstream.messages.spans import SendSpans
from orderstream.testing import FakeKinesis
from orderstream_consumer import Consumer, ConsumerConfig
from orderstream_consumer.testing import MemoryLeaseTable, MemoryStore
from orderstream_orders.contracts import OrderCancellationRequested

NOW = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


@pytest.mark.parametrize("batches", [False, True])
def test_the_trace_goes_on_from_the_producer_to_the_handler(batches: bool) -> None:
    """The handler's own spans are children of the span that processes the event, or the batch."""
    kept, kinesis, done = KeptSpans(), FakeKinesis(), threading.Event()
    kinesis.client().create_stream(StreamName="orders", ShardCount=1)

    def handle(_: Any) -> None:
        kept.tracer.begin("my own work", "internal").end()
        done.set()

    with Producer("orders", client=kinesis.client()) as producer, kept.tracer.span("checkout", "server"):
        EventPublisher(producer, source="shop", spans=SendSpans(kept.tracer, "orders")).publish(
            OrderCancellationRequested(order_id="o-1")
        ).result(timeout=30)
    with Consumer(
        "billing",
        stream="orders",
        **{"batch_handler" if batches else "handler": handle},
        config=ConsumerConfig(initial_position="TRIM_HORIZON", region_name="us-east-1"),
        kinesis=kinesis.client(),
        leases=MemoryLeaseTable(),
        store=MemoryStore(),
        tracer=kept.tracer,
    ):
        assert done.wait(timeout=30)
    sending, working, own = (kept.named(name) for name in ("send orders", "process orders", "my own work"))
    assert own.parent == working.context
    assert [link.context.span_id for link in working.links] == [int(traceparent_of(sending)[36:52], 16)]
    if batches:
        assert working.parent is None
    else:
        assert working.parent is not None
        assert working.parent.span_id == working.links[0].context.span_id
    assert working.attributes is not None
    assert working.attributes["messaging.consumer.group.name"] == "billing"


def test_kcl_s_own_processes_take_no_tracer() -> None:
    """It could not cross the border between two processes."""
    with pytest.raises(ConfigError, match="tracer"):
        Consumer(
            "billing",
            stream="orders",
            handler=print,
            config=ConsumerConfig(engine="kcl", region_name="us-east-1"),
            tracer=KeptSpans().tracer,
        )
