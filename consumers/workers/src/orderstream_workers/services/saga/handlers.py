"""The coordinator's handlers: they apply each message, commit its effect and publish what follows."""

import datetime as dt
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, get_args

import msgspec

from orderstream.messages import Command, Envelope, decode_envelope, following, requesting
from orderstream.observability.metrics import Meter, NoMeter
from orderstream_consumer.idempotency.dispatch import Count, uncounted
from orderstream_consumer.idempotency.inbox import CAPACITY
from orderstream_consumer.idempotency.once import Change, Decision, Once
from orderstream_consumer.idempotency.publisher import Publisher
from orderstream_consumer.idempotency.received import Received
from orderstream_consumer.idempotency.state_items import StateItems
from orderstream_consumer.store import Item, Store, TableSpec, Write
from orderstream_consumer.store.limits import MAX_KEY_BYTES
from orderstream_orders.contracts import OrderCancellationRequested, Reply, StepOverdue, StepResolved
from orderstream_workers.services.saga.deadlines import SagaDeadlines
from orderstream_workers.services.saga.definition import CURRENT, Definition
from orderstream_workers.services.saga.domain import (
    Ignored,
    Input,
    Output,
    SagaOutcome,
    sent_again,
    transition,
)
from orderstream_workers.services.saga.measuring import measure
from orderstream_workers.services.saga.replies import check_asked_for
from orderstream_workers.services.saga.state import Phase, Saga
from orderstream_workers.services.saga.timers import timer_writes

logger = logging.getLogger(__name__)

SAGAS: Final = TableSpec("saga-orders")
"""Key: order id. One item per order: its saga and its inbox."""

INPUTS: Final[tuple[type[Input], ...]] = get_args(Input)
"""The messages that the coordinator acts on."""

MAX_CANCELLATIONS: Final = 16
"""Requests to cancel one order that get a reply. The phase decides the reply, and the phase moves on: so
each request is remembered for good, and a customer who asks under ever new keys must not make it grow.
The orders API lets nine through."""

_SOURCE: Final = "saga"
_DEFAULTS: Final = SagaDeadlines()


class SagaRecord(msgspec.Struct, frozen=True, omit_defaults=True):
    """What an order's item holds beside the inbox.

    Attributes:
        saga: The order; None where only requests about an order that was never placed have had a reply.
        cancellations: Ids of the customer's requests to cancel that were applied; see ``with_cancellation``.
    """

    saga: Saga | None = None
    cancellations: tuple[str, ...] = ()

    def with_cancellation(self, request_id: str) -> "SagaRecord":
        """The record after a request to cancel."""
        return SagaRecord(self.saga, (*self.cancellations, request_id))


_ITEMS: Final = StateItems(SAGAS.name, SagaRecord)


class SagaHandlers:
    """Carries out what the transitions decide.

    Args:
        store: Where orders and timers are.
        publisher: Puts commands and events into the stream.
        clock: The time (UTC, with zone).
        deadlines: How long replies may take.
        count: Counts ``unexpected``: messages that the flow's rules do not let happen, such as a reply that
            contradicts an earlier one. They change nothing.
        inbox_capacity: See ``Once``.
        current: The definition that new orders follow.
        meter: Takes what is measured of orders.
        region: Whose prices an order's cost is reckoned by; None where it is not reckoned.
    """

    def __init__(
        self,
        *,
        store: Store,
        publisher: Publisher,
        clock: Callable[[], dt.datetime],
        deadlines: SagaDeadlines = _DEFAULTS,
        count: Count = uncounted,
        inbox_capacity: int = CAPACITY,
        current: Definition = CURRENT,
        meter: Meter | None = None,
        region: str | None = None,
    ) -> None:
        self._once = Once(
            store=store,
            table=SAGAS.name,
            state_type=SagaRecord,
            publisher=publisher,
            inbox_capacity=inbox_capacity,
        )
        self._clock = clock
        self._deadlines = deadlines
        self._count = count
        self._current = current
        self._meter = meter or NoMeter()
        self._region = region

    def routes(self) -> Mapping[str, Callable[[Received], None]]:
        """By CloudEvents type, what handles it."""
        return {message_type.type_name(): self.handle for message_type in INPUTS}

    def has_taken(self, order_id: str) -> bool:
        """Whether an order was placed here, under whatever rules there were for its id.

        Raises:
            DependencyError: the store did not respond.
        """
        if not 1 <= len(order_id.encode()) <= MAX_KEY_BYTES:
            return False  # no row could have such a key, and DynamoDB would refuse the question
        record, _ = self._once.load(order_id)
        return record is not None and record.saga is not None

    def handle(self, received: Received) -> None:
        """Decide on a message; returns once the decision is committed and its outputs are acknowledged.

        Raises:
            UnknownDefinitionError: the order follows a definition that this program does not have.
            UnaskedReplyError: it is a reply, and no such command was sent.
            DependencyError: the store or the stream did not respond; handle the message again.
        """
        message = received.message(*INPUTS)
        self._once.apply(
            received,
            lambda record: self._decide(record, received, message),
            again=lambda record, outputs: self._sent_again(record, received, outputs),
        )

    def _decide(
        self, record: SagaRecord | None, received: Received, message: Input
    ) -> Decision[SagaRecord] | None:
        envelope, record = received.envelope, record or SagaRecord()
        saga, now = record.saga, self._now(received)
        if isinstance(message, Reply):
            check_asked_for(saga, message, envelope.correlation_id)
        cancels = isinstance(message, OrderCancellationRequested)
        if cancels and not _to_hear(record, envelope.id):
            logger.debug("cancellation applied before", extra={"order_id": envelope.subject})
            return None
        outcome = transition(
            saga, message, now, self._deadlines, arrived=received.arrival, current=self._current
        )
        _report(received, message, outcome)
        if isinstance(outcome, Ignored):
            if not outcome.expected:
                self._count("unexpected")
            return None
        after = SagaRecord(outcome.saga, record.cancellations)
        return Decision(
            state=after.with_cancellation(envelope.id) if cancels else after,
            outputs=[_envelope(envelope, output, index, now) for index, output in enumerate(outcome.outputs)],
            writes=_timer_writes(received, saga, outcome.saga),
            committed=lambda: measure(self._meter, saga, message, outcome, now, self._region),
        )

    def _sent_again(
        self, record: SagaRecord, received: Received, outputs: Sequence[bytes]
    ) -> Change[SagaRecord] | None:
        """Requests go out again: their deadlines count from now."""
        saga = record.saga
        if saga is None:
            return None
        correlation_ids = {
            request.correlation_id or ""
            for request in map(decode_envelope, outputs)
            if request.reply_to is not None
        }
        moved = sent_again(saga, correlation_ids, self._now(received), self._deadlines)
        if moved == saga:
            return None
        return Change(SagaRecord(moved, record.cancellations), _timer_writes(received, saga, moved))

    def _now(self, received: Received) -> dt.datetime:
        """The time; by a clock behind the stream's, deadlines that have only just begun would have passed."""
        return max(self._clock(), received.arrival)


def open_orders(store: Store) -> Iterator[Saga]:
    """The orders that are not at their end yet, in no particular order; reads the whole table.

    Args:
        store: Where the orders are.

    Raises:
        DependencyError: the store did not respond.
    """
    for item in store.scan(SAGAS.name):
        saga = _saga(item)
        if saga is not None and not saga.phase.terminal:
            yield saga


def find_order(store: Store, order_id: str) -> Saga | None:
    """One order, ended or not; None where it was never placed.

    Args:
        store: Where the orders are.
        order_id: The order.

    Raises:
        DependencyError: the store did not respond.
    """
    item = store.get(SAGAS.name, order_id)
    return _saga(item) if item is not None else None


def _saga(item: Item) -> Saga | None:
    return _ITEMS.state(item).saga


def _to_hear(record: SagaRecord, request_id: str) -> bool:
    """Whether a request to cancel gets a reply: once each, and a few of an order that has moved on."""
    if request_id in record.cancellations:
        return False
    running = record.saga is not None and record.saga.phase is Phase.RUNNING
    return running or len(record.cancellations) < MAX_CANCELLATIONS


def _timer_writes(received: Received, before: Saga | None, after: Saga | None) -> tuple[Write, ...]:
    envelope = received.envelope
    return timer_writes(
        before,
        after,
        order_id=envelope.subject,
        conversation_id=envelope.conversation_id,
        traceparent=envelope.traceparent,
    )


def _envelope(cause: Envelope, output: Output, index: int, now: dt.datetime) -> Envelope:
    message = output.message
    if not isinstance(message, Command):
        return following(cause, message, source=_SOURCE, ordinal=index, time=now)
    assert output.correlation_id is not None
    return requesting(
        cause,
        message,
        source=_SOURCE,
        ordinal=index,
        time=now,
        correlation_id=output.correlation_id,
        reply_to=_SOURCE,
    )


def _report(received: Received, message: Input, outcome: SagaOutcome | Ignored) -> None:
    """Log alerts for operators, before the commit: rather twice than not at all."""
    envelope = received.envelope
    details: dict[str, object] = {
        "order_id": envelope.subject,
        "event_id": envelope.id,
        "event_type": envelope.type,
    }
    if isinstance(outcome, Ignored):
        level = logging.DEBUG if outcome.expected else logging.WARNING
        logger.log(level, "message changes nothing", extra={**details, "reason": outcome.reason})
    elif isinstance(message, StepResolved):
        # The text itself is in the stream and in the archive; it may name people.
        logger.warning("an operator's decision is carried out", extra=details)
    elif isinstance(message, StepOverdue):
        _report_overdue(received, message, outcome, details)


def _report_overdue(
    received: Received, late: StepOverdue, outcome: SagaOutcome, details: dict[str, object]
) -> None:
    details |= {"step": late.step, "attempt": late.attempt}
    if not outcome.outputs:
        logger.warning(
            "a deadline was called before its time: its request went out again after a crash, or the clocks "
            "of the hosts that run the saga differ",
            extra={**details, "arrived": received.arrival.isoformat()},
        )
    elif outcome.alert:
        correlation_ids = [output.correlation_id for output in outcome.outputs]
        logger.error(
            "ALERT: no reply came in time, and the request is made again",
            extra={**details, "requests": correlation_ids},
        )
    else:
        logger.warning("no reply came in time; the order is cancelled", extra=details)
