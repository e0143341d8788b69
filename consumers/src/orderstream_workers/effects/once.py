"""One decision per input: commit state, inbox entry and outputs at once, then emit what was committed."""

import logging
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

import msgspec

from orderstream.events import Envelope
from orderstream_workers.effects.emitter import Emitter
from orderstream_workers.effects.inbox import CAPACITY, INBOX, Arrival, Inbox
from orderstream_workers.effects.received import Received
from orderstream_workers.store import ConditionFailedError, ContentionError, Item, Put, Store, Write

logger = logging.getLogger(__name__)

State = TypeVar("State", bound=msgspec.Struct)

_TRIES: Final = 6
"""Tries against contention before the input goes back to its own retry."""


@dataclass(frozen=True, slots=True)
class Decision(Generic[State]):
    """What a service decides on a message.

    Attributes:
        state: The order's state from now on.
        outputs: The messages to emit, in order.
        writes: What else has to change in the same transaction, such as timers.
    """

    state: State
    outputs: Sequence[Envelope] = ()
    writes: Sequence[Write] = ()


class Once(Generic[State]):
    """Keeps one item per order, with its state and its inbox, and applies each message to it once.

    Args:
        store: Where the items are.
        table: Their table; the key is the order id.
        state_type: What the state is decoded to.
        emitter: Puts the outputs into the stream.
        inbox_capacity: Entries of one order's inbox that are kept, at least 1; 64 by default.
        sleep: Waits so many seconds between two tries.
    """

    def __init__(
        self,
        *,
        store: Store,
        table: str,
        state_type: type[State],
        emitter: Emitter,
        inbox_capacity: int = CAPACITY,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self._store = store
        self._table = table
        self._decoder = msgspec.json.Decoder(state_type)
        self._emitter = emitter
        self._inbox_capacity = inbox_capacity
        self._sleep = sleep

    def apply(self, received: Received, decide: Callable[[State | None], Decision[State] | None]) -> None:
        """Apply one delivery. Returns once its outputs, if any, are acknowledged.

        Args:
            received: The delivery.
            decide: Decides on the order's state (None: not known yet). It may be asked more than once, each
                time with a fresh state, and must do nothing but decide. None means: nothing to record.

        Raises:
            ConditionFailedError: the condition of one of the decision's own writes does not hold; the indexes
                are those of ``Decision.writes``.
            DependencyError: try the whole delivery again.
        """
        for attempt in range(1, _TRIES + 1):
            item = self._store.get(self._table, received.order_id)
            inbox = Inbox.of(item, self._inbox_capacity)
            arrival = inbox.classify(received)
            if arrival is Arrival.FRESH:
                decision = decide(self._state(item))
                if decision is None:
                    return
                outputs = [envelope.encode() for envelope in decision.outputs]
                try:
                    self._commit(received, item, inbox, decision, outputs)
                except (ContentionError, _Overtaken):
                    self._sleep(random.uniform(0, 0.02 * 2**attempt))  # noqa: S311 - jitter
                    continue
                self._emitter.emit(outputs, received.order_id)
            elif arrival is Arrival.REDELIVERED:
                self._emitter.emit(inbox.outputs(received.envelope.id), received.order_id)
            else:
                report_repetition(received, arrival)
            return
        raise ContentionError("TransactWriteItems")

    def load(self, order_id: str) -> tuple[State | None, int | None]:
        """Read an order's state and its item's version; None and None where it is not known."""
        item = self._store.get(self._table, order_id)
        return self._state(item), item.version if item else None

    def _state(self, item: Item | None) -> State | None:
        if item is None:
            return None
        content = item.attributes["state"]
        assert isinstance(content, bytes)
        return self._decoder.decode(content)

    def _commit(
        self,
        received: Received,
        item: Item | None,
        inbox: Inbox,
        decision: Decision[State],
        outputs: Sequence[bytes],
    ) -> None:
        put = Put(
            self._table,
            received.order_id,
            {"state": msgspec.json.encode(decision.state), INBOX: inbox.with_entry(received, outputs)},
            item.version if item else None,
        )
        try:
            self._store.transact([put, *decision.writes])
        except ConditionFailedError as error:
            if 0 in error.failed:
                raise _Overtaken from error
            raise ConditionFailedError(tuple(place - 1 for place in error.failed)) from error


class _Overtaken(Exception):  # noqa: N818 - not an error: another delivery came first
    """The order's item has changed since it was read."""


def report_repetition(received: Received, arrival: Arrival) -> None:
    """Log a delivery that is dropped: a duplicate is normal, a forged one never is."""
    details = {
        "order_id": received.order_id,
        "event_id": received.envelope.id,
        "event_type": received.envelope.type,
        "place": received.place,
    }
    if arrival is Arrival.FORGED:
        logger.error("ALARM: an event id came again with another content; dropped", extra=details)
    else:
        logger.debug("duplicate dropped", extra=details)
