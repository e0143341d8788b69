"""The members that a request has to have, as the service model marks them.

And the partition key: optional only in streams whose records the service itself distributes (AUTO), which the
fake does not have.
"""

from typing import Any, Final

from orderstream.testing.errors import validation

REQUIRED: Final[dict[str, tuple[str, ...]]] = {
    "AddTagsToStream": ("Tags",),
    "CreateStream": ("StreamName",),
    "DecreaseStreamRetentionPeriod": ("RetentionPeriodHours",),
    "GetRecords": ("ShardIterator",),
    "GetShardIterator": ("ShardId", "ShardIteratorType"),
    "IncreaseStreamRetentionPeriod": ("RetentionPeriodHours",),
    "MergeShards": ("ShardToMerge", "AdjacentShardToMerge"),
    "PutRecord": ("Data", "PartitionKey"),
    "PutRecords": ("Records",),
    "RemoveTagsFromStream": ("TagKeys",),
    "SplitShard": ("ShardToSplit", "NewStartingHashKey"),
    "UpdateShardCount": ("TargetShardCount", "ScalingType"),
}
_RECORD: Final = ("Data", "PartitionKey")


def demand_members(operation: str, request: dict[str, Any]) -> None:
    """Refuse a request that lacks a required member.

    Raises:
        KinesisError: ValidationException, which names the first that is missing.
    """
    for member in REQUIRED.get(operation, ()):
        if request.get(member) is None:
            raise validation(_as_reported(member), None, "not be null")
    if operation == "PutRecords":
        for place, record in enumerate(request["Records"], start=1):
            for member in _RECORD:
                if member not in record:
                    raise validation(f"records.{place}.member.{_as_reported(member)}", None, "not be null")


def _as_reported(member: str) -> str:
    return member[0].lower() + member[1:]
