"""What can be said of the applications from their tables, and nothing beyond."""

import datetime as dt
from collections.abc import Sequence

import msgspec
import pytest

from fakes.engine import record_of
from fakes.operating import NOW, MemoryResources
from orderstream.aggregation import MAX_HASH_KEY
from orderstream.errors import DependencyError
from orderstream.kinesis.shard import HashRange
from orderstream_consumer.delivery import StoredParking
from orderstream_consumer.engines.embedded.leases import Lease
from orderstream_consumer.engines.ownership import ENGINES, EngineOwnership
from orderstream_consumer.engines.stream_identity import CONSUMED_STREAMS
from orderstream_consumer.processing.record import Position
from orderstream_consumer.store import Put
from orderstream_consumer.testing import MemoryLeaseTable
from orderstream_workers.operations.status import ApplicationStatus, PipelineStatus, pipeline_status
from orderstream_workers.runtime.discovery import application_names
from orderstream_workers.runtime.settings import Settings

APPLICATIONS = application_names(Settings())

MINUTES = dt.timedelta(minutes=1)
HALF = MAX_HASH_KEY // 2


def lease(shard: int, start: int, end: int) -> Lease:
    return Lease(
        lease_key=f"shardId-{shard:012}",
        lease_owner="worker-1",
        checkpoint=Position(100 + shard, 3),
        hash_range=HashRange(start, end),
        done_until=NOW - dt.timedelta(seconds=2),
    )


class Pipeline:
    """All applications at work on two shards; a test takes something away.

    Attributes:
        silent: Applications whose workers write nothing any more.
        stuck: Shards whose lease is not renewed, by application.
    """

    def __init__(self, engine: str = "embedded") -> None:
        self.resources = MemoryResources()
        self.silent: set[str] = set()
        self.stuck: set[tuple[str, str]] = set()
        self._ownerships = {
            name: EngineOwnership(self.resources.store, name, engine, worker_id="worker-1", expiry=10)
            for name in APPLICATIONS
        }
        for name in APPLICATIONS:
            self.renew_ownership(name)
            for one in (lease(0, 0, HALF), lease(1, HALF + 1, MAX_HASH_KEY)):
                self.resources.leases(name).create_if_absent(one)
        self.resources.meanwhile = self.work

    def renew_ownership(self, name: str) -> None:
        self._ownerships[name].renew()

    def work(self) -> None:
        for name in set(APPLICATIONS) - self.silent:
            self.renew_ownership(name)
            table = self.resources.leases(name)
            for held in table.list_leases():
                if held.lease_owner is not None and (name, held.lease_key) not in self.stuck:
                    table.replace(held, held.renewed())

    def change(self, name: str, shard: int, **changes: object) -> None:
        table = self.resources.leases(name)
        held = table.get(f"shardId-{shard:012}")
        assert held is not None
        table.replace(held, msgspec.structs.replace(held, lease_counter=held.lease_counter + 1, **changes))

    def status(self) -> PipelineStatus:
        return pipeline_status(self.resources, behind=5 * MINUTES)

    def of(self, name: str) -> ApplicationStatus:
        (found,) = [one for one in self.status().applications if one.application == name]
        return found

    def wrong(self) -> dict[str, Sequence[str]]:
        return {one.application: one.wrong for one in self.status().applications if one.wrong}


def test_all_is_well() -> None:
    """Every shard has a living worker, the tip is near, nothing is parked; one pause is enough to see it."""
    pipeline = Pipeline()
    status = pipeline.status()
    assert status.healthy
    assert [one.application for one in status.applications] == list(APPLICATIONS)
    assert pipeline.resources.waited == [4.0]
    (found,) = [one for one in status.applications if one.application == "inventory"]
    assert (found.engine, found.running, found.owners, found.parked) == (
        "embedded",
        True,
        frozenset({"worker-1"}),
        0,
    )
    assert [(shard.checkpoint, shard.renewed) for shard in found.shards] == [("100/3", True), ("101/3", True)]
    assert found.done_until == NOW - dt.timedelta(seconds=2)


def test_a_lease_that_came_late_for_a_former_stream_is_not_shown() -> None:
    """No worker reads by it, and the next one that looks deletes it."""
    pipeline = Pipeline()
    noted = {"arn": "arn:orders", "created_at": "2026-02-01"}
    pipeline.resources.store.transact([Put(CONSUMED_STREAMS.name, "inventory", noted, expected_version=None)])
    for number, stream in ((2, "arn:orders 2026-02-01"), (3, "arn:orders 2026-01-01")):
        late = msgspec.structs.replace(lease(number, 0, HALF), stream=stream)
        pipeline.resources.leases("inventory").create_if_absent(late)
    shown = {shard.shard_id[-1] for shard in pipeline.of("inventory").shards}
    assert shown == {"0", "1", "2"}


def test_an_application_that_never_ran_is_not_waited_for() -> None:
    """Without an owner there is nothing to observe, and no lease table to read."""
    status = pipeline_status(MemoryResources(), behind=5 * MINUTES)
    assert not status.healthy
    assert {one.wrong for one in status.applications} == {("no worker has ever run it here",)}
    assert {one.parked for one in status.applications} == {0}


def test_workers_that_have_ended() -> None:
    """Ownership and leases that were not renewed for a failover time belong to no worker."""
    pipeline = Pipeline()
    pipeline.silent.add("saga")
    assert pipeline.wrong() == {
        "saga": ("no worker runs: no embedded worker has renewed its ownership for 11 s",),
    }
    assert pipeline.resources.waited == [4.0, 7.0]
    assert pipeline.of("saga").owners == frozenset()


def test_a_shard_that_nobody_works_on() -> None:
    """Be it that its lease is free, or that its owner has gone; the application's other worker lives."""
    pipeline = Pipeline()
    pipeline.change("saga", 0, lease_owner=None)
    pipeline.stuck.add(("payments", "shardId-000000000001"))
    assert pipeline.wrong() == {
        "payments": ("no worker holds shardId-000000000001: its lease has not been renewed for 11 s",),
        "saga": ("no worker holds shardId-000000000000: its lease has not been renewed for 11 s",),
    }


def test_a_lease_that_changes_hands_meanwhile_is_no_fault() -> None:
    """What is free at the first look and taken at the last is worked on."""
    pipeline = Pipeline()
    pipeline.change("saga", 0, lease_owner=None)
    work = pipeline.work

    def take() -> None:
        work()
        pipeline.change("saga", 0, lease_owner="worker-2")

    pipeline.resources.meanwhile = take
    assert pipeline.wrong() == {}
    assert pipeline.of("saga").owners == frozenset({"worker-1", "worker-2"})


def test_a_shard_that_has_ended_needs_nobody() -> None:
    """Its lease is counted apart, and its hash keys are its children's."""
    pipeline = Pipeline()
    pipeline.change("saga", 0, lease_owner=None, checkpoint="SHARD_END")
    pipeline.resources.leases("saga").create_if_absent(lease(2, 0, HALF))
    assert pipeline.wrong() == {}
    assert (len(pipeline.of("saga").shards), pipeline.of("saga").ended_shards) == (2, 1)


def test_hash_keys_that_no_lease_covers() -> None:
    """A hole that stands through all looks is named; leases without ranges prove none."""
    pipeline = Pipeline()
    pipeline.change("saga", 1, checkpoint="SHARD_END")
    assert pipeline.wrong() == {"saga": (f"no lease covers the hash keys from {HALF + 1} to {MAX_HASH_KEY}",)}
    pipeline.change("saga", 0, hash_range=None)
    assert pipeline.wrong() == {}


def test_an_application_that_falls_behind() -> None:
    """The shard that is furthest behind counts; where one does not tell, the application does not either."""
    pipeline = Pipeline()
    pipeline.change("saga", 0, done_until=NOW - 6 * MINUTES)
    assert pipeline.wrong() == {"saga": ("shardId-000000000000 has not caught up for 360 s",)}
    assert pipeline.of("saga").done_until == NOW - 6 * MINUTES
    pipeline.change("saga", 1, done_until=None)
    assert pipeline.of("saga").done_until is None


def test_on_kcl_nothing_is_said_of_catching_up() -> None:
    """KCL leaves the time as it is that the embedded engine wrote last, long ago."""
    pipeline = Pipeline("kcl")
    pipeline.change("saga", 0, done_until=NOW - 600 * MINUTES)
    assert pipeline.wrong() == {}
    assert (pipeline.of("saga").engine, pipeline.of("saga").done_until) == ("kcl", None)


def test_dead_letters_are_wrong() -> None:
    """Parked records of an application, and payments that were received too often."""
    pipeline = Pipeline()
    StoredParking(pipeline.resources.store, "saga", pipeline.resources.clock).park(
        record_of("order-1", 1, b"{}"), "ValueError: planted"
    )
    pipeline.resources.payment_queue.send("order-2")
    pipeline.resources.payment_dead_letters.send("order-3")
    assert pipeline.wrong() == {"saga": ("1 records are parked: `orderstream dlq list` says why",)}
    (payments,) = pipeline.status().queues
    assert (payments.waiting, payments.dead_letters, len(payments.wrong)) == (1, 1, 1)


class Broken(MemoryLeaseTable):
    def list_leases(self) -> list[Lease]:
        raise DependencyError("dynamodb", "Scan", "AccessDeniedException")


def test_what_cannot_be_read_is_unknown_and_hides_nothing_else() -> None:
    """An application whose table is out of reach is unknown: no figure is made up, and the others show."""
    pipeline = Pipeline()
    pipeline.silent.add("saga")
    pipeline.resources.lease_tables["saga"] = Broken()
    assert pipeline.wrong() == {"saga": ("unknown: Scan: AccessDeniedException",)}
    saga = pipeline.of("saga")
    assert (saga.running, saga.shards, saga.parked, saga.done_until) == (None, (), None, None)
    assert not pipeline.status().healthy


def test_where_nothing_can_be_read_the_command_fails() -> None:
    """Without ownerships there is no status: the failure reaches the caller and names the table."""
    pipeline = Pipeline()

    def broken(table: str, keys: Sequence[str]) -> None:
        raise DependencyError("dynamodb", "BatchGetItem", f"no table {table}")

    pipeline.resources.store.get_many = broken  # type: ignore[method-assign, assignment]
    with pytest.raises(DependencyError, match=ENGINES.name):
        pipeline.status()
