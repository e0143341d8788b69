"""The shared limit over the store: conflicts are tried again, and nothing is granted without a commit."""

from collections.abc import Sequence

import pytest

from orderstream.errors import DependencyError
from orderstream_consumer.limits import Permits, StoredRateLimiter
from orderstream_consumer.store import ContentionError, Write
from orderstream_consumer.testing import Fault, MemoryStore


def limiter_on(store: MemoryStore, now: float = 1_000.0, burst: int = 1) -> StoredRateLimiter:
    return StoredRateLimiter(store, name="api", rate=5.0, burst=burst, now=lambda: now, sleep=lambda _: None)


def failing(*faults: Fault) -> MemoryStore:
    waiting = iter(faults)

    def fault(operation: str, _: Sequence[Write]) -> Fault | None:
        return next(waiting, None) if operation == "transact" else None

    return MemoryStore(fault)


def test_two_containers_share_one_limit() -> None:
    """What one process takes is gone for the other, which hears how long to wait."""
    store = MemoryStore()
    assert limiter_on(store).take(3) == Permits(1, 0.0)
    assert limiter_on(store).take(1) == Permits(0, 0.2)
    assert limiter_on(store, now=1_000.2).take(1) == Permits(1, 0.0)


def test_a_burst_is_handed_out_after_a_pause() -> None:
    """As many permits as the burst may be taken at once, and no more."""
    store = MemoryStore()
    assert limiter_on(store, burst=4).take(10) == Permits(4, 0.0)
    assert limiter_on(store, burst=4).take(10) == Permits(0, 0.2)


def test_a_conflict_is_tried_again() -> None:
    """Processes that meet at the item both get their reply."""
    assert limiter_on(failing(Fault.CONFLICT, Fault.CONFLICT)).take(1).granted == 1


def test_endless_conflict_grants_nothing() -> None:
    """Where the item cannot be written, nobody may call."""
    store = MemoryStore(lambda operation, _: Fault.CONFLICT if operation == "transact" else None)
    with pytest.raises(ContentionError):
        limiter_on(store).take(1)


def test_a_lost_acknowledgement_costs_permits_and_never_adds_any() -> None:
    """Permits whose commit is in doubt are not used: the limit holds, a little is wasted."""
    store = failing(Fault.AFTER)
    with pytest.raises(DependencyError):
        limiter_on(store).take(1)
    assert limiter_on(store).take(1).granted == 0
