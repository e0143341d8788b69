"""Slots on every store: taken with the permit in one write, and free again once their holder is silent."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from moto import mock_aws

from fakes.moto_aws import moto_client
from orderstream_consumer.limits import (
    RATE_LIMITS,
    SharedSlots,
    SlotExpiredError,
    SlotLimit,
    StoredRateLimiter,
)
from orderstream_consumer.store import DynamoDBStore, ItemUnreadableError, Put, Store, create_tables
from orderstream_consumer.testing import MemoryStore

LIMIT = SlotLimit(at_once=5, call=4.0, serving=3.0, life=12.0)


@pytest.fixture(params=["memory", "dynamodb"])
def store(request: pytest.FixtureRequest) -> Iterator[Store]:
    """Each implementation in turn."""
    if request.param == "memory":
        yield MemoryStore()
        return
    with mock_aws():
        client = moto_client("dynamodb")
        create_tables(client, [RATE_LIMITS], "test-")
        yield DynamoDBStore(client, "test-")
        client.close()


@dataclass
class Clock:
    now: float = 1_000.0

    def __call__(self) -> float:
        return self.now


def worker(store: Store, name: str, clock: Clock) -> tuple[SharedSlots, StoredRateLimiter]:
    slots = SharedSlots(LIMIT, name="payments API", holder=name, now=clock)
    limiter = StoredRateLimiter(
        store, name="api", rate=1_000.0, burst=100, slots=slots, now=clock, sleep=lambda _: None
    )
    return slots, limiter


def version(store: Store) -> int:
    item = store.get(RATE_LIMITS.name, "api")
    return 0 if item is None else item.version


def test_two_processes_share_the_slots(store: Store) -> None:
    """What one holds is not the other's until it is given back and written with the next permit."""
    clock = Clock()
    (first_slots, first), (_, second) = worker(store, "a", clock), worker(store, "b", clock)
    assert first.take(3).granted == 3
    assert second.take(10).granted == 2
    assert second.take(1).wait > 0
    first_slots.give_back()
    first_slots.give_back()
    first.take(0)
    assert second.take(10).granted == 2


def test_a_slot_costs_no_write_of_its_own(store: Store) -> None:
    """A payment is a permit, a call, and a slot given back: one write."""
    clock = Clock()
    slots, limiter = worker(store, "a", clock)
    for _ in range(10):
        clock.now += 0.2
        assert limiter.take(1).granted == 1
        slots.give_back()
    assert version(store) == 10


def test_a_dead_holders_slots_are_free_after_a_life(store: Store) -> None:
    """Whoever looks sees the beat stand still for a whole life, and not a moment less."""
    clock = Clock()
    (_, dead), (_, other) = worker(store, "dead", clock), worker(store, "b", clock)
    assert dead.take(5).granted == 5
    assert other.take(1).granted == 0
    clock.now += LIMIT.life - 0.1
    assert other.take(1).granted == 0
    clock.now += 0.1
    assert other.take(10).granted == 5


def test_a_holder_that_works_on_is_never_expired(store: Store) -> None:
    """A call that lasts for long keeps its slot while its process renews it."""
    clock = Clock()
    (slots, holder), (_, other) = worker(store, "a", clock), worker(store, "b", clock)
    assert holder.take(5).granted == 5
    for _ in range(60):
        clock.now += 1.0
        if slots.is_due():
            holder.take(0)
        assert other.take(1).granted == 0


def test_a_frozen_holder_does_not_call_with_an_expired_slot(store: Store) -> None:
    """It wakes when its slots are another's: it calls nobody, and takes new slots once all are given back."""
    clock = Clock()
    (slots, frozen), (other_slots, other) = worker(store, "a", clock), worker(store, "b", clock)
    assert frozen.take(2).granted == 2
    assert other.take(3).granted == 3
    clock.now += LIMIT.life
    assert other.take(10).granted == 2
    with pytest.raises(SlotExpiredError):
        slots.demand()
    assert frozen.take(1).granted == 0
    with pytest.raises(SlotExpiredError):
        slots.demand()
    for _ in range(5):
        other_slots.give_back()
    slots.give_back()
    slots.give_back()
    other.take(0)
    assert frozen.take(5).granted == 5
    slots.demand()


def test_an_unanswered_call_keeps_its_slot_while_the_provider_may_work_on_it(store: Store) -> None:
    """We have given up, the provider has not: its count is the one that matters."""
    clock = Clock()
    slots, limiter = worker(store, "a", clock)
    assert limiter.take(5).granted == 5
    for answered in (True, True, True, True, False):
        slots.give_back(answered=answered)
    assert limiter.take(5).granted == 4
    clock.now += LIMIT.serving
    assert limiter.take(5).granted == 1


def test_a_holder_that_leaves_is_gone_at_once(store: Store) -> None:
    """After its last slot is given back, nothing of it is left in the item."""
    clock = Clock()
    slots, limiter = worker(store, "a", clock)
    assert limiter.take(2).granted == 2
    slots.give_back()
    slots.give_back()
    limiter.take(0)
    item = store.get(RATE_LIMITS.name, "api")
    assert item is not None
    assert item.attributes["holders"] == {}


@pytest.mark.parametrize("holders", ["x", {"a": 1}, {"a": {"slots": "1", "beat": 1}}, {"a": {"slots": 1}}])
def test_what_nobody_of_us_wrote_grants_nothing(store: Store, holders) -> None:
    """An item of another form is an error that names the item; it is not taken for free slots."""
    store.transact([Put(RATE_LIMITS.name, "api", {"tat": 0, "holders": holders}, None)])
    with pytest.raises(ItemUnreadableError, match="api"):
        worker(store, "a", Clock())[1].take(1)
