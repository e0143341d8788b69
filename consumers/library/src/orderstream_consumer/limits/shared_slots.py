"""The slots of one process, for its threads: the rate limiter takes them, and calls give them back."""

import os
import socket
import threading
import time
from collections.abc import Callable
from typing import Final
from uuid import uuid4

from orderstream.errors import DependencyError
from orderstream_consumer.limits.slots import Holding, SlotHolder, SlotLimit, SlotPlan
from orderstream_consumer.store import Attribute, Item, ItemUnreadableError

HOLDERS: Final = "holders"
"""The attribute of the limit's item with the row of each holder."""


class SlotExpiredError(DependencyError):
    """A slot may be another's before the call that it was taken for would be over; nothing was called.

    Args:
        limit: The limit's name.
    """

    def __init__(self, limit: str) -> None:
        super().__init__(limit, "slot", "it may expire during the call: the process was frozen or is stuck")


class SharedSlots:
    """Slots that are taken with permits: see ``StoredRateLimiter``. Safe to use from many threads.

    Args:
        limit: What the provider allows.
        name: What the provider is called, in errors.
        holder: This process; by default a name that no process has had.
        now: Seconds on a monotonic clock.
    """

    def __init__(
        self,
        limit: SlotLimit,
        *,
        name: str,
        holder: str | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._holder = SlotHolder(holder or f"{socket.gethostname()}/{os.getpid()}/{uuid4().hex[:8]}", limit)
        self._limit = limit
        self._name = name
        self._now = now
        self._lock = threading.Lock()

    def plan(self, item: Item | None) -> SlotPlan:
        """What can be had, by the limit's item as it was read just now.

        Raises:
            ItemUnreadableError: the item is not as we write it.
        """
        rows = {} if item is None else _rows(item)
        with self._lock:
            return self._holder.plan(rows, self._now())

    def attributes(self, plan: SlotPlan, taken: int) -> dict[str, Attribute]:
        """The attributes to write with the permits.

        Args:
            plan: What could be had.
            taken: Slots that are taken, 0 to its room.
        """
        with self._lock:
            rows = self._holder.rows(plan, taken, self._now())
        return {HOLDERS: {name: {"slots": row.slots, "beat": row.beat} for name, row in rows.items()}}

    def written(self, taken: int, began: float) -> None:
        """Note that they are written; ``began`` is what ``now()`` gave before the write."""
        with self._lock:
            self._holder.written(taken, began)

    def now(self) -> float:
        """Seconds on the monotonic clock."""
        return self._now()

    def give_back(self, *, answered: bool = True) -> None:
        """Give one slot back, once its call is over or if it is not used.

        Args:
            answered: False where the call got no response: its slot stays taken for as long as the provider
                may still be at work.
        """
        with self._lock:
            self._holder.give_back(self._now(), answered=answered)

    def demand(self) -> None:
        """Call this right before the call that a slot was taken for.

        Raises:
            SlotExpiredError: the slot may be another's before the call would be over; do not call.
        """
        with self._lock:
            if not self._holder.may_call(self._now()):
                raise SlotExpiredError(self._name)

    def is_due(self) -> bool:
        """Whether a limiter is to renew the row now (``take(0)``), though nobody wants a permit."""
        with self._lock:
            return self._holder.is_due(self._now())

    def report(self) -> dict[str, int]:
        """What this process holds, and what there is, for a health page."""
        with self._lock:
            return {"slots_in_use": self._holder.in_use(self._now()), "slots": self._limit.at_once}


def _rows(item: Item) -> dict[str, Holding]:
    rows = {}
    for name, row in item.value(HOLDERS, dict, {}).items():
        slots, beat = (row.get("slots"), row.get("beat")) if isinstance(row, dict) else (None, None)
        if not isinstance(slots, int) or not isinstance(beat, int):
            raise ItemUnreadableError(
                f"the item {item.key!r} of table {item.table}", f"holder {name!r} has no slots and beat"
            )
        rows[name] = Holding(slots, beat)
    return rows
