"""Takes orders and cancellations in: remember, publish, wait for the acknowledgement. Blocking; no HTTP."""

import datetime as dt
import hashlib
from collections.abc import Callable
from typing import Final, TypeVar

from orderstream.errors import OrderstreamError
from orderstream.messages import Envelope, decode_envelope, initial, initial_event_id
from orderstream.observability.tracing import NoTracer, Tracer
from orderstream.publisher import EventPublisher
from orderstream_orders.api.acceptance import accept
from orderstream_orders.api.access import OrderAccess
from orderstream_orders.api.idempotency import Accepted, IdempotencyStore
from orderstream_orders.api.repetition import digest_of, event_taken
from orderstream_orders.api.requests import Rejection, read_request, unsupported
from orderstream_orders.contracts import OrderCancellationRequested, OrderPlaced, order_id_for

_T = TypeVar("_T")

_NO_TRACER: Final[Tracer] = NoTracer()

SOURCE: Final = "orders"
"""Who publishes the events: the owner of ``OrderPlaced``."""


CANCELLATION_SLOTS: Final = 8
"""Different cancellations that keys can ask for, of one order, beside the one without a key.

Each becomes an entry of the order's inbox, whose room is bounded, and keys are made up freely: they share
slots, so that no number of requests pushes out what the order itself depends on. The first key of a slot
names the event of all of them.
"""


class UnknownOutcomeError(OrderstreamError):
    """The request may or may not have been taken.

    Args:
        reason: What did not respond.
    """

    retryable = True

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(f"the outcome is unknown ({reason}): ask again with the same Idempotency-Key")


class Intake:
    """What the API does, one blocking call per request. Safe to use from many threads.

    Args:
        publisher: Publishes the events.
        store: Remembers accepted orders.
        access: Knows whose they are.
        clock: The time (UTC, with zone).
        timeout: Seconds to wait for Kinesis' acknowledgement, above 0.
        tracer: Knows the request's span, which each event names as its cause; by default nothing is traced.
    """

    def __init__(
        self,
        publisher: EventPublisher,
        store: IdempotencyStore,
        access: OrderAccess,
        clock: Callable[[], dt.datetime],
        timeout: float,
        tracer: Tracer = _NO_TRACER,
    ) -> None:
        self._publisher = publisher
        self._store = store
        self._access = access
        self._clock = clock
        self._timeout = timeout
        self._tracer = tracer

    def place(
        self, caller: str, idempotency_key: str, body: bytes, content_type: str | None
    ) -> str | Rejection:
        """Take an order in, or say why not.

        An order that was taken under the key stays taken: a repeated request gets the same response and
        publishes the same event, whatever this version's rules say of it. It publishes even what is known
        already: the first try may have died between the two.

        Args:
            caller: Who orders; the scope of the key.
            idempotency_key: The caller's own name for the order.
            body: The request's body.
            content_type: What the request says that the body is; None if it does not.

        Returns:
            The order's id once Kinesis has acknowledged the event, or the rejection.

        Raises:
            UnknownOutcomeError: ask again with the same key.
        """
        order_id = order_id_for(caller, idempotency_key)
        span = self._tracer.current()
        span.set("orderstream.order_id", order_id)
        judged = _judge(order_id, body, content_type, self._access.placed_by(caller))
        if isinstance(judged, Rejection):
            taken = self._known(lambda: self._store.get(order_id))
            event = event_taken(order_id, body, taken, SOURCE) if taken is not None else None
            if taken is None or event is None:
                return judged
        else:
            digest, placed = judged
            event_id = initial_event_id(SOURCE, caller, idempotency_key)
            first = initial(
                placed,
                source=SOURCE,
                event_id=event_id,
                time=self._clock(),
                traceparent=span.traceparent,
            )
            candidate = _accepted(digest, first, caller)
            taken = self._known(lambda: self._store.put_if_absent(order_id, candidate))
            event = first if taken == candidate else event_taken(order_id, body, taken, SOURCE)
            if event is None:
                return _CONFLICT
        self._known(lambda: self._access.claim(caller, order_id, taken))
        self._publish(event)
        return order_id

    def cancel(self, caller: str, order_id: str, idempotency_key: str) -> bool:
        """Publish that an order's cancellation is asked for; a repeated request publishes the same event.

        Args:
            caller: Who asks.
            order_id: The order.
            idempotency_key: The caller's own name for the request; may be empty: an order has one
                cancellation then. Keys share ``CANCELLATION_SLOTS``: two that meet are one request.

        Returns:
            False if the caller has no such order; True once Kinesis has acknowledged the event.

        Raises:
            UnknownOutcomeError: ask again with the same key.
        """
        order = self._known(lambda: self._access.find(caller, order_id))
        if order is None:
            return False
        span = self._tracer.current()
        span.set("orderstream.order_id", order_id)
        requested = initial(
            OrderCancellationRequested(order_id=order_id),
            source=SOURCE,
            event_id=initial_event_id(f"{SOURCE}:cancellation", order_id, idempotency_key),
            time=self._clock(),
            conversation_id=order.event_id,
            traceparent=span.traceparent,
        )
        candidate = _accepted(hashlib.sha256(idempotency_key.encode()).hexdigest(), requested)
        slot = f"{order_id}/cancellation/{_slot(idempotency_key)}"
        taken = self._known(lambda: self._store.put_if_absent(slot, candidate))
        self._publish(requested if taken.event is None else decode_envelope(taken.event))
        return True

    def _publish(self, envelope: Envelope) -> None:
        span = self._tracer.current()
        if envelope.traceparent is not None and envelope.traceparent != span.traceparent:
            span.link(envelope.traceparent)  # a repetition has its own trace, and its event the first one's
        self._known(lambda: self._publisher.publish_envelope(envelope).result(self._timeout))

    @staticmethod
    def _known(ask: Callable[[], _T]) -> _T:
        try:
            return ask()
        except (OrderstreamError, TimeoutError) as error:
            raise UnknownOutcomeError(str(error)) from error


def _judge(
    order_id: str, body: bytes, content_type: str | None, placed_by: str | None
) -> tuple[str, OrderPlaced] | Rejection:
    """By the rules of today: what is asked for, as a digest and as an event, or why it is refused."""
    request = unsupported(content_type) or read_request(body)
    if isinstance(request, Rejection):
        return request
    placed = accept(order_id, request, placed_by)
    return placed if isinstance(placed, Rejection) else (digest_of(request), placed)


def _accepted(digest: str, event: Envelope, caller: str | None = None) -> Accepted:
    return Accepted(
        digest=digest, placed_at=event.time, event_id=event.id, event=event.encode(), caller=caller
    )


def _slot(idempotency_key: str) -> str:
    """The slot of a cancellation's key; none for no key."""
    if not idempotency_key:
        return ""
    return str(hashlib.sha256(idempotency_key.encode()).digest()[0] % CANCELLATION_SLOTS)


_CONFLICT: Final = Rejection(
    "idempotency_conflict",
    "another order was placed under this Idempotency-Key: use a new key for a new order",
    field="Idempotency-Key",
)
