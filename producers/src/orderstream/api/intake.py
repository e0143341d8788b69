"""Takes orders and cancellations in: remember, publish, wait for the acknowledgement. Blocking; no HTTP."""

import datetime as dt
import hashlib
from collections.abc import Callable
from typing import Final, TypeVar

from orderstream.api.acceptance import accept
from orderstream.api.idempotency import Accepted, IdempotencyStore
from orderstream.api.requests import Rejection, read_request
from orderstream.errors import OrderstreamError
from orderstream.events import (
    Envelope,
    OrderCancellationRequested,
    initial,
    initial_event_id,
    order_id_for,
)
from orderstream.publisher import EventPublisher

_T = TypeVar("_T")

SOURCE: Final = "orders"
"""Who emits the events: the owner of ``OrderPlaced``."""


CANCELLATION_SLOTS: Final = 8
"""Different cancellations that keys can ask for, of one order, beside the one without a key.

Each becomes an entry of the order's inbox, whose room is bounded, and keys are made up freely: they share
slots, so that no number of requests pushes out what the order itself depends on.
"""


class UnknownOutcomeError(OrderstreamError):
    """The request may or may not have been taken.

    Args:
        reason: What did not answer.
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
        clock: The time (UTC, with zone).
        patience: Seconds to wait for Kinesis' acknowledgement, above 0.
    """

    def __init__(
        self,
        publisher: EventPublisher,
        store: IdempotencyStore,
        clock: Callable[[], dt.datetime],
        patience: float,
    ) -> None:
        self._publisher = publisher
        self._store = store
        self._clock = clock
        self._patience = patience

    def place(self, caller: str, idempotency_key: str, body: bytes) -> str | Rejection:
        """Take an order in, or say why not.

        It publishes even what is known already: the first try may have died between the two.

        Args:
            caller: Who orders; the scope of the key.
            idempotency_key: The caller's own name for the order.
            body: The request's body.

        Returns:
            The order's id once Kinesis has acknowledged the event, or the rejection.

        Raises:
            UnknownOutcomeError: ask again with the same key.
        """
        request = read_request(body)
        if isinstance(request, Rejection):
            return request
        order_id = order_id_for(caller, idempotency_key)
        placed = accept(order_id, request)
        if isinstance(placed, Rejection):
            return placed
        candidate = Accepted(
            digest=request.digest(),
            placed_at=self._clock(),
            event_id=initial_event_id(SOURCE, caller, idempotency_key),
        )
        accepted = self._known(lambda: self._store.put_if_absent(order_id, candidate))
        if accepted.digest != candidate.digest:
            return Rejection(
                "idempotency_conflict",
                "another order was placed under this Idempotency-Key: use a new key for a new order",
                field="Idempotency-Key",
            )
        self._publish(initial(placed, source=SOURCE, event_id=accepted.event_id, time=accepted.placed_at))
        return order_id

    def cancel(self, order_id: str, idempotency_key: str) -> bool:
        """Publish that an order's cancellation is asked for.

        Args:
            order_id: The order.
            idempotency_key: The caller's own name for the request; may be empty: an order has one
                cancellation then. Keys share ``CANCELLATION_SLOTS``: two that meet are one request.

        Returns:
            False if there is no such order; True once Kinesis has acknowledged the event.

        Raises:
            UnknownOutcomeError: ask again with the same key.
        """
        accepted = self._known(lambda: self._store.get(order_id))
        if accepted is None:
            return False
        self._publish(
            initial(
                OrderCancellationRequested(order_id=order_id),
                source=SOURCE,
                event_id=initial_event_id(f"{SOURCE}:cancellation", order_id, _slot(idempotency_key)),
                time=self._clock(),
                conversation_id=accepted.event_id,
            )
        )
        return True

    def _publish(self, envelope: Envelope) -> None:
        self._known(lambda: self._publisher.publish_envelope(envelope).result(self._patience))

    @staticmethod
    def _known(ask: Callable[[], _T]) -> _T:
        try:
            return ask()
        except (OrderstreamError, TimeoutError) as error:
            raise UnknownOutcomeError(str(error)) from error


def _slot(idempotency_key: str) -> str:
    """The slot of a cancellation's key; none for no key."""
    if not idempotency_key:
        return ""
    return str(hashlib.sha256(idempotency_key.encode()).digest()[0] % CANCELLATION_SLOTS)
