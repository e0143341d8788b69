"""Takes user records from the head of a slot and makes one Kinesis record of them."""

from orderstream.kpl.codec import MAGIC, pack
from orderstream.kpl.pending import KinesisRecord
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
    (record,) = slot.pop(1)
    hash_key = record.explicit_hash_key
    return KinesisRecord(
        [record],
        record.data,
        record.partition_key,
        None if hash_key is None else str(hash_key),
        shard_id=slot.shard_id,
        map_version=map_version,
        aggregated=False,
        user_bytes=record.size,
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
    number, data = pack(slot.queue, max_bytes, max_records)
    if number == 0 or (number == 1 and not slot.queue[0].data.startswith(MAGIC)):
        return take_one(slot, map_version)
    queued_bytes = slot.queued_bytes
    taken = slot.pop(number)
    return KinesisRecord(
        taken,
        data,
        AGGREGATE_PARTITION_KEY,
        str(taken[0].hash_key),
        shard_id=slot.shard_id,
        map_version=map_version,
        aggregated=True,
        user_bytes=queued_bytes - slot.queued_bytes,
    )
