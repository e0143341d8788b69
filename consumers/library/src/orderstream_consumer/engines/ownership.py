"""Ownership of an application by one engine: two engines never run one application at the same time.

Both engines use the same lease table, and each balances it in its own way: together they would take each
other's leases forever. So a table records which engine owns an application, and its workers renew the item.

::

                     claim: no owner, or ours             renew: still ours
    (starting) ────────────────────────────> HELD ─────────────────────────> HELD
        │                                     │ renew: another engine's
        │ claim: another engine's             v
        ├── renewed while we looked ────────> MixedEnginesError
        └── not renewed for the expiry ─────> HELD: its workers have ended

As with leases, a worker judges by its own observation whether the item still changes, never by comparing
clocks.
"""

import logging
import time
from collections.abc import Callable
from typing import Final

from orderstream.errors import DependencyError, OrderstreamError
from orderstream_consumer.processing.processor import StopSignal
from orderstream_consumer.store import ConditionFailedError, Item, Put, Store, TableSpec

logger = logging.getLogger(__name__)

ENGINES: Final = TableSpec("engines")
"""One item per application: the engine that owns it. Every renewal increments the item's version."""

_RENEWALS_PER_EXPIRY: Final = 3
_LOOKS_PER_EXPIRY: Final = 10


class MixedEnginesError(OrderstreamError):
    """An application would run on two engines at once.

    Args:
        application: The application.
        wanted: The engine that was asked for.
        running: The engine whose workers are running.
    """

    def __init__(self, application: str, wanted: str, running: str) -> None:
        self.application = application
        self.wanted = wanted
        self.running = running
        super().__init__(
            f"{application} is run by the {running} engine now, so no worker of the {wanted} engine may run "
            f"it; stop every {running} worker of {application}, then start again"
        )


class EngineOwnership:
    """Which engine owns one application, as one of its workers sees it.

    Args:
        store: Holds the table ``engines``.
        application: The application.
        engine: The engine that this worker runs on.
        worker_id: This worker's id, for people who read the table.
        expiry: Seconds without a renewal after which another engine may take the application.
        clock: Monotonic seconds.
    """

    def __init__(
        self,
        store: Store,
        application: str,
        engine: str,
        *,
        worker_id: str,
        expiry: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._application = application
        self._engine = engine
        self._worker_id = worker_id
        self._expiry = expiry
        self._clock = clock

    def claim(self, stop: StopSignal) -> bool:
        """Claim the application for our engine; waits while workers of another engine may still run.

        An outage of the store is waited out.

        Args:
            stop: Ends the wait.

        Returns:
            False if we had to stop before.

        Raises:
            MixedEnginesError: another engine runs the application.
        """
        seen: Item | None = None
        seen_at = 0.0
        while not stop.is_set():
            try:
                item = self._store.get(ENGINES.name, self._application)
                if item is None or item.attributes["engine"] == self._engine:
                    if self._write(item):
                        return True
                    continue  # another worker was quicker: look at what it wrote
                if seen is None:
                    seen, seen_at = item, self._clock()
                    logger.info("waiting for another engine to end", extra=self._fields(item))
                if item.version != seen.version:
                    raise MixedEnginesError(self._application, self._engine, str(item.attributes["engine"]))
                if self._clock() - seen_at >= self._expiry:
                    logger.info("the engine changes", extra=self._fields(item))
                    if self._write(item):
                        return True
                    continue
            except DependencyError as error:
                # No worker could renew meanwhile, so our observation proves nothing: begin again.
                seen = None
                logger.warning("application not claimed yet", extra={"error": error})
            stop.wait(self._expiry / _LOOKS_PER_EXPIRY)
        return False

    def renew_until(self, stop: StopSignal) -> None:
        """Renew the ownership until the signal is set.

        Raises:
            MixedEnginesError: another engine took the application over while we did not renew.
        """
        while not stop.wait(self._expiry / _RENEWALS_PER_EXPIRY):
            try:
                self.renew()
            except DependencyError as error:
                # While no worker can reach the store, no worker can take the application over either.
                logger.warning("ownership of the application not renewed", extra={"error": error})

    def renew(self) -> None:
        """Renew the ownership once.

        Raises:
            MixedEnginesError: another engine owns the application now.
            DependencyError: the store could not be reached.
        """
        while True:
            item = self._store.get(ENGINES.name, self._application)
            if item is not None and item.attributes["engine"] != self._engine:
                raise MixedEnginesError(self._application, self._engine, str(item.attributes["engine"]))
            if self._write(item):
                return

    def _write(self, item: Item | None) -> bool:
        attributes = {"engine": self._engine, "worker": self._worker_id}
        put = Put(
            ENGINES.name,
            self._application,
            attributes,
            expected_version=None if item is None else item.version,
        )
        try:
            self._store.transact([put])
        except ConditionFailedError:
            return False
        return True

    def _fields(self, item: Item) -> dict[str, object]:
        return {
            "application": self._application,
            "wanted": self._engine,
            "found": item.attributes["engine"],
            "found_worker": item.attributes["worker"],
        }
