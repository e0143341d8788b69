"""One order is one trace, span by span, as a collector receives it."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from fakes.otlp import OtlpReceiver, ReceivedSpan
from fakes.traced_pipeline import APPLICATIONS, SHARD, TracedPipeline
from orderstream_workers.runtime.settings import Settings

MESSAGES = (
    "CustomerNotified",
    "OrderConfirmed",
    "OrderPlaced",
    "OrderShipped",
    "PaymentCaptured",
    "StockReserved",
    "StockSold",
    "inventory.ReserveStock",
    "payments.CapturePayment",
    "shipping.ShipOrder",
)


@pytest.fixture
def receiver() -> Iterator[OtlpReceiver]:
    """The collector."""
    with OtlpReceiver() as receiver:
        yield receiver


def pipeline(folder: Path, receiver: OtlpReceiver, ratio: float = 1.0) -> TracedPipeline:
    """A pipeline that exports to the collector."""
    return TracedPipeline(folder, Settings(tracing="otlp", otlp_url=receiver.url, trace_ratio=ratio))


def of_order(receiver: OtlpReceiver, order_id: str) -> list[ReceivedSpan]:
    """The spans of the traces that an order is in."""
    spans = receiver.spans()
    traces = {span.trace_id for span in spans if span.attributes.get("orderstream.order_id") == order_id}
    return [span for span in spans if span.trace_id in traces]


def sent(spans: list[ReceivedSpan]) -> dict[str, ReceivedSpan]:
    """The span of each message's sending, by the message's type."""
    return {span.attributes["cloudevents.event_type"]: span for span in spans if span.name == "send orders"}


def processed(spans: list[ReceivedSpan]) -> dict[tuple[str, str], ReceivedSpan]:
    """The span of each message's processing, by its type and who it is."""
    return {
        (span.attributes["cloudevents.event_type"], span.service): span
        for span in spans
        if span.name == "process orders"
    }


def test_every_order_is_one_trace_with_one_root_and_no_orphan(tmp_path: Path, receiver: OtlpReceiver) -> None:
    """Each of its messages has its sending and its processing; the queue and the provider are in between."""
    with pipeline(tmp_path, receiver) as running:
        orders = [running.order(number) for number in (1, 2)]
        running.runs()
        envelopes = running.shard.envelopes()
    for order_id in orders:
        spans = of_order(receiver, order_id)
        by_id = {span.span_id: span for span in spans}
        assert len({span.trace_id for span in spans}) == 1
        (root,) = (span for span in spans if not span.parent)
        assert (root.name, root.kind, root.service) == ("POST /orders", "server", "api")
        assert {span.parent for span in spans} <= {"", *by_id}

        messages = {envelope.id: envelope for envelope in envelopes if envelope.subject == order_id}
        assert sorted(envelope.type for envelope in messages.values()) == list(MESSAGES)
        sends = Counter(
            span.attributes["messaging.message.id"] for span in spans if span.name == "send orders"
        )
        assert sends == Counter(messages.keys())
        batches = [span for span in receiver.spans() if "messaging.batch.message_count" in span.attributes]
        linked = {link for batch in batches for link in batch.links}
        for envelope in messages.values():
            _, trace_id, decided_in, _ = str(envelope.traceparent).split("-")
            assert decided_in in by_id  # the span in which it was decided is its cause
            assert (trace_id, decided_in) in linked
            wanted = {
                span.service
                for span in spans
                if span.name == "process orders" and span.attributes["messaging.message.id"] == envelope.id
            }
            assert (envelope.type in {"StockSold", "CustomerNotified"}) == (not wanted)


def test_each_span_hangs_where_the_work_was_caused(tmp_path: Path, receiver: OtlpReceiver) -> None:
    """A handler's span is the child of the deciding one, its outputs' sendings are its own children."""
    with pipeline(tmp_path, receiver) as running:
        order_id = running.order()
        running.runs()
        told = running.told
    spans = of_order(receiver, order_id)
    by_id = {span.span_id: span for span in spans}
    root = spans[0]
    sendings, workings = sent(spans), processed(spans)
    placed = workings["OrderPlaced", "saga"]
    assert sendings["OrderPlaced"].parent == placed.parent == root.span_id
    assert placed.links == ((root.trace_id, root.span_id),)
    for command, service, reply in (
        ("inventory.ReserveStock", "inventory", "StockReserved"),
        ("shipping.ShipOrder", "shipping", "OrderShipped"),
    ):
        working = workings[command, service]
        assert working.parent == sendings[command].parent
        assert sendings[reply].parent == working.span_id
    capturing = workings["payments.CapturePayment", "payments"]
    (queued,) = (span for span in spans if span.name == "send orderstream-payments")
    (charging,) = (span for span in spans if span.name == "process orderstream-payments")
    (calling,) = (span for span in spans if span.name == "POST /v1/charges")
    assert queued.parent == capturing.span_id
    assert (charging.parent, charging.links) == (queued.span_id, ((root.trace_id, queued.span_id),))
    assert calling.parent == charging.span_id == sendings["PaymentCaptured"].parent
    assert workings["PaymentCaptured", "saga"].parent == charging.span_id
    (request,) = told
    assert request.headers["traceparent"] == f"00-{root.trace_id}-{calling.span_id}-01"
    assert all(span.begin >= by_id[span.parent].begin for span in spans if span.parent)


def test_names_and_attributes_are_those_of_the_conventions(tmp_path: Path, receiver: OtlpReceiver) -> None:
    """OpenTelemetry's for messaging and HTTP; what has waited says since when and for how long."""
    with pipeline(tmp_path, receiver) as running:
        order_id = running.order()
        running.runs()
        placed = running.shard.envelopes()[0]
    spans = of_order(receiver, order_id)
    about = {
        "messaging.system": "aws.kinesis",
        "messaging.destination.name": "orders",
        "messaging.message.id": placed.id,
        "messaging.message.conversation_id": placed.id,
        "cloudevents.event_type": "OrderPlaced",
        "orderstream.order_id": order_id,
    }
    sending = sent(spans)["OrderPlaced"]
    assert sending.kind == "producer"
    assert sending.attributes == about | {
        "messaging.operation.name": "send",
        "messaging.operation.type": "send",
    }
    working = processed(spans)["OrderPlaced", "saga"]
    assert working.kind == "consumer"
    assert working.attributes.pop("orderstream.waited_seconds") >= 0
    assert working.attributes.pop("orderstream.arrived_at")
    assert working.attributes == about | {
        "messaging.operation.name": "process",
        "messaging.operation.type": "process",
        "messaging.consumer.group.name": "saga",
        "messaging.destination.partition.id": SHARD,
        "orderstream.position": "1/0",
        "orderstream.decided_at": placed.time.isoformat(),
        "orderstream.arrival": "fresh",
    }
    assert spans[0].attributes == {
        "http.request.method": "POST",
        "http.route": "/orders",
        "url.scheme": "http",
        "url.path": "/orders",
        "http.response.status_code": 202,
        "orderstream.order_id": order_id,
    }
    queued = next(span for span in spans if span.name == "process orderstream-payments")
    assert queued.attributes["messaging.system"] == "aws_sqs"
    assert queued.attributes["orderstream.deliveries"] == 1


@pytest.mark.parametrize("application", ["saga", "inventory", "payments"])
def test_a_redelivery_after_a_crash_is_a_second_span_that_says_so(
    tmp_path: Path, receiver: OtlpReceiver, application: str
) -> None:
    """What was committed goes out once more, linked to the span in which it was decided; the tree holds."""
    with pipeline(tmp_path, receiver) as running:
        order_id = running.order()
        running.runs()
        running.take_over(application, behind=len(running.shard.records))
        running.runs()
    spans = of_order(receiver, order_id)
    own = [span for span in spans if (span.name, span.service) == ("process orders", application)]
    first: dict[str, ReceivedSpan] = {}
    again = [
        span for span in own if first.setdefault(span.attributes["messaging.message.id"], span) is not span
    ]
    assert {span.attributes["orderstream.arrival"] for span in first.values()} <= {"fresh", "duplicate"}
    assert "redelivered" in {span.attributes["orderstream.arrival"] for span in again}
    for span in again:
        assert span.parent == first[span.attributes["messaging.message.id"]].parent
        for sending in (one for one in spans if one.parent == span.span_id and one.name == "send orders"):
            assert sending.links == ((span.trace_id, first[span.attributes["messaging.message.id"]].span_id),)
    assert len([span for span in spans if not span.parent]) == 1


def test_a_repeated_request_links_to_the_one_that_was_remembered(
    tmp_path: Path, receiver: OtlpReceiver
) -> None:
    """It has a trace of its own, which publishes the same event again; all else stays in the first one."""
    with pipeline(tmp_path, receiver) as running:
        order_id = running.order(1)
        assert running.order(1) == order_id
        running.runs()
    first, again = (span for span in of_order(receiver, order_id) if span.name == "POST /orders")
    assert (first.parent, again.parent, first.links) == ("", "", ())
    assert again.links == ((first.trace_id, first.span_id),)
    others = [
        span for span in of_order(receiver, order_id) if span.name not in ("POST /orders", "send orders")
    ]
    assert {span.trace_id for span in others} == {first.trace_id}


def test_the_caller_s_own_trace_goes_on(tmp_path: Path, receiver: OtlpReceiver) -> None:
    """By a W3C header, or by that of an AWS load balancer; where the caller records nothing, nobody does."""
    with pipeline(tmp_path, receiver) as running:
        for number, name, value in (
            (1, "traceparent", f"00-{'a' * 32}-{'b' * 16}-01"),
            (2, "X-Amzn-Trace-Id", f"Root=1-{'c' * 8}-{'c' * 24};Parent={'d' * 16};Sampled=1"),
            (3, "traceparent", f"00-{'e' * 32}-{'f' * 16}-00"),
        ):
            running.order(number, **{name: value})
        running.runs()
    roots = {span.trace_id: span.parent for span in receiver.spans() if span.name == "POST /orders"}
    assert roots == {"a" * 32: "b" * 16, "c" * 32: "d" * 16}
    assert "e" * 32 not in {span.trace_id for span in receiver.spans()}


@pytest.mark.parametrize(
    ("header", "warnings"),
    [
        ({"traceparent": "mine"}, 1),
        ({"traceparent": f"00-{'0' * 32}-{'b' * 16}-01"}, 1),
        ({"X-Amzn-Trace-Id": "Root=mine;Parent=mine;Sampled=1"}, 1),
        ({"X-Amzn-Trace-Id": f"Root=1-{'c' * 8}-{'c' * 24};Parent={'d' * 15}"}, 1),
        ({"X-Amzn-Trace-Id": f"Root=1-{'c' * 8}-{'c' * 24}"}, 0),
    ],
)
def test_a_caller_s_malformed_context_begins_a_trace_and_is_warned_of_once(
    tmp_path: Path,
    receiver: OtlpReceiver,
    caplog: pytest.LogCaptureFixture,
    header: dict[str, str],
    warnings: int,
) -> None:
    """However many requests bring it; that of a load balancer, which names no parent, is not malformed."""
    with pipeline(tmp_path, receiver) as running:
        for number in range(3):
            running.order(number, **header)
    roots = [span for span in receiver.spans() if span.name == "POST /orders"]
    assert [span.parent for span in roots] == [""] * 3
    assert len({span.trace_id for span in roots}) == 3
    assert len([line for line in caplog.records if "traceparent" in line.getMessage()]) == warnings


def test_an_order_is_sampled_whole_or_not_at_all(tmp_path: Path, receiver: OtlpReceiver) -> None:
    """The ratio is decided where the trace begins, and every process keeps to it."""
    with pipeline(tmp_path, receiver, ratio=0.5) as running:
        orders = [running.order(number) for number in range(12)]
        running.runs()
        sampled = {
            envelope.subject for envelope in running.shard.envelopes() if str(envelope.traceparent)[-1] == "1"
        }
    counts = {order_id: len(of_order(receiver, order_id)) for order_id in orders}
    assert {order_id for order_id, count in counts.items() if count} == sampled
    assert len({count for count in counts.values() if count}) <= 1


def test_every_application_that_acts_is_there(tmp_path: Path, receiver: OtlpReceiver) -> None:
    """Each process exports under its own name."""
    with pipeline(tmp_path, receiver) as running:
        running.order()
        running.runs()
    assert {span.service for span in receiver.spans()} == {"api", "payment-worker", *APPLICATIONS}
