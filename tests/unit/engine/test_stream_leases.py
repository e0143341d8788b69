"""A stream's leases are those that were made for it, however late another one's arrive."""

import dataclasses

import msgspec
import pytest

from fakes.shard import SimulatedStop
from orderstream.errors import DependencyError
from orderstream_consumer.engines.embedded.leases import Lease, LeaseTable, commit
from orderstream_consumer.engines.stream_identity import ConsumedStream, StreamChangedError, StreamIdentity
from orderstream_consumer.engines.stream_leases import StreamLeases
from orderstream_consumer.processing.record import Position
from orderstream_consumer.testing import MemoryLeaseTable, MemoryStore

FORMER = StreamIdentity(
    "arn:aws:kinesis:eu-central-1:123456789012:stream/orders", "2026-01-01T00:00:00+00:00"
)
PRESENT = dataclasses.replace(FORMER, created_at="2026-02-01T00:00:00+00:00")
SHARD = "shardId-000000000000"
CHILD = Lease(lease_key="shardId-000000000002", parent_shard_ids=frozenset({SHARD, "shardId-000000000001"}))


class Stage:
    """One application whose stream is made anew and adopted."""

    def __init__(self, table: LeaseTable | None = None) -> None:
        self.store, self.table, self.stop = MemoryStore(), table or MemoryLeaseTable(), SimulatedStop()
        self.there = FORMER

    def confirmed(self) -> ConsumedStream:
        consumed = ConsumedStream(
            self.store, "inventory", lambda: self.there, expiry=6, clock=self.stop.clock
        )
        assert consumed.confirm(self.stop)
        return consumed

    def worker(self) -> StreamLeases:
        """What a worker that starts now sees of the leases."""
        return StreamLeases(self.table, self.confirmed())

    def arrives(self, late: Lease) -> None:
        """A creation that a worker of the former stream sent before the adoption."""
        assert self.table.create_if_absent(msgspec.structs.replace(late, stream=FORMER.text))

    def adopt(self) -> None:
        self.there = PRESENT
        adopting = ConsumedStream(
            self.store, "inventory", lambda: self.there, expiry=6, clock=self.stop.clock
        )
        assert adopting.adopt(self.table, self.stop)


@pytest.mark.parametrize(
    "late",
    [CHILD, Lease(lease_key=SHARD, checkpoint="SHARD_END"), Lease(lease_key=SHARD, lease_owner="dead")],
)
def test_a_creation_for_the_former_stream_that_comes_after_the_adoption_is_no_lease(late: Lease) -> None:
    """Neither to be read by, nor to be waited for: whoever looks next deletes it."""
    stage = Stage()
    stage.adopt()
    present = stage.worker()
    stage.arrives(late)
    assert present.get(late.lease_key) is None
    assert present.list_leases() == []
    assert stage.table.list_leases() == []


def test_a_creation_for_the_former_stream_makes_room_for_the_new_ones() -> None:
    """At once: from LATEST a lease that is created at the next look begins later."""
    stage = Stage()
    stage.adopt()
    present = stage.worker()
    stage.arrives(Lease(lease_key=SHARD, checkpoint=Position(7)))
    assert present.create_if_absent(Lease(lease_key=SHARD))
    assert present.get(SHARD) == Lease(lease_key=SHARD, stream=PRESENT.text)
    assert not present.create_if_absent(Lease(lease_key=SHARD))


def test_a_worker_of_the_former_stream_touches_nothing_of_the_new_ones() -> None:
    """It runs until it notices, and takes what it sees for those of another stream: which they are."""
    stage = Stage()
    former = stage.worker()
    stage.adopt()
    present = stage.worker()
    present.create_if_absent(Lease(lease_key=SHARD))
    with pytest.raises(StreamChangedError):
        former.list_leases()
    assert former.get(SHARD) is None
    with pytest.raises(DependencyError, match="was adopted"):
        former.create_if_absent(Lease(lease_key=SHARD))
    assert present.list_leases() == [Lease(lease_key=SHARD, stream=PRESENT.text)]


def test_a_worker_of_the_former_stream_begins_with_no_shard_of_the_new_one() -> None:
    """Kinesis lists them to it under the same name; it held no lease, so the adoption did not notice it."""
    stage = Stage()
    former = stage.worker()
    stage.adopt()
    with pytest.raises(DependencyError, match="was adopted"):
        former.create_if_absent(CHILD)
    stage.arrives(CHILD)
    (late,) = former.list_leases()
    with pytest.raises(DependencyError, match="was adopted"):
        commit(former, late, lambda lease: lease.taken_by("former"))
    present = stage.worker()
    assert present.create_if_absent(CHILD)
    (lease,) = present.list_leases()
    assert commit(present, lease, lambda held: held.taken_by("present")).lease_owner == "present"


def test_a_write_to_the_former_streams_lease_does_not_reach_the_new_ones() -> None:
    """A worker that stood still between its look and its taking finds owner, count and checkpoint as then."""
    stage = Stage()
    former = stage.worker()
    former.create_if_absent(Lease(lease_key=SHARD))
    (seen,) = former.list_leases()
    stage.adopt()
    present = stage.worker()
    present.create_if_absent(Lease(lease_key=SHARD))
    assert not stage.table.replace(seen, seen.taken_by("former"))
    assert not former.delete(seen)
    assert present.list_leases() == [Lease(lease_key=SHARD, stream=PRESENT.text)]


def test_a_lease_without_a_stream_is_a_lease_and_bears_it_from_its_next_write_on() -> None:
    """KCL made it, or an earlier version, which may still run beside us."""
    stage = Stage()
    stage.table.create_if_absent(Lease(lease_key=SHARD, checkpoint=Position(7)))
    present = stage.worker()
    (lease,) = present.list_leases()
    assert lease == present.get(SHARD)
    assert lease.position == Position(7)
    commit(present, lease, Lease.renewed)
    (written,) = stage.table.list_leases()
    assert written.stream == FORMER.text


def test_before_kcl_runs_what_a_former_stream_left_is_deleted() -> None:
    """KCL does not know whose a lease is: it would take the former stream's end of a shard for its own."""
    stage = Stage()
    stage.adopt()
    present = stage.worker()
    late = [CHILD, Lease(lease_key=SHARD, checkpoint="SHARD_END")]
    for lease in late:
        stage.arrives(lease)
    ours = Lease(lease_key="shardId-000000000009", stream=PRESENT.text)
    kcl_made = Lease(lease_key="shardId-000000000008", lease_counter=5)
    assert all(stage.table.create_if_absent(lease) for lease in (ours, kcl_made))
    assert present.sweep(stage.stop)
    assert {lease.lease_key for lease in stage.table.list_leases()} == {ours.lease_key, kcl_made.lease_key}


def test_what_a_worker_of_kcl_has_begun_is_left_and_said(caplog: pytest.LogCaptureFixture) -> None:
    """Its checkpoint may be the new stream's by now: only a person can tell."""
    stage = Stage()
    stage.adopt()
    stage.arrives(CHILD)
    (late,) = stage.table.list_leases()
    assert stage.table.replace(late, late.taken_by("kcl"))
    assert stage.worker().sweep(stage.stop)
    assert [lease.lease_key for lease in stage.table.list_leases()] == [CHILD.lease_key]
    assert CHILD.lease_key in [getattr(record, "shard_id", None) for record in caplog.records]


def test_a_sweep_waits_out_outages_and_has_nothing_to_do_without_a_table() -> None:
    """On KCL the first worker's daemon makes the table, later."""

    class Reached(MemoryLeaseTable):
        failures = 2
        code = ""

        def list_leases(self) -> list[Lease]:
            if self.failures:
                self.failures -= 1
                raise DependencyError("dynamodb", "Scan", "no", code=self.code)
            return super().list_leases()

    table = Reached()
    assert Stage(table).worker().sweep(SimulatedStop())
    assert table.failures == 0
    table.failures, table.code = 2, "ResourceNotFoundException"
    assert Stage(table).worker().sweep(SimulatedStop())
    assert table.failures == 1


def test_nothing_is_deleted_while_nobody_knows_whose_stream_is_noted() -> None:
    """The store is away: the look fails, and is repeated."""
    stage = Stage()
    consumed = stage.confirmed()
    former = Lease(lease_key=SHARD, stream=PRESENT.text)
    stage.table.create_if_absent(former)

    class Away(ConsumedStream):
        def demand_noted(self) -> None:
            raise DependencyError("store", "GetItem", "no response")

    away = Away(stage.store, "inventory", lambda: FORMER, expiry=6)
    assert away.confirm(stage.stop)
    with pytest.raises(DependencyError):
        StreamLeases(stage.table, away).list_leases()
    with pytest.raises(DependencyError):
        StreamLeases(stage.table, away).create_if_absent(Lease(lease_key=SHARD))
    assert stage.table.list_leases() == [former]
    assert StreamLeases(stage.table, consumed).list_leases() == []


def test_a_former_worker_that_puts_its_lease_back_each_time_is_an_outage() -> None:
    """The creation is tried again later; that worker ends within a minute."""

    class PutBack(MemoryLeaseTable):
        def delete(self, lease: Lease) -> bool:
            return super().delete(lease) and super().create_if_absent(lease)

    stage = Stage(PutBack())
    stage.table.create_if_absent(Lease(lease_key=SHARD, stream=PRESENT.text))
    with pytest.raises(DependencyError, match="former stream"):
        stage.worker().create_if_absent(Lease(lease_key=SHARD))


def test_no_lease_is_looked_at_before_the_stream_is_confirmed() -> None:
    """Whose they are could not be said."""
    consumed = ConsumedStream(MemoryStore(), "inventory", lambda: FORMER, expiry=6)
    with pytest.raises(RuntimeError, match="not been confirmed"):
        StreamLeases(MemoryLeaseTable(), consumed).create_if_absent(CHILD)
