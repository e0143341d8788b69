"""Keeps the leases of one worker: renews what it holds, takes what it should."""

import logging
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from orderstream.errors import DependencyError
from orderstream.observability.metrics import Meter, NoMeter
from orderstream_consumer.engines.embedded.leases.lease import Lease
from orderstream_consumer.engines.embedded.leases.owned import OwnedLease
from orderstream_consumer.engines.embedded.leases.table import LeaseTable, commit
from orderstream_consumer.engines.embedded.leases.taker import (
    Sighting,
    expired_leases,
    observe,
    plan,
)
from orderstream_consumer.processing.concurrency import Concurrency, Mailbox, Threads
from orderstream_consumer.processing.errors import LeaseLostError
from orderstream_consumer.processing.metrics import (
    EXPIRED_LEASES,
    LEASES_TO_TAKE,
    RENEW_LEASE_SUCCESS,
    RENEW_LEASE_TIME,
)

logger = logging.getLogger(__name__)

_RENEWERS: Final = 16
"""Leases that are renewed at the same time, at most."""

_SHARE: Final = 8
"""Leases that one thread may as well renew by itself: at 50 ms a call they take less than half a second."""


class LeaseCoordinator:
    """Holds leases for a worker.

    Attributes:
        alone: Whether every lease that has not ended was ours at the last look: then there is no worker to
            take from, and none whose end must be noticed.
        workers: How many owners of leases there were at the last look, ourselves included.

    Args:
        table: Where the leases are kept.
        worker_id: Who we are; unique to this run of this process.
        failover_time: Seconds after which a lease that is not renewed is free.
        clock: Monotonic seconds.
        concurrency: Makes the locks of its leases, and the threads that renew them.
        meter: Takes how renewals go, and how many leases are free or wanted.
    """

    def __init__(
        self,
        table: LeaseTable,
        *,
        worker_id: str,
        failover_time: float,
        clock: Callable[[], float],
        concurrency: Concurrency | None = None,
        meter: Meter | None = None,
    ) -> None:
        self._table = table
        self._worker_id = worker_id
        self._failover_time = failover_time
        self._clock = clock
        self._concurrency = concurrency or Threads()
        self.alone = False
        self.workers = 1
        self._meter = meter or NoMeter()
        self._renewers = self._concurrency.executor(_RENEWERS - 1, "renewals")
        self._sightings: dict[str, Sighting] = {}
        # Shared with the worker's thread, which drops what it has finished with.
        self._owned: dict[str, OwnedLease] = {}
        self._lock = threading.Lock()

    def renew(self) -> None:
        """Renew what is held, side by side. What turns out to be lost is marked so; trouble is logged.

        The leases that were written longest ago come first: should the table be slow, those are the nearest
        to their expiry.
        """
        held = [owned for owned in self._held() if not (owned.is_lost() or owned.lease.has_ended)]
        waiting = deque(sorted(held, key=lambda owned: (owned.expires_at, owned.key)))
        done: Mailbox[None] = self._concurrency.mailbox()
        helpers = 0

        def renew_some() -> None:
            try:
                while waiting:
                    with suppress(IndexError):  # another one was quicker
                        self._renew(waiting.popleft())
            finally:
                done.put(None)

        for _ in range(min(_RENEWERS, -(-len(waiting) // _SHARE)) - 1):
            try:
                self._renewers.submit(renew_some)
            except RuntimeError as error:  # no thread is to be had: go on with those that there are
                logger.warning("fewer threads renew", extra={"error": error})
                break
            helpers += 1
        renew_some()
        for _ in range(helpers + 1):
            done.get()

    def close(self) -> None:
        """Renew nothing more."""
        self._renewers.shutdown(wait=False, cancel_futures=True)

    def _renew(self, owned: OwnedLease) -> None:
        begun, responded = self._clock(), False
        try:
            owned.renew()
            responded = True
        except LeaseLostError:
            responded = True  # it is marked and logged; the shard's worker sees it
        except DependencyError as error:
            logger.warning("lease not renewed", extra={"shard_id": owned.key, "error": error})
        except Exception:
            # On a helper thread it would go unnoticed. Should it stay, the lease expires and is lost.
            logger.exception("lease not renewed", extra={"shard_id": owned.key})
        finally:
            self._meter.record(RENEW_LEASE_TIME, (self._clock() - begun) * 1_000)
            self._meter.record(RENEW_LEASE_SUCCESS, int(responded))

    def take(self) -> list[OwnedLease]:
        """Take what this worker should have and does not.

        Raises:
            DependencyError: The leases could not be read.
        """
        leases = self._table.list_leases()
        now = self._clock()
        self._sightings = observe(self._sightings, leases, now)
        self.alone = all(lease.has_ended or lease.lease_owner == self._worker_id for lease in leases)
        self.workers = len({lease.lease_owner for lease in leases} - {None} | {self._worker_id})
        wanted = plan(
            leases,
            self._sightings,
            worker_id=self._worker_id,
            busy=frozenset(owned.key for owned in self._held()),
            failover_time=self._failover_time,
            now=now,
        )
        expired = expired_leases(leases, self._sightings, failover_time=self._failover_time, now=now)
        self._meter.record(EXPIRED_LEASES, len(expired))
        self._meter.record(LEASES_TO_TAKE, len(wanted))
        return [owned for lease in wanted if (owned := self._take(lease)) is not None]

    def drop(self, key: str) -> None:
        """Forget a lease: its shard's work is over, and this worker may take it again."""
        with self._lock:
            self._owned.pop(key, None)

    def _held(self) -> list[OwnedLease]:
        with self._lock:
            return list(self._owned.values())

    def _take(self, lease: Lease) -> OwnedLease | None:
        sent_at = self._clock()
        try:
            taken = commit(self._table, lease, lambda held: held.taken_by(self._worker_id))
        except LeaseLostError:
            return None  # another worker was quicker
        except DependencyError as error:
            # Should the write have been done after all, the next round finds the lease ours and not worked
            # on.
            logger.warning("lease not taken", extra={"shard_id": lease.lease_key, "error": error})
            return None
        logger.info("lease taken", extra={"shard_id": taken.lease_key, "former_owner": lease.lease_owner})
        owned = OwnedLease(
            self._table,
            taken,
            written_at=sent_at,
            failover_time=self._failover_time,
            clock=self._clock,
            concurrency=self._concurrency,
        )
        with self._lock:
            self._owned[owned.key] = owned
        return owned
