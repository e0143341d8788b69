"""The stop signal of one shard."""

from collections.abc import Callable

from orderstream_consumer.engines.embedded.leases import OwnedLease
from orderstream_consumer.processing.concurrency import Event, Threads


class ShardStop:
    """Implements ``processor.StopSignal``: set by the worker, and by itself once the lease is no longer sure.

    Args:
        owned: The shard's lease.
        clock: Monotonic seconds.
        event: What it waits on; a new one by default.
    """

    def __init__(self, owned: OwnedLease, clock: Callable[[], float], event: Event | None = None) -> None:
        self._owned = owned
        self._clock = clock
        self._event = event or Threads().event()

    def set(self) -> None:
        """Ask the processor to return early."""
        self._event.set()

    def is_set(self) -> bool:
        """See ``StopSignal.is_set``. Once True it stays so."""
        return self._event.is_set() or self._owned.is_lost()

    def wait(self, timeout: float | None = None) -> bool:
        """See ``StopSignal.wait``."""
        deadline = float("inf") if timeout is None else self._clock() + timeout
        while not self.is_set() and (now := self._clock()) < deadline:
            # Renewals move the moment at which the lease is lost, so it is looked at again then.
            self._event.wait(max(min(deadline, self._owned.expires_at + 0.001) - now, 0.001))
        return self.is_set()
