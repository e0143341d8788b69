"""The payment worker: permits first, then messages, then each message's payment is settled.

::

    free thread ──> permits ──> receive, no more than permits ──> settle ──> delete
                       ^                                            │ no definite response
                       └── pause while the provider fails <─────────┴──> visible again after a backoff

A permit is taken before a message is received: a message that waited for its turn in a worker's hands would
come back, be received again, and end in the dead letters without ever having been tried. Permits are for now:
those that grew old while the queue was being polled are not used. Where the provider allows so many calls at
the same time, each permit comes with a slot, which is given back after its call or unused.

An outage dead-letters nothing either. A message that has been received several times only because the
provider or a store did not respond is sent again, and the old one is deleted after that is acknowledged.
"""

import datetime as dt
import logging
import math
import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from orderstream.errors import DependencyError
from orderstream.observability.log_context import log_about, log_scope, span_fields
from orderstream.observability.metrics import Meter
from orderstream_consumer.idempotency import Publisher
from orderstream_consumer.limits import RateLimiter, SharedSlots
from orderstream_consumer.processing.backoff import Backoff
from orderstream_consumer.processing.clock import utc_now
from orderstream_consumer.processing.log_throttle import LogThrottle
from orderstream_consumer.processing.process_spans import SLOW_SECONDS
from orderstream_consumer.store import Store
from orderstream_workers.services.payments.counters import PaymentCounters
from orderstream_workers.services.payments.provider import PaymentProvider, ProviderUnavailableError
from orderstream_workers.services.payments.provider.limited import LimitedProvider, MessagePermits
from orderstream_workers.services.payments.queue import PaymentQueue, QueuedPayment
from orderstream_workers.services.payments.queue_limits import MAX_MESSAGES
from orderstream_workers.services.payments.settlement import Settlement
from orderstream_workers.services.payments.spans import QueuedSpans
from orderstream_workers.services.payments.standing import PaymentStanding, StandingKeeper

logger = logging.getLogger(__name__)

_PERMIT_SECONDS: Final = 0.2
"""How long a permit is good for."""

_PERMIT_PATIENCE: Final = 10.0
"""Seconds that a message waits for a permit in a worker's hands before it is handed back."""

_TRIED_AGAIN: Final = Backoff(first=0.5, longest=30.0)
"""When a message that got no response is tried again, unless the provider asks for more."""

_LONGEST_DELAY: Final = 900.0
"""Most seconds that SQS delays a message."""

_PAUSES: Final = Backoff(first=0.5, longest=5.0)
"""How long the worker stays away from the queue; at most, how late it notices that an outage is over."""

_WARN_EVERY: Final = 10.0
"""Seconds between two warnings that payments get no response; those between are logged at INFO."""

_NOT_TRACED: Final = QueuedSpans()

_FRESH_AFTER: Final = 5
"""Receives after which a message that only an outage held up is sent again; half of what the queue allows."""


class PaymentWorker:
    """Settles payments until a signal stops it.

    Args:
        store: Where payments are kept.
        queue: Where the messages come from.
        provider: Charges and gives back.
        limiter: The provider's limit, shared by all workers.
        slots: Those that the limiter takes with its permits; None if only the rate is limited.
        publisher: Sends the replies, and returns once they are acknowledged.
        clock: The time for decisions (UTC, with zone).
        wall_clock: The time for ``standing`` (UTC, with zone), which must not fail.
        threads: Payments settled at the same time, 1 or more.
        wait: Seconds of a long poll, 0 to 20; a stop waits for it.
        visibility: Seconds that a message is hidden while it is worked on: above the sum of the provider's
            and the publisher's timeout.
        now: Seconds on a monotonic clock.
        sleep: Waits so many seconds for a permit.
        draw: A random number in [0, 1), for jitter.
        spans: Begins a span for each message; by default nothing is traced.
        slow_seconds: A payment that took at least so long is logged at INFO; 0 does that with each.
        meter: Takes what is counted.
    """

    def __init__(
        self,
        *,
        store: Store,
        queue: PaymentQueue,
        provider: PaymentProvider,
        limiter: RateLimiter,
        slots: SharedSlots | None = None,
        publisher: Publisher,
        clock: Callable[[], dt.datetime],
        wall_clock: Callable[[], dt.datetime] = utc_now,
        threads: int = 8,
        wait: int = 1,
        visibility: int = 60,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] = time.sleep,
        draw: Callable[[], float] = random.random,
        spans: QueuedSpans = _NOT_TRACED,
        slow_seconds: float = SLOW_SECONDS,
        meter: Meter | None = None,
    ) -> None:
        self.counters = PaymentCounters(meter)
        self._standing = StandingKeeper(wall_clock)
        self._settlement = Settlement(
            store=store,
            provider=LimitedProvider(provider, slots, self.counters),
            publisher=publisher,
            clock=clock,
            tracer=spans.tracer,
        )
        self._spans = spans
        self._slow_seconds = slow_seconds
        self._queue = queue
        self._limiter = limiter
        self._slots = slots
        self._threads = threads
        self._free = threading.Semaphore(threads)
        self._wait = wait
        self._visibility = visibility
        self._now = now
        self._sleep = sleep
        self._draw = draw
        self._warnings = LogThrottle(_WARN_EVERY)
        # Written by many threads without a lock: one miscounted makes a pause a little longer or shorter.
        self._failures = 0

    def run(self, stop: threading.Event) -> None:
        """Work until stopped; what is in hand is finished first.

        Args:
            stop: Set to end the worker.
        """
        with ThreadPoolExecutor(self._threads, thread_name_prefix="payment") as pool:
            while not stop.is_set():
                try:
                    pause = self._round(pool)
                except DependencyError as error:
                    self._failures += 1
                    self._standing.round_failed(str(error))
                    logger.warning("no payments for now", extra={"error": error})
                    pause = 0.0
                stop.wait(max(pause, self._pause()))
        self._leave_slots()

    def standing(self) -> PaymentStanding:
        """The worker's state, for ``/health``; from any thread."""
        return self._standing.standing()

    def work(self, message: QueuedPayment, granted_at: float) -> None:
        """Settle one message's order and release the message, or hand it back for later.

        Args:
            message: The message.
            granted_at: When its permit was granted, on the monotonic clock.
        """
        began = self._now()
        with self._spans.message(message) as span:
            log_about(**span_fields(span.traceparent))
            try:
                self._work(message, granted_at)
            except DependencyError as error:
                span.fail(type(error).__name__)
                self._failures += 1
                self._postpone(message, error)
            except Exception as error:
                # The message's own failure: it comes back when its visibility ends, and is a dead letter in
                # the end. The other messages go on.
                span.fail(type(error).__name__)
                self.counters.add("failed")
                logger.exception("payment failed", extra={"order_id": message.order_id})
            else:
                self._failures = 0
                self._standing.settled()
                self.counters.add("settled")
                took = self._now() - began
                level = logging.INFO if took >= self._slow_seconds else logging.DEBUG
                logger.log(level, "payment settled", extra={"duration_seconds": round(took, 3)})

    def _work(self, message: QueuedPayment, granted_at: float) -> None:
        permits = MessagePermits(
            slots=self._slots,
            fresh=lambda: self._now() - granted_at <= _PERMIT_SECONDS,
            another=lambda: self._await_permit(message),
        )
        try:
            self._settlement.settle(message.order_id, permits.call)
        finally:
            permits.close()
        self._queue.delete(message)

    def _round(self, pool: ThreadPoolExecutor) -> float:
        """Take permits, receive, and hand the messages to threads; returns seconds to wait."""
        threads = self._take_threads()
        granted = handed_over = 0
        try:
            if not threads:
                self._renew_slots()
                return 0.0
            permits = self._limiter.take(threads)
            granted = permits.granted
            granted_at = self._now()
            if not granted:
                self._standing.round_done()
                return permits.wait
            for message in self._queue.receive(granted, wait=self._wait, visibility=self._visibility):
                pool.submit(self._work_in_thread, message, granted_at)
                handed_over += 1
            self._standing.round_done()
            return 0.0
        finally:
            for _ in range(threads - handed_over):
                self._free.release()
            if self._slots is not None:
                for _ in range(granted - handed_over):
                    self._slots.give_back()

    def _renew_slots(self) -> None:
        """Keep the slots of calls that take long, while every thread makes one."""
        if self._slots is not None and self._slots.is_due():
            self._limiter.take(0)

    def _leave_slots(self) -> None:
        """Write down that this process holds none any more, rather than have the others wait for it."""
        if self._slots is None:
            return
        try:
            self._limiter.take(0)
        except DependencyError as error:
            logger.warning("slots are left to expire", extra={"error": error})

    def _take_threads(self) -> int:
        """Reserve free threads: waits a moment for the first, and takes one only while something fails."""
        if not self._free.acquire(timeout=0.5):
            return 0
        threads = 1
        wanted = 1 if self._failures else MAX_MESSAGES
        while threads < wanted and self._free.acquire(blocking=False):
            threads += 1
        return threads

    def _work_in_thread(self, message: QueuedPayment, granted_at: float) -> None:
        try:
            with log_scope():
                log_about(order_id=message.order_id)
                self.work(message, granted_at)
        finally:
            self._free.release()

    def _await_permit(self, message: QueuedPayment) -> None:
        self._queue.extend(message, self._visibility)
        deadline = self._now() + _PERMIT_PATIENCE
        while not (permits := self._limiter.take(1)).granted:
            if self._now() + permits.wait > deadline:
                raise DependencyError("payments API", "permit", "too many wait for their turn")
            self._sleep(permits.wait)
        self._queue.extend(message, self._visibility)

    def _postpone(self, message: QueuedPayment, error: DependencyError) -> None:
        """Hand a message back: its order is in doubt, and will be settled under the same keys."""
        seconds = _TRIED_AGAIN.pause(message.receives, self._draw())
        if isinstance(error, ProviderUnavailableError) and error.retry_after is not None:
            seconds = max(seconds, min(error.retry_after, _LONGEST_DELAY))
        delay = math.ceil(seconds)
        self.counters.add("postponed")
        self._standing.postponed(str(error))
        logger.log(
            self._level_of_outage(),
            "payment postponed",
            extra={"order_id": message.order_id, "error": error, "delay_seconds": delay},
        )
        try:
            if message.receives >= _FRESH_AFTER:
                self._queue.send(message.order_id, delay=delay)
                self._queue.delete(message)
            else:
                self._queue.extend(message, delay)
        except DependencyError as outage:
            # Nothing is lost: the message comes back when its visibility ends.
            logger.warning("message not handed back", extra={"error": outage})

    def _level_of_outage(self) -> int:
        """WARNING now and then, INFO for the many that say the same."""
        return logging.WARNING if self._warnings.is_due(self._now()) else logging.INFO

    def _pause(self) -> float:
        """Seconds to stay away from the queue while the world fails; 0 while it does not."""
        return _PAUSES.pause(self._failures - 1, self._draw()) if self._failures else 0.0
