"""Deadlines as rows: written and cleared together with the order, found by a poller once they are due.

::

    transition ──Put row──> waiting ──answered: Delete row──────────────────────> gone
                               │                                                   ^
                               └──due: publish StepOverdue, acknowledged, delete ──┘

A timer is an input like any other: it says that time has passed, and the coordinator decides in stream order
what that means. The event's id comes from order, step, attempt and row, and its time is the row's: when one
poller dies between the acknowledgement and the delete, another publishes the same bytes again, and the
order's inbox drops them.

A poller uses its host's clock, the coordinator the stream's: an event that Kinesis took before the
deadline changes nothing but the row, which is rewritten and comes up later.
"""

import datetime as dt
import logging
import random
import zlib
from collections.abc import Callable
from typing import Final

from orderstream.errors import DependencyError
from orderstream.messages import initial, initial_event_id
from orderstream.observability.tracing import NoTracer, Tracer
from orderstream_consumer.idempotency.publisher import Publisher
from orderstream_consumer.processing.processor import StopSignal
from orderstream_consumer.store import Attribute, Delete, Item, Put, Store, TableSpec, Write
from orderstream_orders.contracts import StepOverdue
from orderstream_workers.services.saga.state import Saga, Timer

logger = logging.getLogger(__name__)

TIMERS: Final = TableSpec("saga-timers", sorted=True)
"""Key: bucket; sort key: due time, order, step and attempt. Attributes: the same, the conversation, and the
trace context of the decision, where it was traced."""

_BUCKETS: Final = tuple(str(bucket) for bucket in range(8))
"""The rows are spread, since a partition of DynamoDB takes 1,000 writes a second. Fewer would strand rows."""

POLL_SECONDS: Final = 5.0
"""Between two polls, which read every bucket each: deadlines are minutes, and a poll is billed."""

_PAGE: Final = 100
_TRACEPARENT: Final = "traceparent"
_NO_TRACER: Final[Tracer] = NoTracer()


def timer_writes(
    before: Saga | None,
    after: Saga | None,
    *,
    order_id: str,
    conversation_id: str,
    traceparent: str | None = None,
) -> tuple[Write, ...]:
    """The writes that make the rows follow the order's state.

    Args:
        before: The order as it was; None where it was not known.
        after: The order as it will be.
        order_id: The order.
        conversation_id: The conversation that a ``StepOverdue`` will belong to.
        traceparent: W3C trace context of the decision; None where nothing is traced.
    """
    traced: dict[str, Attribute] = {} if traceparent is None else {_TRACEPARENT: traceparent}
    running = frozenset(before.timers()) if before is not None else frozenset()
    wanted = frozenset(after.timers()) if after is not None else frozenset()
    bucket = _bucket(order_id)
    cleared = [
        Delete(table=TIMERS.name, key=bucket, sort=_sort_key(order_id, timer)) for timer in running - wanted
    ]
    started = [
        Put(
            table=TIMERS.name,
            key=bucket,
            sort=_sort_key(order_id, timer),
            attributes={
                "order_id": order_id,
                "step": timer.step,
                "attempt": timer.attempt,
                "rearmed": timer.rearmed,
                "due": timer.due.isoformat(),
                "conversation_id": conversation_id,
                **traced,
            },
            expected_version=None,
        )
        for timer in wanted - running
    ]
    return (*cleared, *started)


class TimerPoller:
    """Publishes ``StepOverdue`` for each row that is due, then deletes the row. Any number may run at once.

    Args:
        store: Where the rows are.
        publisher: Puts the events into the stream.
        clock: The time (UTC, with zone).
        draw: Returns the order of the buckets, another one for each poll, so that pollers seldom meet at the
            same rows.
        tracer: Begins a span for each row that is due, a child of the decision's; by default nothing is
            traced.
    """

    def __init__(
        self,
        *,
        store: Store,
        publisher: Publisher,
        clock: Callable[[], dt.datetime],
        draw: random.Random | None = None,
        tracer: Tracer = _NO_TRACER,
    ) -> None:
        self._store = store
        self._publisher = publisher
        self._clock = clock
        self._draw = draw or random.Random()  # noqa: S311 - spreads load
        self._tracer = tracer

    def poll_once(self, stop: StopSignal | None = None) -> int:
        """Publish what is due now.

        Args:
            stop: Ends the poll before the next row; the rows that are left come up again.

        Returns:
            How many events were published.

        Raises:
            DependencyError: the store or the stream did not respond; the rows that are left come up again.
        """
        horizon = _sortable(self._clock())
        published = 0
        for bucket in self._draw.sample(_BUCKETS, len(_BUCKETS)):
            while rows := self._store.query(TIMERS.name, bucket, sort_up_to=horizon, limit=_PAGE):
                for row in rows:
                    if stop is not None and stop.is_set():
                        return published
                    self._publish(row)
                    published += 1
        return published

    def run(self, stop: StopSignal, interval: float = POLL_SECONDS) -> None:
        """Poll until the signal is set; an outage is waited out.

        Args:
            stop: Ends the loop.
            interval: Seconds between two polls, above 0; ``POLL_SECONDS`` by default.
        """
        while not stop.is_set():
            try:
                self.poll_once(stop)
            except DependencyError as error:
                logger.warning("timers could not be polled; trying again", extra={"error": error})
            stop.wait(interval)

    def _publish(self, row: Item) -> None:
        found = row.attributes.get(_TRACEPARENT)
        decided_in = None if found is None else str(found)
        with self._tracer.span(
            f"expire {TIMERS.name}",
            "internal",
            parent=decided_in,
            attributes={"orderstream.order_id": str(row.attributes["order_id"])},
        ):
            # Two pollers publish the same bytes: the event names the decision, and not the poller's own span.
            self._publish_overdue(row, decided_in)

    def _publish_overdue(self, row: Item, traceparent: str | None) -> None:
        order_id, step, due = (str(row.attributes[name]) for name in ("order_id", "step", "due"))
        attempt, rearmed = row.value("attempt", int), row.value("rearmed", int, 0)
        name = f"{order_id}/{step}/{attempt}" + (f"/{rearmed}" if rearmed else "")
        overdue = initial(
            StepOverdue(order_id=order_id, step=step, attempt=attempt),
            source="saga",
            event_id=initial_event_id("saga", "timer", name),
            time=dt.datetime.fromisoformat(due),
            correlation_id=f"{step}:{attempt}",
            conversation_id=str(row.attributes["conversation_id"]),
            traceparent=traceparent,
        )
        self._publisher.publish([overdue.encode()], order_id)
        self._store.transact([Delete(table=TIMERS.name, key=row.key, sort=row.sort)])


def conversation_of(store: Store, saga: Saga, step: str) -> str | None:
    """The conversation of an order, read from the deadline of a step; None where it has just passed.

    Args:
        store: Where the timers are.
        saga: The order.
        step: A step whose reply is waited for.

    Raises:
        DependencyError: the store did not respond.
    """
    order_id = saga.order.order_id
    for timer in saga.timers():
        if timer.step == step:
            row = store.get(TIMERS.name, _bucket(order_id), _sort_key(order_id, timer))
            return str(row.attributes["conversation_id"]) if row is not None else None
    return None


def _bucket(order_id: str) -> str:
    return _BUCKETS[zlib.crc32(order_id.encode()) % len(_BUCKETS)]


def _sort_key(order_id: str, timer: Timer) -> str:
    return f"{_sortable(timer.due)}#{order_id}#{timer.step}#{timer.attempt}"


def _sortable(time: dt.datetime) -> str:
    """UTC at a fixed width, so that text sorts as time does."""
    return time.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
