"""Which requests have been taken, and with which event: the memory behind ``Idempotency-Key``."""

import datetime as dt
from dataclasses import dataclass
from typing import Final, Protocol

MAX_ORDER_ID_BYTES: Final = 2_048
"""Longest order id that is remembered, UTF-8: the longest key of an item in DynamoDB."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """A request as it was taken the first time. It never changes.

    Attributes:
        digest: Digest of what was asked for.
        placed_at: When (UTC): the time of the event, in every retry.
        event_id: Id of the event; an order's first event names its conversation, too.
        event: The event itself, as JSON, in every retry; None in what version 1 remembers.
        caller: Whose the order is; None for a cancellation, and for an order of a version that knew no
            callers.
    """

    digest: str
    placed_at: dt.datetime
    event_id: str
    event: bytes | None = None
    caller: str | None = None


class IdempotencyStore(Protocol):
    """Remembers accepted orders for good. Safe to use from many threads."""

    def put_if_absent(self, order_id: str, accepted: Accepted) -> Accepted:
        """Remember an order unless it is known already.

        Returns:
            What is remembered now: the argument, or what came first.

        Raises:
            DependencyError: it is unknown whether it is remembered; asking again is safe.
            ValueError: no order can have such an id.
        """

    def get(self, order_id: str) -> Accepted | None:
        """What is remembered of an order, consistently read; None if it was never accepted.

        Raises:
            DependencyError: the store could not be asked.
        """


def is_possible(order_id: str) -> bool:
    """Whether an order can have this id; a URL may contain any text."""
    try:
        return 1 <= len(order_id.encode()) <= MAX_ORDER_ID_BYTES
    except UnicodeEncodeError:
        return False


def check_order_id(order_id: str) -> None:
    """Refuse an id that no store takes.

    Raises:
        ValueError: it is empty, too long, or no Unicode text.
    """
    if not is_possible(order_id):
        raise ValueError(f"an order id has 1 to {MAX_ORDER_ID_BYTES:,} bytes of Unicode text")
