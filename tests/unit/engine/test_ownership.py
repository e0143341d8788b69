"""One application, one engine at a time."""

from collections.abc import Sequence

import pytest

from fakes.shard import SimulatedStop
from orderstream_consumer.engines.ownership import ENGINES, EngineOwnership, MixedEnginesError
from orderstream_consumer.store import Write
from orderstream_consumer.testing import Fault, MemoryStore

EXPIRY = 6.0


def ownership_of(
    store: MemoryStore, engine: str, stop: SimulatedStop, application: str = "inventory"
) -> EngineOwnership:
    return EngineOwnership(
        store, application, engine, worker_id=f"{engine}:1", expiry=EXPIRY, clock=stop.clock
    )


class BusyStop(SimulatedStop):
    """While one engine looks, another one renews its ownership."""

    def __init__(self, other: EngineOwnership) -> None:
        super().__init__()
        self._other = other

    def wait(self, timeout: float | None = None) -> bool:
        self._other.renew()
        return super().wait(timeout)


def test_unowned_application_is_claimed_at_once() -> None:
    """A fresh application starts without a wait."""
    store, stop = MemoryStore(), SimulatedStop()
    assert ownership_of(store, "kcl", stop).claim(stop)
    assert stop.now == 0
    item = store.get(ENGINES.name, "inventory")
    assert item is not None
    assert item.attributes == {"engine": "kcl", "worker": "kcl:1"}


def test_workers_of_one_engine_share_an_application() -> None:
    """A second worker of the same engine starts at once, and both renew."""
    store, stop = MemoryStore(), SimulatedStop()
    first, second = ownership_of(store, "embedded", stop), ownership_of(store, "embedded", stop)
    assert first.claim(stop)
    assert second.claim(stop)
    first.renew()
    second.renew()
    assert stop.now == 0


def test_engine_is_refused_while_the_other_one_lives() -> None:
    """An ownership that is renewed while we look belongs to a living worker of the other engine."""
    store = MemoryStore()
    running = ownership_of(store, "kcl", SimulatedStop())
    running.claim(SimulatedStop())
    stop = BusyStop(running)
    with pytest.raises(MixedEnginesError, match="stop every kcl worker of inventory") as caught:
        ownership_of(store, "embedded", stop).claim(stop)
    assert (caught.value.application, caught.value.wanted, caught.value.running) == (
        "inventory",
        "embedded",
        "kcl",
    )
    running.renew()


def test_engine_takes_over_what_stood_still() -> None:
    """After the expiry without a renewal the other engine's workers have ended."""
    store, stop = MemoryStore(), SimulatedStop()
    ownership_of(store, "kcl", stop).claim(stop)
    assert ownership_of(store, "embedded", stop).claim(stop)
    assert stop.now >= EXPIRY
    item = store.get(ENGINES.name, "inventory")
    assert item is not None
    assert item.attributes["engine"] == "embedded"


def test_frozen_worker_learns_that_it_was_replaced() -> None:
    """A worker that wakes up after another engine took over must stop, and never takes the ownership back."""
    store, stop = MemoryStore(), SimulatedStop()
    frozen = ownership_of(store, "kcl", stop)
    frozen.claim(stop)
    ownership_of(store, "embedded", stop).claim(stop)
    with pytest.raises(MixedEnginesError):
        frozen.renew_until(SimulatedStop())


class Outage:
    """Fails the store's calls for as long as it lasts."""

    def __init__(self) -> None:
        self.calls = 0

    def begin(self, calls: int) -> None:
        self.calls = calls

    def __call__(self, operation: str, writes: Sequence[Write]) -> Fault | None:
        self.calls = max(0, self.calls - 1)
        return Fault.BEFORE if self.calls else None


def test_outage_is_waited_out() -> None:
    """An ownership that cannot be renewed for an outage's sake keeps the worker running."""
    outage = Outage()
    store, stop = MemoryStore(outage), SimulatedStop()
    ownership = ownership_of(store, "kcl", stop)
    ownership.claim(stop)
    outage.begin(4)
    ownership.renew_until(SimulatedStop(after_waits=6))
    item = store.get(ENGINES.name, "inventory")
    assert item is not None
    assert item.version > 1


def test_claim_waits_out_an_outage() -> None:
    """A worker that starts during an outage claims its application afterwards."""
    outage = Outage()
    store, stop = MemoryStore(outage), SimulatedStop()
    outage.begin(4)
    assert ownership_of(store, "kcl", stop).claim(stop)


def test_outage_is_not_taken_for_an_end() -> None:
    """While the store is down nobody renews: ownership that was not renewed in an outage is still valid."""
    outage = Outage()
    store = MemoryStore(outage)
    running = ownership_of(store, "kcl", SimulatedStop())
    running.claim(SimulatedStop())

    class OutageWhileLooking(SimulatedStop):
        """The store fails for two expiries after the first look; then the other engine renews."""

        def wait(self, timeout: float | None = None) -> bool:
            if self.now == 0:
                outage.begin(20)
            if outage.calls == 0:
                running.renew()
            return super().wait(timeout)

    stop = OutageWhileLooking()
    with pytest.raises(MixedEnginesError):
        ownership_of(store, "embedded", stop).claim(stop)
    assert stop.now > EXPIRY


def test_claim_ends_with_the_process() -> None:
    """A worker that is stopped while it waits for the other engine claims nothing."""
    store = MemoryStore()
    ownership_of(store, "kcl", SimulatedStop()).claim(SimulatedStop())
    stop = SimulatedStop(after_waits=2)
    assert not ownership_of(store, "embedded", stop).claim(stop)
    item = store.get(ENGINES.name, "inventory")
    assert item is not None
    assert item.attributes["engine"] == "kcl"


def test_applications_are_owned_apart() -> None:
    """One application on KCL says nothing about another one."""
    store, stop = MemoryStore(), SimulatedStop()
    ownership_of(store, "kcl", stop).claim(stop)
    assert ownership_of(store, "embedded", stop, "shipping").claim(stop)
    assert stop.now == 0
