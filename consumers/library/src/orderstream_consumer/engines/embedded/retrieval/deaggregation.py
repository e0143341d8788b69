"""From Kinesis records to user records: aggregates are deaggregated, and what is done already is left out."""

import datetime as dt
import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from orderstream.aggregation import AggregateCorruptError, UserRecord, deaggregate
from orderstream.kinesis.shard import HashRange
from orderstream_consumer.processing.record import DeliveredRecord, Position, possible_key

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class DeaggregatedRecords:
    """User records that came out of one read.

    Attributes:
        records: The user records, in order.
        last_sequence_number: Of the last Kinesis record read, discarded or not; None if there was none.
        wrong_shard_aggregates: Aggregates discarded because a user record belongs to another shard.
        corrupt_aggregates: Aggregates delivered closed because they could not be deaggregated.
        first_sequence_number: Of the first Kinesis record read, discarded or not; None if there was none.
    """

    records: tuple[DeliveredRecord, ...]
    last_sequence_number: int | None
    wrong_shard_aggregates: int = 0
    corrupt_aggregates: int = 0
    first_sequence_number: int | None = None


def deaggregate_records(
    shard_id: str,
    raw_records: Iterable[Mapping[str, Any]],
    *,
    done: Position | None,
    hash_range: HashRange | None,
    read_at: dt.datetime,
) -> DeaggregatedRecords:
    """Open what GetRecords returned.

    The partition key and the time of arrival are optional members of a record: a stream whose record
    distribution is AUTO gives no key where the producer gave none.

    Args:
        shard_id: The shard it was read from.
        raw_records: Its ``Records``.
        done: User records up to and including this position are left out; None leaves none out.
        hash_range: Aggregates with a user record outside of it are discarded whole, as KCL does, since their
            producer sends them again; None discards none.
        read_at: When they were read; used where Kinesis leaves the time of arrival out.

    Returns:
        The user records. An aggregate that cannot be deaggregated is delivered as the one record it looks
        like, so that its processor can set it aside.
    """
    deaggregated: list[DeliveredRecord] = []
    first: int | None = None
    last: int | None = None
    wrong_shard = corrupt = 0
    for raw in raw_records:
        last = int(raw["SequenceNumber"])
        first = last if first is None else first
        partition_key = raw.get("PartitionKey") or ""
        arrival = raw.get("ApproximateArrivalTimestamp") or read_at
        try:
            content = deaggregate(raw["Data"], partition_key)
        except AggregateCorruptError as error:
            corrupt += 1
            logger.warning(
                "aggregate cannot be deaggregated",
                extra=_position_fields(shard_id, last) | {"error": error},
            )
            users: tuple[UserRecord, ...] = (UserRecord(partition_key, raw["Data"]),)
        else:
            users = content.user_records
            if content.aggregated and hash_range is not None and _is_wrong_shard(users, hash_range):
                wrong_shard += 1
                logger.warning("aggregate of another shard discarded", extra=_position_fields(shard_id, last))
                continue
        for index, user in enumerate(users):
            position = Position(last, index)
            if done is not None and position <= done:
                continue
            deaggregated.append(
                DeliveredRecord(
                    shard_id=shard_id,
                    position=position,
                    partition_key=possible_key(user.partition_key, position),
                    data=user.data,
                    approximate_arrival=arrival,
                    explicit_hash_key=user.explicit_hash_key,
                )
            )
    return DeaggregatedRecords(tuple(deaggregated), last, wrong_shard, corrupt, first)


def _is_wrong_shard(users: Iterable[UserRecord], hash_range: HashRange) -> bool:
    return not all(hash_range.covers(user.hash_key) for user in users)


def _position_fields(shard_id: str, sequence_number: int) -> dict[str, object]:
    return {"shard_id": shard_id, "sequence_number": str(sequence_number)}
