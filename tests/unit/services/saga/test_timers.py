"""Deadlines as rows, and the poller that turns them into events."""

import datetime as dt
import threading
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from fakes.tracing import KeptSpans
from orderstream.errors import DependencyError
from orderstream.messages import decode_envelope
from orderstream_consumer.idempotency.publisher import CollectingPublisher
from orderstream_consumer.store import Delete, Write
from orderstream_consumer.testing import Fault, MemoryStore
from orderstream_orders.contracts import Customer, OrderPlaced, StepOverdue
from orderstream_workers.services.saga.deadlines import SagaDeadlines
from orderstream_workers.services.saga.domain import SagaOutcome, transition
from orderstream_workers.services.saga.state import REARMED_LATER, Order, Phase, Progress, Saga, Status
from orderstream_workers.services.saga.timers import TIMERS, TimerPoller, timer_writes

DUE = dt.datetime(2010, 12, 1, 8, 36, tzinfo=dt.UTC)
SECOND = dt.timedelta(seconds=1)


def waiting(order_id: str, due: dt.datetime = DUE, attempt: int = 1) -> Saga:
    placed = OrderPlaced(
        order_id=order_id, customer=Customer(), country=None, lines=(), total_minor=1, currency="GBP"
    )
    progress = Progress(Status.REQUESTED, attempt, due)
    return Saga(
        order=Order.from_placed(placed), definition=1, phase=Phase.COMMITTED, steps={"ship_order": progress}
    )


def start(store: MemoryStore, *sagas: Saga) -> None:
    for saga in sagas:
        order_id = saga.order.order_id
        store.transact(timer_writes(None, saga, order_id=order_id, conversation_id=f"talk about {order_id}"))


def poller(
    store: MemoryStore,
    publisher: CollectingPublisher,
    clock: Callable[[], dt.datetime] = lambda: DUE + SECOND,
) -> TimerPoller:
    return TimerPoller(store=store, publisher=publisher, clock=clock)


def test_nothing_is_published_before_its_time() -> None:
    """A row waits until its deadline has passed."""
    store, publisher, now = MemoryStore(), CollectingPublisher(), [DUE]
    start(store, waiting("o-1"))
    polling = poller(store, publisher, lambda: now[0])
    assert polling.poll_once() == 0
    now[0] += dt.timedelta(microseconds=1)
    assert polling.poll_once() == 1
    assert polling.poll_once() == 0


def test_the_event_names_the_decision_s_trace_whoever_publishes_it() -> None:
    """Two pollers publish the same bytes; the expiry is a child of the decision, and sends below it."""
    decided_in = f"00-{'a' * 32}-{'b' * 16}-01"
    publisher, kept = CollectingPublisher(), KeptSpans()
    for traced in (False, True):
        store = MemoryStore()
        store.transact(
            timer_writes(None, waiting("o-1"), order_id="o-1", conversation_id="talk", traceparent=decided_in)
        )
        more: dict[str, Any] = {"tracer": kept.tracer} if traced else {}
        TimerPoller(store=store, publisher=publisher, clock=lambda: DUE + SECOND, **more).poll_once()
    first, second = publisher.published
    assert first == second
    assert decode_envelope(first).traceparent == decided_in
    span = kept.named("expire saga-timers")
    assert span.parent is not None
    assert span.parent.span_id == int("b" * 16, 16)


def test_the_event_names_step_attempt_and_conversation() -> None:
    """What is published is about one request, at its deadline, in the order's own conversation."""
    store, publisher = MemoryStore(), CollectingPublisher()
    start(store, waiting("o-1", attempt=3))
    poller(store, publisher).poll_once()
    (envelope,) = map(decode_envelope, publisher.published)
    assert envelope.message() == StepOverdue(order_id="o-1", step="ship_order", attempt=3)
    assert (envelope.conversation_id, envelope.correlation_id) == ("talk about o-1", "ship_order:3")
    assert (envelope.source, envelope.time) == ("saga", DUE)


def test_many_rows_are_published_in_one_poll() -> None:
    """However many are due, in whichever bucket: each is published once."""
    store, publisher = MemoryStore(), CollectingPublisher()
    start(store, *(waiting(f"o-{number}") for number in range(1_000)))
    assert poller(store, publisher).poll_once() == 1_000
    assert len({decode_envelope(data).subject for data in publisher.published}) == 1_000
    assert list(store.scan(TIMERS.name)) == []


def test_pollers_beside_each_other_publish_the_same_bytes() -> None:
    """A row that two pollers publish leads to one event, repeated: the order's inbox drops it."""
    store, publisher = MemoryStore(), CollectingPublisher()
    start(store, waiting("o-1"))

    class Interleaved(CollectingPublisher):
        def publish(self, envelopes: Sequence[bytes], partition_key: str) -> None:
            poller(store, publisher).poll_once()
            publisher.publish(envelopes, partition_key)

    poller(store, Interleaved()).poll_once()
    assert len(publisher.published) == 2
    assert len(set(publisher.published)) == 1
    assert list(store.scan(TIMERS.name)) == []


def test_a_row_is_deleted_only_after_the_acknowledgement() -> None:
    """Where the stream does not answer the row stays, and comes up again."""

    class Silent(CollectingPublisher):
        def publish(self, envelopes: Sequence[bytes], partition_key: str) -> None:
            raise DependencyError("kinesis", "PutRecords", "no reply")

    store, publisher = MemoryStore(), CollectingPublisher()
    start(store, waiting("o-1"))
    with pytest.raises(DependencyError):
        poller(store, Silent()).poll_once()
    assert poller(store, publisher).poll_once() == 1


def test_a_lost_delete_repeats_the_event() -> None:
    """A poller that dies between acknowledgement and delete leaves the row to the next one."""
    broken = True

    def fault(operation: str, writes: Sequence[Write]) -> Fault | None:
        deletes = any(isinstance(write, Delete) for write in writes)
        return Fault.BEFORE if broken and deletes else None

    store, publisher = MemoryStore(fault), CollectingPublisher()
    start(store, waiting("o-1"))
    with pytest.raises(DependencyError):
        poller(store, publisher).poll_once()
    broken = False
    poller(store, publisher).poll_once()
    assert len(publisher.published) == 2
    assert len(set(publisher.published)) == 1


def test_the_loop_outlives_an_outage_and_ends_on_the_signal() -> None:
    """While the store is away the poller waits; it goes on by itself, and stops when it is told to."""
    stop = threading.Event()
    outages = [Fault.BEFORE, Fault.BEFORE]

    def fault(operation: str, writes: Sequence[Write]) -> Fault | None:
        return outages.pop() if operation == "query" and outages else None

    class Last(CollectingPublisher):
        def publish(self, envelopes: Sequence[bytes], partition_key: str) -> None:
            super().publish(envelopes, partition_key)
            stop.set()

    store, publisher = MemoryStore(fault), Last()
    start(store, waiting("o-1"))
    poller(store, publisher).run(stop, interval=0.001)
    assert not outages
    assert len(publisher.published) == 1


def test_a_long_poll_ends_on_the_signal() -> None:
    """With many rows due the poller still stops at once; what is left waits for the next one."""
    stop = threading.Event()

    class Third(CollectingPublisher):
        def publish(self, envelopes: Sequence[bytes], partition_key: str) -> None:
            super().publish(envelopes, partition_key)
            if len(self.published) == 3:
                stop.set()

    store, publisher = MemoryStore(), Third()
    start(store, *(waiting(f"o-{number}") for number in range(10)))
    poller(store, publisher).run(stop)
    assert len(publisher.published) == 3
    assert poller(store, publisher).poll_once() == 7


def test_a_poller_that_is_ahead_puts_a_deadline_off_by_no_more_than_that() -> None:
    """Each call that came too early moves the row by half a minute, until the poller sees it as not due.

    So a poller whose clock is right finds it at last, though the other one has died.
    """
    ahead, store, publisher, saga = (
        dt.timedelta(hours=1),
        MemoryStore(),
        CollectingPublisher(),
        waiting("o-1"),
    )
    start(store, saga)
    now = DUE - dt.timedelta(minutes=10)
    while now < DUE:
        poller(store, publisher, lambda now=now: now + ahead).poll_once()
        for late in (decode_envelope(data).message() for data in publisher.published):
            assert isinstance(late, StepOverdue)
            outcome = transition(saga, late, now, SagaDeadlines(), arrived=now)
            assert isinstance(outcome, SagaOutcome)
            assert outcome.outputs == ()
            assert outcome.saga is not None
            store.transact(timer_writes(saga, outcome.saga, order_id="o-1", conversation_id="talk"))
            saga = outcome.saga
        publisher.published.clear()
        now += SECOND
    (timer,) = saga.timers()
    assert timer.due <= DUE + ahead + REARMED_LATER
    assert poller(store, publisher, lambda: timer.due + SECOND).poll_once() == 1


def test_a_reply_clears_the_row_and_a_new_request_starts_another() -> None:
    """The rows follow the order's state, and nothing is written where no deadline changed."""
    first, second = waiting("o-1"), waiting("o-1", DUE + SECOND, attempt=2)
    writes = timer_writes(first, second, order_id="o-1", conversation_id="talk")
    assert [type(write).__name__ for write in writes] == ["Delete", "Put"]
    assert timer_writes(first, first, order_id="o-1", conversation_id="talk") == ()
    (cleared,) = timer_writes(second, None, order_id="o-1", conversation_id="talk")
    assert cleared.sort == writes[1].sort


def test_rows_sort_by_time_in_any_zone_and_fraction() -> None:
    """Due times are compared as text, so they are written in UTC and at one width."""
    zone = dt.timezone(dt.timedelta(hours=1))
    early = waiting("o-1", dt.datetime(2010, 12, 1, 9, 35, 59, 999_999, tzinfo=zone))
    late = waiting("o-1", DUE)
    (first,) = timer_writes(None, early, order_id="o-1", conversation_id="talk")
    (second,) = timer_writes(None, late, order_id="o-1", conversation_id="talk")
    assert first.sort is not None
    assert second.sort is not None
    assert first.sort < second.sort
