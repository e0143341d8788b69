"""The DynamoDB item of a lease: the attributes of KCL's DynamoDBLeaseSerializer, and two of ours."""

import datetime as dt
from collections.abc import Mapping
from typing import Any, Final, get_args

from orderstream.kinesis.shard import HashRange
from orderstream_consumer.engines.embedded.leases.lease import Lease
from orderstream_consumer.processing.record import Checkpoint, Position, Sentinel

Item = Mapping[str, Any]
"""An item in DynamoDB's typed form, e.g. ``{"leaseKey": {"S": "shardId-000000000000"}}``."""

DONE_UNTIL: Final = "orderstreamDoneUntil"
"""Our own attribute, an ISO 8601 time; KCL neither reads nor writes it."""

STREAM: Final = "orderstreamStream"
"""Our own attribute, a ``StreamIdentity.text``; KCL neither reads nor writes it."""

_SENTINELS = {name: name for name in get_args(Sentinel)}


def lease_to_item(lease: Lease) -> dict[str, Any]:
    """Write a lease; what it does not have is left out, as KCL does."""
    position = lease.position
    item: dict[str, Any] = {
        "leaseKey": {"S": lease.lease_key},
        "leaseCounter": {"N": str(lease.lease_counter)},
        "checkpoint": {"S": str(position.sequence_number) if position else lease.checkpoint},
        "checkpointSubSequenceNumber": {"N": str(position.subsequence_number if position else 0)},
        "ownerSwitchesSinceCheckpoint": {"N": str(lease.owner_switches_since_checkpoint)},
        "throughputKBps": {"N": str(lease.throughput_kbps)},
    }
    if lease.lease_owner is not None:
        item["leaseOwner"] = {"S": lease.lease_owner}
    if lease.parent_shard_ids:
        item["parentShardId"] = {"SS": sorted(lease.parent_shard_ids)}
    if lease.child_shard_ids:
        item["childShardIds"] = {"SS": sorted(lease.child_shard_ids)}
    if lease.hash_range is not None:
        item["startingHashKey"] = {"S": str(lease.hash_range.start)}
        item["endingHashKey"] = {"S": str(lease.hash_range.end)}
    if lease.done_until is not None:
        item[DONE_UNTIL] = {"S": lease.done_until.isoformat()}
    if lease.stream is not None:
        item[STREAM] = {"S": lease.stream}
    return item


def lease_from_item(item: Item) -> Lease | None:
    """Read a lease; None for the other rows that KCL 3.5 keeps in the same table (they have no counter)."""
    if "leaseCounter" not in item or item.get("entityType", {"S": "LEASE"})["S"] != "LEASE":
        return None
    return Lease(
        lease_key=item["leaseKey"]["S"],
        lease_owner=item["leaseOwner"]["S"] if "leaseOwner" in item else None,
        lease_counter=int(item["leaseCounter"]["N"]),
        checkpoint=_checkpoint(item),
        owner_switches_since_checkpoint=int(item.get("ownerSwitchesSinceCheckpoint", {"N": "0"})["N"]),
        parent_shard_ids=frozenset(item["parentShardId"]["SS"] if "parentShardId" in item else ()),
        child_shard_ids=frozenset(item["childShardIds"]["SS"] if "childShardIds" in item else ()),
        hash_range=_hash_range(item),
        throughput_kbps=float(item.get("throughputKBps", {"N": "0"})["N"]),
        done_until=dt.datetime.fromisoformat(item[DONE_UNTIL]["S"]) if DONE_UNTIL in item else None,
        stream=item[STREAM]["S"] if STREAM in item else None,
    )


def _hash_range(item: Item) -> HashRange | None:
    if "startingHashKey" not in item or "endingHashKey" not in item:
        return None
    return HashRange(int(item["startingHashKey"]["S"]), int(item["endingHashKey"]["S"]))


def _checkpoint(item: Item) -> Checkpoint:
    text = item["checkpoint"]["S"]
    if text in _SENTINELS:
        sentinel: Sentinel = _SENTINELS[text]
        return sentinel
    return Position(int(text), int(item.get("checkpointSubSequenceNumber", {"N": "0"})["N"]))
