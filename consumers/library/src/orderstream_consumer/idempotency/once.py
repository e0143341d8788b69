"""One decision per input: commit state, inbox entry and outputs at once, then publish what was committed.

An input that comes again is not decided again: what was committed is published once more, after its service
has noted what that changes, such as from when a deadline counts.
"""

import logging
import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Generic

from orderstream.errors import DependencyError
from orderstream.messages import Envelope, check_conversation
from orderstream_consumer.idempotency.inbox import ARRIVAL, CAPACITY, Arrival, Inbox
from orderstream_consumer.idempotency.publisher import Publisher
from orderstream_consumer.idempotency.received import Received, subject_of
from orderstream_consumer.idempotency.state_items import State, StateItems
from orderstream_consumer.processing.backoff import Backoff
from orderstream_consumer.store import (
    Attribute,
    ConditionFailedError,
    ContentionError,
    Item,
    Store,
    Write,
)

logger = logging.getLogger(__name__)

_TRIES: Final = 6
"""Tries against contention before the input goes back to its own retry."""

_REMEMBERED: Final = 1_024
"""Commits without a response that are remembered: more than there are lanes."""

_CONTENTION: Final = Backoff(first=0.04, longest=1.28, least=0.0)


@dataclass(frozen=True, slots=True)
class Decision(Generic[State]):
    """What a service decides on a message.

    Attributes:
        state: The order's state from now on.
        outputs: The messages to publish, in order.
        writes: What else has to change in the same transaction, such as timers.
        committed: Called once all this is committed, by the process that did it, also where the store's
            response to the commit was lost: what is measured there is measured once. It is not called where
            another process commits or learns of it first: after a crash, or after the lease was lost.
    """

    state: State
    outputs: Sequence[Envelope] = ()
    writes: Sequence[Write] = ()
    committed: Callable[[], object] = lambda: None


@dataclass(frozen=True, slots=True)
class Change(Generic[State]):
    """What a service notes before the outputs of an earlier decision go out again.

    Attributes:
        state: The order's state from now on.
        writes: What else has to change in the same transaction, such as timers.
    """

    state: State
    writes: Sequence[Write] = ()


class Once(Generic[State]):
    """Keeps one item per order, with its state and its inbox, and applies each message to it once.

    Args:
        store: Where the items are.
        table: Their table; the key is the order id.
        state_type: What the state is decoded to.
        publisher: Puts the outputs into the stream.
        inbox_capacity: Entries of one order's inbox that are kept, at least 1; 64 by default.
        sleep: Waits so many seconds between two tries.
    """

    def __init__(
        self,
        *,
        store: Store,
        table: str,
        state_type: type[State],
        publisher: Publisher,
        inbox_capacity: int = CAPACITY,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._store = store
        self._items = StateItems(table, state_type)
        self._publisher = publisher
        self._inbox_capacity = inbox_capacity
        self._sleep = sleep
        self._unanswered: dict[tuple[str, str], Callable[[], object]] = {}

    def apply(
        self,
        received: Received,
        decide: Callable[[State | None], Decision[State] | None],
        *,
        again: Callable[[State, Sequence[bytes]], Change[State] | None] | None = None,
        key: str | None = None,
    ) -> None:
        """Apply one delivery. Returns once its outputs, if any, are acknowledged.

        Args:
            received: The delivery.
            decide: Decides on the order's state (None: not known yet). It may be asked more than once, each
                time with a fresh state, and must do nothing but decide. None means: nothing to record.
            again: Asked in the same way before the outputs of a redelivered message go out again, with the
                state and the encoded outputs. None, or a service without it: nothing to note.
            key: The item's; by default the subject, of which a service has one item.

        Raises:
            ConversationBegunError, CommandWithoutSenderError, ReplyWithoutCommandError: an output lacks what
                a message of its kind must have; nothing is committed.
            ConditionFailedError: the condition of one of the decision's own writes does not hold; the indexes
                are those of ``Decision.writes``.
            DependencyError: try the whole delivery again.
        """
        key = key or received.subject
        for attempt in range(_TRIES):
            item = self._store.get(self._items.table, key)
            inbox = self._items.inbox(item, self._inbox_capacity)
            arrival = inbox.classify(received)
            received.span.set(ARRIVAL, arrival.value)
            if arrival in {Arrival.DUPLICATE, Arrival.FORGED}:
                report_repetition(received, arrival)
                return
            try:
                if arrival is Arrival.FRESH:
                    outputs = self._decide(received, key, item, inbox, decide)
                else:
                    outputs = inbox.outputs(received.envelope.id)
                    # Our own commit, whose response was lost.
                    self._unanswered.pop(_delivery(received), _nothing)()
                    self._note(key, item, inbox, outputs, again)
            except (ContentionError, _Overtaken):
                self._sleep(_CONTENTION.pause(attempt, random.random()))  # noqa: S311 - jitter
                continue
            if outputs is not None:
                self._publisher.publish(outputs, received.subject)
            return
        raise ContentionError("TransactWriteItems")

    def load(self, key: str) -> tuple[State | None, int | None]:
        """Read an item's state and its version; None and None where it is not known."""
        item = self._store.get(self._items.table, key)
        return self._state(item), item.version if item else None

    def _state(self, item: Item | None) -> State | None:
        return None if item is None else self._items.state(item)

    def _decide(
        self,
        received: Received,
        key: str,
        item: Item | None,
        inbox: Inbox,
        decide: Callable[[State | None], Decision[State] | None],
    ) -> list[bytes] | None:
        """Commit what is decided; gives the encoded outputs, or None where there is nothing to record."""
        decision = decide(self._state(item))
        if decision is None:
            return None
        for envelope in decision.outputs:
            check_conversation(envelope)
        outputs = [envelope.encode() for envelope in decision.outputs]
        entries = inbox.with_entry(received, outputs)
        try:
            self._commit(key, item, entries, decision.state, decision.writes)
        except ContentionError:
            raise  # nothing was written
        except DependencyError:
            self._expect_response(received, decision)
            raise
        self._unanswered.pop(_delivery(received), None)
        decision.committed()
        return outputs

    def _expect_response(self, received: Received, decision: Decision[State]) -> None:
        """Remember what to do should the commit turn out to have been done."""
        known = list(self._unanswered)
        for oldest in known[: max(0, len(known) - _REMEMBERED + 1)]:
            self._unanswered.pop(oldest, None)
        self._unanswered[_delivery(received)] = decision.committed

    def _note(
        self,
        key: str,
        item: Item | None,
        inbox: Inbox,
        outputs: Sequence[bytes],
        again: Callable[[State, Sequence[bytes]], Change[State] | None] | None,
    ) -> None:
        """Commit what a service notes of outputs that go out again; the inbox stays as it is."""
        state = self._state(item)
        if again is None or item is None or state is None:
            return
        change = again(state, outputs)
        if change is not None:
            self._commit(key, item, inbox.entries, change.state, change.writes)

    def _commit(
        self,
        key: str,
        item: Item | None,
        entries: Mapping[str, Attribute],
        state: State,
        writes: Sequence[Write],
    ) -> None:
        put = self._items.put(key, state, inbox=entries, version=item.version if item else None)
        try:
            self._store.transact([put, *writes])
        except ConditionFailedError as error:
            if 0 in error.failed:
                raise _Overtaken from error
            raise ConditionFailedError(tuple(index - 1 for index in error.failed)) from error


def _delivery(received: Received) -> tuple[str, str]:
    return received.record_id, received.envelope.id


def _nothing() -> None:
    pass


class _Overtaken(Exception):  # noqa: N818 - not an error: another delivery came first
    """The order's item has changed since it was read."""


def report_repetition(received: Received, arrival: Arrival) -> None:
    """Log a delivery that is dropped: a duplicate is normal, a forged one never is."""
    details = {
        **subject_of(received.envelope),
        "event_id": received.envelope.id,
        "event_type": received.envelope.type,
        "record_id": received.record_id,
    }
    if arrival is Arrival.FORGED:
        logger.error("ALARM: an event id came again with another content; dropped", extra=details)
    else:
        logger.debug("duplicate dropped", extra=details)
