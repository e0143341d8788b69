"""One suite for every lease table: conditional writes, and KCL's layout in DynamoDB."""

import datetime as dt
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from moto import mock_aws

from fakes.moto_aws import moto_client
from orderstream.errors import DependencyError
from orderstream.kinesis.shard import HashRange, Shard
from orderstream_consumer.engines.embedded.leases import (
    DynamoDBLeaseTable,
    Lease,
    LeaseTable,
    OwnedLease,
    commit,
)
from orderstream_consumer.processing.errors import LeaseLostError
from orderstream_consumer.processing.record import Checkpoint, Position
from orderstream_consumer.testing import MemoryLeaseTable

SEQUENCE = 49680457943812345678901234567890123456789012345678901234
LEASE = Lease(
    lease_key="shardId-000000000004",
    parent_shard_ids=frozenset({"shardId-000000000000"}),
    hash_range=HashRange(0, 2**127 - 1),
)


@pytest.fixture
def dynamodb() -> Iterator[Any]:
    """A DynamoDB client over moto."""
    with mock_aws():
        client = moto_client("dynamodb")
        yield client
        client.close()


@pytest.fixture(params=["memory", "dynamodb"])
def table(request: pytest.FixtureRequest) -> LeaseTable:
    """Each implementation in turn, created twice to show that this is harmless."""
    made: LeaseTable = MemoryLeaseTable()
    if request.param == "dynamodb":
        made = DynamoDBLeaseTable(request.getfixturevalue("dynamodb"), "app")
    made.create_table()
    made.create_table()
    return made


def owned(table: LeaseTable, lease: Lease) -> OwnedLease:
    return OwnedLease(table, lease, written_at=0.0, failover_time=10, clock=lambda: 0.0)


def test_what_is_created_is_read(table: LeaseTable) -> None:
    """A lease comes back as it was created, and a second creation changes nothing."""
    assert table.create_if_absent(LEASE)
    assert not table.create_if_absent(LEASE.taken_by("other"))
    assert table.get(LEASE.lease_key) == LEASE
    assert table.list_leases() == [LEASE]
    assert table.get("none") is None


def test_every_change_is_kept(table: LeaseTable) -> None:
    """Taking, checkpointing, naming children, ending and releasing are read back as they were written."""
    table.create_if_absent(LEASE)
    lease = LEASE
    for change in (
        lambda held: held.taken_by("me"),
        Lease.renewed,
        lambda held: held.checkpointed(Position(SEQUENCE, 3)),
        lambda held: held.renewed_as_done_until(dt.datetime(2026, 1, 1, 12, 0, 0, 5, tzinfo=dt.UTC)),
        lambda held: held.with_children(frozenset({"a", "b"})),
        lambda held: held.checkpointed("SHARD_END"),
        Lease.released,
    ):
        lease = commit(table, lease, change)
        assert table.get(LEASE.lease_key) == lease
    assert (lease.lease_counter, lease.lease_owner) == (7, None)


def test_a_write_needs_owner_and_counter(table: LeaseTable) -> None:
    """Who holds an old counter, or is not the owner, changes nothing."""
    table.create_if_absent(LEASE)
    mine = commit(table, LEASE, lambda held: held.taken_by("me"))
    with pytest.raises(LeaseLostError):
        commit(table, LEASE, lambda held: held.taken_by("you"))
    yours = commit(table, mine, lambda held: held.taken_by("you"))
    with pytest.raises(LeaseLostError):
        commit(table, mine, Lease.renewed)
    assert table.get(LEASE.lease_key) == yours
    assert yours.owner_switches_since_checkpoint == 2


def test_a_renewal_that_came_through_unnoticed_is_written_again(table: LeaseTable) -> None:
    """When it was made nobody knows, and the lease counts from a write that was sent after the call began."""
    assert table.create_if_absent(LEASE)
    mine = commit(table, LEASE, lambda held: held.taken_by("me"))
    assert table.replace(mine, mine.renewed())
    renewed = commit(table, mine, Lease.renewed)
    assert renewed.lease_counter == mine.lease_counter + 2
    assert table.get(LEASE.lease_key) == renewed


@pytest.mark.parametrize("checkpoint", [Position(9), Position(7, 1), "SHARD_END", "TRIM_HORIZON"])
def test_a_write_that_comes_in_another_life_of_the_lease_changes_nothing(
    table: LeaseTable, checkpoint: Checkpoint
) -> None:
    """Made anew, a lease counts from 0 again: its former owner may have it again, at the very same count."""
    former = Lease(lease_key="s", lease_owner="me", lease_counter=3, checkpoint=Position(7))
    present = msgspec.structs.replace(former, checkpoint=checkpoint)
    table.create_if_absent(present)
    assert not table.replace(former, former.checkpointed(Position(8)))
    assert not table.delete(former)
    with pytest.raises(LeaseLostError):
        commit(table, former, lambda held: held.checkpointed(Position(8)))
    assert table.get("s") == present


def test_a_write_to_a_lease_of_another_stream_changes_nothing(table: LeaseTable) -> None:
    """Though owner, count and checkpoint are the same; nor does one that names no stream reach it."""
    present = Lease(lease_key="s", stream="arn:new 2026")
    table.create_if_absent(present)
    for held in (Lease(lease_key="s", stream="arn:old 2025"), Lease(lease_key="s")):
        assert not table.replace(held, held.taken_by("me"))
        assert not table.delete(held)
    assert table.get("s") == present


def test_a_write_brings_the_stream_to_a_lease_that_has_none(table: LeaseTable) -> None:
    """KCL made it, or an earlier version: the first write says of which stream it is, and others hold on."""
    table.create_if_absent(Lease(lease_key="s"))
    held = Lease(lease_key="s", stream="arn:new 2026")
    taken = commit(table, held, lambda lease: lease.taken_by("me"))
    assert table.get("s") == taken
    assert taken.stream == held.stream
    released = commit(table, taken, Lease.released)
    assert table.delete(released)


def test_hash_keys_come_in_between_two_writes_of_the_owner(table: LeaseTable) -> None:
    """Neither loses its lease: who notes the hash keys leaves owner, count and checkpoint as they are."""
    old = Lease(lease_key="s", lease_owner="me", lease_counter=3, checkpoint=Position(7))
    table.create_if_absent(old)
    shard = Shard("s", HashRange(5, 9))
    assert table.replace(old, old.with_range_of(shard))
    noted = table.get("s")
    assert noted == msgspec.structs.replace(old, hash_range=HashRange(5, 9))
    after = commit(table, old, lambda held: held.checkpointed(Position(8)))
    assert (after.lease_counter, after.position) == (4, Position(8))


def test_a_deletion_needs_owner_and_counter(table: LeaseTable) -> None:
    """What somebody has changed since it was read stays; what is gone is not deleted twice."""
    table.create_if_absent(LEASE)
    mine = commit(table, LEASE, lambda held: held.taken_by("me"))
    assert not table.delete(LEASE)
    assert table.get(LEASE.lease_key) == mine
    assert table.delete(mine)
    assert not table.delete(mine)
    assert table.get(LEASE.lease_key) is None


def test_the_end_of_a_shard_creates_its_children_first(table: LeaseTable) -> None:
    """Children's leases exist and are named before SHARD_END; existing ones are left alone."""
    table.create_if_absent(LEASE)
    started = Lease(lease_key="b", checkpoint=Position(1), lease_owner="other")
    table.create_if_absent(started)
    mine = owned(table, commit(table, LEASE, lambda held: held.taken_by("me")))
    mine.register_children([Lease(lease_key="a"), Lease(lease_key="b")], frozenset("ab"))
    mine.checkpoint("SHARD_END")
    assert table.get("b") == started
    assert table.get("a") == Lease(lease_key="a")
    ended = table.get(LEASE.lease_key)
    assert ended is not None
    assert ended.has_ended
    assert ended.child_shard_ids == {"a", "b"}


def test_a_table_that_is_there_is_described_and_not_created(dynamodb: Any) -> None:
    """A worker whose table is provisioned needs no right to create tables; one told so does not even look."""
    called: list[str] = []
    dynamodb.meta.events.register("before-call.dynamodb", lambda model, **_: called.append(model.name))
    DynamoDBLeaseTable(dynamodb, "app", creates=False).create_table()
    assert called == []
    table = DynamoDBLeaseTable(dynamodb, "app")
    table.create_table()
    assert called.count("CreateTable") == 1
    called.clear()
    table.create_table()
    assert called == ["DescribeTable"]


def test_items_are_what_kcl_writes(dynamodb: Any) -> None:
    """An item has exactly the attributes of KCL 3, and the table its key and index."""
    table = DynamoDBLeaseTable(dynamodb, "app")
    table.create_table()
    table.create_if_absent(LEASE)
    mine = commit(table, LEASE, lambda held: held.taken_by("me"))
    commit(table, mine, lambda held: held.checkpointed(Position(SEQUENCE, 2)))
    assert dynamodb.scan(TableName="app")["Items"] == [
        {
            "leaseKey": {"S": "shardId-000000000004"},
            "leaseOwner": {"S": "me"},
            "leaseCounter": {"N": "2"},
            "checkpoint": {"S": str(SEQUENCE)},
            "checkpointSubSequenceNumber": {"N": "2"},
            "ownerSwitchesSinceCheckpoint": {"N": "0"},
            "parentShardId": {"SS": ["shardId-000000000000"]},
            "startingHashKey": {"S": "0"},
            "endingHashKey": {"S": str(2**127 - 1)},
            "throughputKBps": {"N": "0.0"},
        }
    ]
    description = dynamodb.describe_table(TableName="app")["Table"]
    assert description["KeySchema"] == [{"AttributeName": "leaseKey", "KeyType": "HASH"}]
    (index,) = description["GlobalSecondaryIndexes"]
    assert index["IndexName"] == "LeaseOwnerToLeaseKeyIndex"
    assert index["Projection"] == {"ProjectionType": "KEYS_ONLY"}


def test_the_stream_is_an_attribute_that_kcl_leaves_alone(dynamodb: Any) -> None:
    """Its name cannot be one of KCL's, which all begin otherwise."""
    table = DynamoDBLeaseTable(dynamodb, "app")
    table.create_table()
    table.create_if_absent(Lease(lease_key="s", stream="arn 2026"))
    (item,) = dynamodb.scan(TableName="app")["Items"]
    assert item["orderstreamStream"] == {"S": "arn 2026"}


def test_what_kcl_keeps_beside_is_left_alone(dynamodb: Any) -> None:
    """Rows that are no leases are not seen, and unknown attributes of leases survive every change.

    What KCL left of a hand-over or of a prepared checkpoint ends with it; else KCL would skip the lease.
    """
    table = DynamoDBLeaseTable(dynamodb, "app")
    table.create_table()
    dynamodb.put_item(
        TableName="app", Item={"leaseKey": {"S": "Leader"}, "entityType": {"S": "LEADER"}, "x": {"N": "1"}}
    )
    extra = {
        "checkpointOwner": {"S": "old"},
        "pendingCheckpoint": {"S": "7"},
        "pendingCheckpointState": {"B": b"x"},
        "throughputHistory": {"S": "unknown to us"},
        "entityType": {"S": "LEASE"},
    }
    item = {
        "leaseKey": {"S": "s"},
        "leaseCounter": {"N": "68"},
        "leaseOwner": {"S": "old"},
        "checkpoint": {"S": "12"},
    }
    dynamodb.put_item(TableName="app", Item=item | extra)
    (lease,) = table.list_leases()
    assert lease.position == Position(12, 0)
    renewed = commit(table, lease, Lease.renewed)
    assert dynamodb.get_item(TableName="app", Key={"leaseKey": {"S": "s"}})["Item"].keys() >= extra.keys()
    taken = commit(table, renewed, lambda held: held.taken_by("me"))
    commit(table, commit(table, taken, lambda held: held.checkpointed(Position(13))), Lease.released)
    after = dynamodb.get_item(TableName="app", Key={"leaseKey": {"S": "s"}})["Item"]
    assert after["entityType"] == extra["entityType"]
    assert after["throughputHistory"] == extra["throughputHistory"]
    assert not after.keys() & {"checkpointOwner", "pendingCheckpoint", "pendingCheckpointState"}
    assert after["checkpoint"] == {"S": "13"}
    assert "leaseOwner" not in after


def test_an_unreachable_table_is_a_dependency_failure(dynamodb: Any) -> None:
    """A table that cannot be used says so, whatever is asked of it."""
    table = DynamoDBLeaseTable(dynamodb, "absent")
    for ask in (
        table.list_leases,
        lambda: table.get("s"),
        lambda: table.create_if_absent(LEASE),
        lambda: table.replace(LEASE, LEASE.renewed()),
    ):
        with pytest.raises(DependencyError):
            ask()
