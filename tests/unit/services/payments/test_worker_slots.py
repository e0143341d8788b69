"""The payment worker and its slots: each call has one, and no way through a call loses it."""

import datetime as dt
import threading

import pytest

from fakes.payments import NOW, LedgerProvider, capture_command, received
from orderstream_consumer.limits import SharedSlots, SlotLimit, StoredRateLimiter
from orderstream_workers.services.payments import PaymentWorker
from orderstream_workers.services.payments.domain import Phase
from unit.services.payments.test_worker import World


def slotted(world: World) -> SharedSlots:
    """Give the world's worker slots of its own, with plenty of permits."""
    limit = SlotLimit(at_once=2, call=8.0, serving=5.0, life=30.0)
    slots = SharedSlots(limit, name="payments API", now=world.clock.monotonic)
    world.limiter = StoredRateLimiter(
        world.store, name="api", rate=1_000.0, slots=slots, now=world.clock.monotonic, sleep=world.clock.sleep
    )
    world.worker = PaymentWorker(
        store=world.store,
        queue=world.queue,
        provider=world.provider,
        limiter=world.limiter,
        slots=slots,
        publisher=world.outbox,
        clock=world.clock,
        threads=2,
        now=world.clock.monotonic,
        sleep=world.clock.sleep,
        draw=lambda: 1.0,
    )
    return slots


@pytest.mark.parametrize("fault", [None, "before", "after", "throttle"])
def test_no_way_through_a_call_loses_its_slot(fault: str | None) -> None:
    """Answered, refused or lost: the slot is given back once, at the latest when the provider is done."""
    world = World(LedgerProvider(fault=lambda _: fault))
    slots = slotted(world)
    for _ in range(20):
        world.clock.sleep(61)
        assert world.limiter.take(1).granted == 1
        world.queue.send("o-1")
        world.deliver(received(capture_command()))
        world.work()
        world.clock.sleep(5)
        assert slots.report()["slots_in_use"] == 0


def test_what_was_taken_for_nothing_is_given_back() -> None:
    """A message whose payment is at rest, and one of an unknown order, make no call."""
    world = World()
    slots = slotted(world)
    world.queue.send("o-404")
    assert world.limiter.take(1).granted == 1
    world.work()
    assert slots.report()["slots_in_use"] == 0


def test_a_worker_that_was_frozen_asks_nothing_and_declines_nothing() -> None:
    """Its slot is another's by now: the payment waits for its next turn, under the same key."""
    world = World()
    slots = slotted(world)

    sleeps = iter([20.0])

    def frozen() -> dt.datetime:
        world.clock.sleep(next(sleeps, 0.0))
        return NOW

    world.worker._settlement._clock = frozen
    world.deliver(received(capture_command()))
    assert world.limiter.take(1).granted == 1
    world.work()
    assert world.provider.asked == []
    assert world.phase() is Phase.CAPTURING
    assert world.worker.counters.snapshot()["postponed"] == 1
    assert slots.report()["slots_in_use"] == 0
    world.clock.sleep(61)
    assert world.limiter.take(1).granted == 1
    world.work()
    assert world.phase() is Phase.CAPTURED


def test_a_worker_that_stops_leaves_no_slot_behind() -> None:
    """Whoever works on need not wait for its slots to expire."""
    world = World()
    slotted(world)
    stop = threading.Event()
    stop.set()
    assert world.limiter.take(1).granted == 1
    world.worker._slots.give_back()
    world.worker.run(stop)
    item = world.store.get("rate-limits", "api")
    assert item is not None
    assert item.attributes["holders"] == {}
