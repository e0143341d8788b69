"""Takes user records from the head of a slot and makes one Kinesis record of them."""

from orderstream.kpl.aggregation import MAGIC, Aggregate
from orderstream.kpl.pending import KinesisRecord, PendingRecord
from orderstream.kpl.slots import Slot

# The partition key of an aggregate leads nowhere, its explicit hash key does; KPL writes the same letter.
AGGREGATE_PARTITION_KEY = "a"


def take_one(slot: Slot, map_version: int) -> KinesisRecord:
    """Make a Kinesis record of the slot's first user record alone, under its own keys.

    Args:
        slot: A slot with a record waiting; it is taken out.
        map_version: The shard map in force.

    Returns:
        The plain record.
    """
    pending = slot.pop()
    record = pending.record
    hash_key = None if record.explicit_hash_key is None else str(record.explicit_hash_key)
    return KinesisRecord(
        [pending],
        record.data,
        record.partition_key,
        hash_key,
        shard_id=slot.shard_id,
        map_version=map_version,
        aggregated=False,
    )


def take_many(slot: Slot, map_version: int, max_bytes: int, max_records: int) -> KinesisRecord:
    """Make a Kinesis record of as many of the slot's first user records as fit.

    A user record that finds no company goes out plain, as KPL does, and so does one too large for an
    aggregate. One that looks like an aggregate itself is wrapped, or consumers would open it. The aggregate's
    explicit hash key is that of its first user record: it lies in the slot, hence in the shard.

    Args:
        slot: A slot with a record waiting; what is used is taken out.
        map_version: The shard map in force.
        max_bytes: How large an aggregate may become.
        max_records: How many user records it may hold.

    Returns:
        An aggregate, or a plain record.
    """
    aggregate = Aggregate()
    taken: list[PendingRecord] = []
    while slot.queue and len(taken) < max_records and aggregate.add(slot.queue[0].record, max_bytes):
        taken.append(slot.pop())
    if not taken:
        return take_one(slot, map_version)
    if len(taken) == 1 and not taken[0].record.data.startswith(MAGIC):
        slot.put_back(taken[0])
        return take_one(slot, map_version)
    return KinesisRecord(
        taken,
        aggregate.encode(),
        AGGREGATE_PARTITION_KEY,
        str(taken[0].hash_key),
        shard_id=slot.shard_id,
        map_version=map_version,
        aggregated=True,
    )
