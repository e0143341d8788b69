"""Leases of children at the end of a shard."""

import datetime as dt

import msgspec
import pytest

from fakes.engine_kinesis import SmallKinesis
from orderstream.errors import DependencyError
from orderstream_consumer.engines.embedded.leases import Lease, OwnedLease, commit
from orderstream_consumer.engines.embedded.lifecycle.syncer import ShardSyncer
from orderstream_consumer.engines.embedded.retrieval import KinesisReader
from orderstream_consumer.processing.errors import ChildrenUnknownError
from orderstream_consumer.processing.record import Position
from orderstream_consumer.testing import MemoryLeaseTable

ID = "shardId-00000000000"


class EmptyTable(MemoryLeaseTable):
    """May answer a look at one row as if there were none."""

    answers_emptily = False

    def get(self, lease_key: str) -> Lease | None:
        return None if self.answers_emptily else super().get(lease_key)


class Stage:
    def __init__(self, shards: int) -> None:
        self.kinesis = SmallKinesis(shards)
        self.table = EmptyTable()
        reader = KinesisReader(self.kinesis, "s", max_records=9, now=lambda: dt.datetime.now(dt.UTC))
        self.syncer = ShardSyncer(reader, self.table, "TRIM_HORIZON")
        self.syncer.synchronize()

    def end(self, number: int) -> None:
        lease = self.table.get(f"{ID}{number}")
        assert lease is not None
        taken = commit(self.table, lease, lambda held: held.taken_by("me"))
        owned = OwnedLease(self.table, taken, written_at=0, failover_time=9, clock=lambda: 0.0)
        self.syncer.register_children(owned, ())
        owned.checkpoint("SHARD_END")

    def lease(self, number: int) -> Lease:
        (found,) = (lease for lease in self.table.list_leases() if lease.lease_key == f"{ID}{number}")
        return found

    def keys(self) -> set[int]:
        return {int(lease.lease_key[-1]) for lease in self.table.list_leases()}


def test_a_merged_shard_waits_for_the_lagging_lineage_of_its_other_parent() -> None:
    """The lease of 5, merged of 0 and 4, is not there before 4 has one, whatever lies between 1 and 4."""
    stage = Stage(shards=2)
    stage.kinesis.split(f"{ID}1")  # 2 and 3
    stage.kinesis.merge(f"{ID}2", f"{ID}3")  # 4
    stage.kinesis.merge(f"{ID}0", f"{ID}4")  # 5
    stage.end(0)
    assert stage.keys() == {0, 1}
    for number, keys in ((1, {0, 1, 2, 3}), (2, {0, 1, 2, 3, 4}), (3, {0, 1, 2, 3, 4})):
        stage.end(number)
        assert stage.keys() == keys
    stage.end(4)
    assert stage.keys() == {0, 1, 2, 3, 4, 5}
    ended = stage.table.get(f"{ID}0")
    assert ended is not None
    assert ended.child_shard_ids == {f"{ID}5"}


def test_a_lease_without_hash_keys_gets_those_of_its_shard() -> None:
    """An older version of KCL made it. Its owner goes on writing, and nothing else of it changes."""
    stage = Stage(shards=2)
    before = stage.lease(0)
    old = msgspec.structs.replace(before, hash_range=None, lease_owner="me", lease_counter=7)
    stage.table.delete(before)
    stage.table.create_if_absent(old)
    stage.syncer.synchronize()
    noted = stage.lease(0)
    assert noted == msgspec.structs.replace(before, lease_owner="me", lease_counter=7)
    assert commit(stage.table, old, Lease.renewed).lease_counter == 8


def test_a_parent_that_has_a_lease_is_waited_for_by_the_child_itself() -> None:
    """The first parent to end creates the lease; it has not begun while the other parent is under way."""
    stage = Stage(shards=2)
    stage.kinesis.merge(f"{ID}0", f"{ID}1")
    stage.end(0)
    assert stage.keys() == {0, 1, 2}
    child = stage.lease(2)
    assert not stage.syncer.parents_have_ended(child)
    stage.end(1)
    assert stage.syncer.parents_have_ended(child)


def test_a_parent_whose_lease_was_deleted_is_waited_for() -> None:
    """Unless the child has begun: its row is written again, by its owner or by the next synchronization."""
    stage = Stage(shards=2)
    stage.kinesis.merge(f"{ID}0", f"{ID}1")
    stage.end(0)
    child = stage.lease(2)
    assert stage.table.delete(stage.lease(1))
    assert not stage.syncer.parents_have_ended(child)
    assert stage.syncer.parents_have_ended(child.checkpointed(Position(7)))
    stage.syncer.synchronize()
    assert not stage.syncer.parents_have_ended(child)
    stage.end(1)
    assert stage.syncer.parents_have_ended(child)


def test_a_closed_shard_without_listed_children_does_not_end() -> None:
    """The listing lags behind: it is read again later."""
    stage = Stage(shards=1)
    with pytest.raises(ChildrenUnknownError):
        stage.end(0)


def test_a_shard_that_is_gone_from_the_listing_ends_without_children() -> None:
    """Past retention there is nothing to go on to from here; the listing begins with its descendants."""
    stage = Stage(shards=1)
    for number in (0, 1, 2):
        stage.kinesis.split(f"{ID}{number}")
    for number in (0, 1, 2):
        del stage.kinesis.shards[f"{ID}{number}"]
    stage.end(0)
    lease = stage.table.get(f"{ID}0")
    assert lease is not None
    assert lease.has_ended


def test_an_application_begins_with_the_whole_stream_or_not_at_all() -> None:
    """A listing that leaves out a part of the hash keys is read again."""
    stage = Stage(shards=3)
    (lost,) = (lease for lease in stage.table.list_leases() if lease.lease_key == f"{ID}1")
    for lease in stage.table.list_leases():
        stage.table.delete(lease)
    shard = stage.kinesis.shards.pop(lost.lease_key)
    with pytest.raises(DependencyError):
        stage.syncer.synchronize()
    assert stage.keys() == set()
    stage.kinesis.shards[lost.lease_key] = shard
    stage.syncer.synchronize()
    assert stage.keys() == {0, 1, 2}


def test_a_hole_that_stays_is_told() -> None:
    """Three looks in a row: a reshard may leave one for a moment."""
    stage = Stage(shards=2)
    lease = stage.table.get(f"{ID}1")
    assert lease is not None
    stage.table.delete(lease)
    shard = stage.kinesis.shards.pop(lease.lease_key)
    holes = []
    for _ in range(3):
        stage.syncer.synchronize()
        holes.append(stage.syncer.hole)
    assert holes == [None, None, (shard.low, shard.high)]
    stage.kinesis.shards[lease.lease_key] = shard
    stage.syncer.synchronize()
    assert stage.syncer.hole is None


def test_leases_of_the_past_are_deleted() -> None:
    """A synchronization deletes what its children prove to be done, from the beginning of the lineage on."""
    stage = Stage(shards=1)
    stage.kinesis.split(f"{ID}0")
    stage.end(0)
    stage.syncer.synchronize()
    assert stage.keys() == {0, 1, 2}
    for number in (1, 2):
        stage.kinesis.split(f"{ID}{number}")
        stage.end(number)
    stage.syncer.synchronize()
    assert stage.keys() == {1, 2, 3, 4, 5, 6}
    stage.syncer.synchronize()
    assert stage.keys() == {1, 2, 3, 4, 5, 6}


def test_an_empty_response_ends_no_parent() -> None:
    """A look at one row says "none" where something between us and the table answers emptily."""
    stage = Stage(shards=2)
    stage.kinesis.merge(f"{ID}0", f"{ID}1")
    stage.end(0)
    child = stage.lease(2)
    stage.table.answers_emptily = True
    assert not stage.syncer.parents_have_ended(child)
    stage.table.answers_emptily = False
    stage.end(1)
    stage.table.answers_emptily = True
    assert stage.syncer.parents_have_ended(child)


def test_latest_is_when_there_were_no_leases() -> None:
    """Whoever stands still behind that look lists a stream that others have been working on for long."""
    now = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)

    class SlowTable(MemoryLeaseTable):
        def list_leases(self) -> list[Lease]:
            nonlocal now
            leases = super().list_leases()
            now += dt.timedelta(hours=1)
            return leases

    table, began = SlowTable(), now
    reader = KinesisReader(SmallKinesis(1), "s", max_records=9, now=lambda: now)
    ShardSyncer(reader, table, "LATEST").synchronize()
    (lease,) = table.list_leases()
    assert lease.checkpoint == "LATEST"
    assert lease.done_until is not None
    assert lease.done_until <= began
