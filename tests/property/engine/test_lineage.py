"""Random histories of a stream and of its leases: no shard waits for good, and nothing is skipped."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orderstream.kinesis.shard import HashRange, Shard
from orderstream_consumer.engines.config import InitialPosition
from orderstream_consumer.engines.embedded.leases import Lease
from orderstream_consumer.engines.embedded.lifecycle.lease_cleanup import leases_to_delete
from orderstream_consumer.engines.embedded.lifecycle.shard_sync import (
    leases_at_end,
    leases_to_create,
    to_be_waited_for,
)
from orderstream_consumer.processing.record import Position

POSITIONS: tuple[InitialPosition, ...] = ("TRIM_HORIZON", "LATEST", "AT_TIMESTAMP")
EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
BEGIN_AT = 0
"""The timestamp of AT_TIMESTAMP: before every record, so that all of them are wanted."""


@dataclass
class Stream:
    """Shards, their records by time, and an application's leases."""

    random: Random
    position: InitialPosition
    now: int = 0
    shards: dict[str, Shard] = field(default_factory=dict)
    records: dict[str, list[int]] = field(default_factory=dict)
    leases: dict[str, Lease] = field(default_factory=dict)
    delivered: set[int] = field(default_factory=set)
    gone: dict[str, Shard] = field(default_factory=dict)
    """What retention has taken, records and listing."""
    frozen_at: int | None = None

    def open(self, low: int, high: int, parents: frozenset[str] = frozenset()) -> None:
        number = len(self.shards) + len(self.gone)
        key = str(number)
        self.shards[key] = Shard(key, HashRange(low, high), parents, starting_sequence_number=number)
        self.records[key] = []

    def reshard(self) -> None:
        opened = sorted((x for x in self.shards.values() if x.is_open), key=lambda x: x.hash_range.start)
        index = self.random.randrange(len(opened))
        first = opened[index]
        closed = [first]
        if index + 1 < len(opened) and self.random.random() < 0.5:
            closed.append(opened[index + 1])
            ranges = [(first.hash_range.start, opened[index + 1].hash_range.end)]
        else:
            low, high = first.hash_range
            ranges = [(low, (low + high) // 2), ((low + high) // 2 + 1, high)]
        for shard in closed:
            self.shards[shard.shard_id] = replace(shard, is_open=False)
        for low, high in ranges:
            self.open(low, high, frozenset(shard.shard_id for shard in closed))

    def put(self) -> None:
        for key, shard in self.shards.items():
            if shard.is_open:
                self.now += 1
                self.records[key].append(self.now)

    def expire(self) -> None:
        """Retention takes one of the shards before which nothing is left."""
        closed = (shard for shard in self.shards.values() if not shard.is_open)
        if oldest := [shard for shard in closed if self.shards.keys().isdisjoint(shard.parents)]:
            shard = self.random.choice(oldest)
            self.gone[shard.shard_id] = self.shards.pop(shard.shard_id)

    def synchronize(self, *, dies: bool = False) -> None:
        """One synchronization; one that dies leaves out a part, in any order of creation."""
        at = EPOCH + timedelta(seconds=self.now + 1)
        created = leases_to_create(self.shards.values(), self.leases.values(), self.position, at)
        if dies:
            created = self.random.sample(created, self.random.randrange(len(created) + 1))
        for lease in created:
            self.leases[lease.lease_key] = lease

    def look(self) -> None:
        """A worker sees that there are no leases, and stands still."""
        if not self.leases:
            self.frozen_at = self.now

    def thaw(self) -> None:
        """It lists the stream, and creates what that look makes it create, although others have begun."""
        if self.frozen_at is None:
            return
        at = EPOCH + timedelta(seconds=self.frozen_at + 1)
        for lease in leases_to_create(self.shards.values(), (), self.position, at):
            self.leases.setdefault(lease.lease_key, lease)

    def work(self) -> bool:
        """Let one shard be read as far as it goes; False if none can be."""
        ready = [
            lease
            for lease in self.leases.values()
            if not lease.has_ended and not to_be_waited_for(lease, self.shards.values(), self.leases.values())
        ]
        undone = [x for x in ready if self.has_closed(x.lease_key) or self.unread(x)]
        if not undone:
            return False
        lease = self.random.choice(undone)
        unread = self.unread(lease)
        self.delivered.update(unread)
        if unread:
            lease = lease.checkpointed(Position(unread[-1]))
        if self.has_closed(lease.lease_key):
            leases = self.leases.values()
            for child in leases_at_end(lease, (), self.shards.values(), leases, self.position):
                self.leases[child.lease_key] = child
            lease = lease.checkpointed("SHARD_END")
        self.leases[lease.lease_key] = lease
        return True

    def has_closed(self, key: str) -> bool:
        return key in self.gone or not self.shards[key].is_open

    def unread(self, lease: Lease) -> list[int]:
        if lease.lease_key in self.gone:
            return []
        begin = -1
        if lease.position is not None:
            begin = lease.position.sequence_number + 1
        elif lease.checkpoint == "LATEST":
            assert lease.done_until is not None
            begin = int((lease.done_until - EPOCH).total_seconds())
        return [number for number in self.records[lease.lease_key] if number >= begin]

    def clean_up(self) -> None:
        for lease in leases_to_delete(self.shards.values(), list(self.leases.values())):
            del self.leases[lease.lease_key]

    def forget(self) -> None:
        """Delete a lease that has ended, as a person or a cleanup might."""
        if ended := sorted(key for key, lease in self.leases.items() if lease.has_ended):
            del self.leases[self.random.choice(ended)]

    def lose(self) -> None:
        """Delete a lease that has not ended, of a shard whose owner is dead and does not write it again.

        With LATEST only that of a shard which another lease proves to be wanted: others begin at the tip, and
        one that stands at LATEST proves nothing.
        """
        waiting = {
            parent
            for lease in self.leases.values()
            if not lease.has_begun and lease.checkpoint != "LATEST" and len(lease.parent_shard_ids) > 1
            for parent in lease.parent_shard_ids
        }
        unended = {key for key, lease in self.leases.items() if not lease.has_ended}
        if lost := sorted(unended & waiting if self.position == "LATEST" else unended):
            del self.leases[self.random.choice(lost)]


@pytest.mark.parametrize("position", POSITIONS)
@settings(max_examples=300, deadline=None)
@given(seed=st.integers(0, 2**32), steps=st.lists(st.sampled_from("rrpwwdlscze"), max_size=30))
def test_a_crash_in_the_first_synchronization_leaves_no_shard_behind(
    position: InitialPosition, seed: int, steps: list[str]
) -> None:
    """In the end every open shard has a lease that is worked on, and all that was wanted is read."""
    random = Random(seed)
    stream = Stream(random, position)
    half = 2**127
    stream.open(0, half - 1)
    stream.open(half, 2**128 - 1)
    for _ in range(random.randrange(6)):
        stream.put()
        stream.reshard()
    stream.look()
    stream.synchronize(dies=True)
    for _ in range(random.randrange(4)):
        stream.put()
        stream.reshard()
    stream.synchronize()
    began = stream.now + 1
    happen = {
        "r": stream.reshard,
        "p": stream.put,
        "w": stream.work,
        "d": stream.forget,
        "l": stream.lose,
        "c": stream.clean_up,
        "z": stream.thaw,
        "e": stream.expire,
    }
    for step in steps:
        happen.get(step, stream.synchronize)()
    stream.put()
    for _ in range(200):
        stream.synchronize()
        if not stream.work():
            break
    assert not stream.work()
    leased = {key for key, lease in stream.leases.items() if not lease.has_ended}
    assert leased >= {key for key, shard in stream.shards.items() if shard.is_open}
    wanted = {
        number
        for key in stream.shards
        for number in stream.records[key]
        if number >= began or position != "LATEST"
    }
    assert wanted <= stream.delivered
