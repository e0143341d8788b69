"""Carrying out inventory's requests: one conditional transaction per step, until there is a reply."""

import datetime as dt
import logging
import random
import time
from collections.abc import Callable, Mapping, Sequence
from functools import cache, partial
from typing import Final

from orderstream.messages import Envelope, following, replying
from orderstream_consumer.idempotency.dispatch import Count, uncounted
from orderstream_consumer.idempotency.inbox import ARRIVAL, CAPACITY, Arrival
from orderstream_consumer.idempotency.once import report_repetition
from orderstream_consumer.idempotency.publisher import Publisher
from orderstream_consumer.idempotency.received import Received
from orderstream_consumer.store import ConditionFailedError, ContentionError, Store, Write
from orderstream_orders.contracts import (
    OrderConfirmed,
    ReleaseStock,
    Reply,
    ReserveStock,
    StepResolved,
    StockLine,
    StockSold,
)
from orderstream_workers.services.inventory.by_hand import released_by_hand
from orderstream_workers.services.inventory.chunk import MAX_CHUNK, Chunk
from orderstream_workers.services.inventory.domain import (
    Movement,
    Refusal,
    Request,
    Step,
    next_step,
    normalized,
    refuse,
)
from orderstream_workers.services.inventory.errors import StockImbalanceError
from orderstream_workers.services.inventory.reservations import Reservations, Stored
from orderstream_workers.services.inventory.stock import is_known, movements

SOURCE: Final = "inventory"

_STEP: Final = "reserve_stock"
"""What the coordinator calls the step whose compensation is the release."""

_log = logging.getLogger(__name__)


class InventoryHandlers:
    """Reserves, releases and sells stock.

    A request is carried out step by step (see ``domain``). Each step is one transaction: the header, on
    condition of its version, and the stock items of a chunk, on condition that the units are there. Only the
    step that ends the request also writes its inbox entry, with the reply: a redelivery before that goes on
    at the header's chunk, a redelivery after it sends the stored reply again.

    Args:
        store: Where stock and reservations are kept.
        publisher: Sends the replies, and returns once they are acknowledged.
        clock: The time (UTC, with zone).
        max_chunk: Lines in one transaction, 1 to 98.
        draw: A random number in [0, 1), for jitter.
        sleep: Waits for so many seconds.
        count: Counts ``unexpected``: requests that do not fit the reservation, such as a confirmation of an
            order that was never placed. They change nothing.
        inbox_capacity: Entries of one order's inbox that are kept, at least 1.
    """

    def __init__(
        self,
        *,
        store: Store,
        publisher: Publisher,
        clock: Callable[[], dt.datetime],
        max_chunk: int = MAX_CHUNK,
        draw: Callable[[], float] = random.random,
        sleep: Callable[[float], None] = time.sleep,
        count: Count = uncounted,
        inbox_capacity: int = CAPACITY,
    ) -> None:
        self._store = store
        self._publisher = publisher
        self._clock = clock
        self._max_chunk = max_chunk
        self._draw = draw
        self._sleep = sleep
        self._count = count
        self._reservations = Reservations(store, inbox_capacity)

    def routes(self) -> Mapping[str, Callable[[Received], None]]:
        """The handler of each type that inventory acts on, by type name."""
        handled = {kind.type_name(): self.handle for kind in (ReserveStock, ReleaseStock, OrderConfirmed)}
        return {**handled, StepResolved.type_name(): self.step_resolved}

    def handle(self, received: Received) -> None:
        """Carry a request out and send its reply.

        Args:
            received: A ``ReserveStock``, ``ReleaseStock`` or ``OrderConfirmed``.

        Raises:
            DependencyError: the store or the stream failed, or there were too many conflicts; handle it
                again.
            InvalidStockLinesError: the command asks for less than one unit.
            StockImbalanceError: the stock does not hold what the order has reserved.
        """
        request = received.message(ReserveStock, ReleaseStock, OrderConfirmed)
        asked = normalized(request.lines) if isinstance(request, ReserveStock) else ()
        kept_lines = cache(partial(self._reservations.lines, request.order_id))
        chunk = Chunk(self._max_chunk, self._max_chunk)
        refusal: Refusal | None = None
        stored = self._reservations.load(request.order_id)
        received.span.set(ARRIVAL, stored.inbox.classify(received).value)
        while stored.inbox.classify(received) is Arrival.FRESH:
            step = _step(stored, request, len(asked), chunk, refusal)
            if step is None:
                self._report_senseless(request, stored)
                return
            lines = asked if stored.version is None or not step.moved else kept_lines()
            moved = lines[step.moved.start : step.moved.stop]
            try:
                stored = self._commit(received, stored, step, moved, asked)
            except ContentionError:
                chunk = chunk.after_conflict()
                if chunk.exhausted:
                    raise
                self._sleep(chunk.delay(self._draw()))
                stored, refusal = self._reservations.load(request.order_id), None
            except ConditionFailedError as failure:
                refusal = self._refusal(request, step, moved, failure)
                if refusal is None:
                    stored = self._reservations.load(request.order_id)
            else:
                chunk, refusal = chunk.after_commit(), None
        self._reply(received, stored)

    def step_resolved(self, received: Received) -> None:
        """Apply an operator's decision that the units are returned, so that inventory moves none again.

        Raises:
            DependencyError: the store did not respond; handle it again.
        """
        resolved = received.message(StepResolved)
        if (resolved.step, resolved.decision) == (_STEP, "done"):
            released_by_hand(self._store, received.subject)

    def _commit(
        self,
        received: Received,
        stored: Stored,
        step: Step,
        moved: Sequence[StockLine],
        asked: Sequence[StockLine],
    ) -> Stored:
        if step.reply is None:
            advanced = stored.after(step)
        else:
            decided_at = stored.decided_at(step.reply, self._clock())
            advanced = stored.ended(step, received, _reported(received, step.reply, decided_at))
        writes: list[Write] = [self._reservations.header(received.subject, stored, advanced)]
        if step.movement is not None:
            writes += movements(step.movement, moved)
        if stored.version is None and moved:
            writes.append(self._reservations.first_lines(received.subject, asked))
        self._store.transact(writes)
        return advanced

    def _reply(self, received: Received, stored: Stored) -> None:
        """Send what was committed: just now, or by a delivery of the same record whose reply may be lost."""
        arrival = stored.inbox.classify(received)
        if arrival is Arrival.REDELIVERED:
            self._publisher.publish(stored.inbox.outputs(received.envelope.id), received.subject)
        else:
            report_repetition(received, arrival)

    def _report_senseless(self, request: Request, stored: Stored) -> None:
        """Nothing can be done for the request; it should not have been sent."""
        fields = {
            "order_id": request.order_id,
            "request": request.type_name(),
            "phase": stored.state.phase if stored.state else None,
        }
        self._count("unexpected")
        _log.error("request does not fit the reservation; nothing was changed", extra=fields)

    def _refusal(
        self, request: Request, step: Step, moved: Sequence[StockLine], failure: ConditionFailedError
    ) -> Refusal | None:
        """Why a commit was refused: None where another worker has advanced the header in the meantime."""
        if 0 in failure.failed:
            return None
        missing = tuple(moved[index - 1].sku for index in failure.failed if index <= len(moved))
        if not missing:
            raise failure
        if step.movement is not Movement.HOLD:
            raise StockImbalanceError(request.order_id, missing) from failure
        sku = missing[0]
        return Refusal("out_of_stock" if is_known(self._store, sku) else "unknown_sku", sku)


def _reported(received: Received, reply: Reply | StockSold, decided_at: dt.datetime) -> Envelope:
    if isinstance(reply, StockSold):
        return following(received.envelope, reply, source=SOURCE, ordinal=0, time=decided_at)
    return replying(received.envelope, reply, source=SOURCE, time=decided_at)


def _step(
    stored: Stored, request: Request, line_count: int, chunk: Chunk, refusal: Refusal | None
) -> Step | None:
    if refusal is None:
        return next_step(stored.state, request, line_count, chunk.size)
    assert isinstance(request, ReserveStock)
    return refuse(stored.state, request, refusal, line_count)
