"""What consumers would get of what a sink was given: reads ``GET /taken`` of ``sink/main.go``."""

import json
from base64 import b64decode
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable
from typing import Final

from workload import DIGITS, key_of, partition_keys

from orderstream.aggregation import AggregateCorruptError, deaggregate, hash_key_of

SHARDS: Final = 8
EDGES: Final = [2**128 * index // SHARDS for index in range(SHARDS + 1)]


def shard_of(hash_key: int) -> int:
    """Return the number of the shard that a hash key leads to."""
    return bisect_right(EDGES, hash_key) - 1


def report(taken: Iterable[bytes], number: int) -> dict[str, int]:
    """Say what consumers get of records 0 to ``number`` - 1.

    Args:
        taken: The sink's lines: shard, partition key as JSON, data in base64.
        number: How many records were put.
    """
    names = partition_keys()
    homes = {name: shard_of(hash_key_of(name)) for name in names}
    seen = bytearray(number)
    last: dict[str, int] = defaultdict(lambda: -1)
    faults = (
        "kinesis_records",
        "bytes",
        "corrupt",
        "misrouted",
        "dropped_by_kcl",
        "duplicates",
        "inversions",
    )
    counts = dict.fromkeys(faults, 0)
    for line in taken:
        shard_text, partition_key, encoded = line.split(b"\t")
        shard, data = int(shard_text), b64decode(encoded)
        counts["kinesis_records"] += 1
        counts["bytes"] += len(data)
        try:
            deaggregated = deaggregate(data, json.loads(partition_key))
        except AggregateCorruptError:
            counts["corrupt"] += 1
            continue
        users = deaggregated.user_records
        if deaggregated.aggregated and any(shard_of(user.hash_key) != shard for user in users):
            counts["dropped_by_kcl"] += len(users)
        for user in users:
            index = int(user.data[:DIGITS])
            key = key_of(index, names)
            counts["misrouted"] += homes[key] != shard
            if seen[index]:
                counts["duplicates"] += 1
                continue
            seen[index] = 1
            counts["inversions"] += index < last[key]
            last[key] = max(last[key], index)
    counts["lost"] = number - sum(seen)
    return counts
