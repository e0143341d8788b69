"""Deaggregation: ``deaggregate`` against aws_kinesis_agg's deaggregator, CPU time for each user record.

Run ``python producers/sdk/benchmarks/bench_deaggregation.py``. Aggregates of 50 KiB as the producer makes
them of 10,000 keys on 8 shards, which are some twenty to a slot; beside them the worst case, where each
record has a key of its own to be read. The two take turns, and the least of several rounds counts. The exit
code is 1 where at 250 bytes and twenty keys ours is not three times cheaper, or anything there costs more
than 2.5 us.
"""

import base64
import sys
import time
from collections.abc import Callable
from itertools import product
from random import Random

from aws_kinesis_agg.deaggregator import deaggregate_records

from orderstream.aggregation import UserRecord, deaggregate
from orderstream.aggregation.aggregate import encode_aggregate

ROUNDS = 40
REPEATS = 20
ALLOWED_RATIO = 3.0
ALLOWED_MICROSECONDS = 2.5
JUDGED_SIZE = 250
JUDGED_KEYS = 20
KEYS = {"twenty keys": JUDGED_KEYS, "keys of their own": 1_000_000}


def main() -> int:
    """Measure, print, and judge."""
    kept = True
    for size, (named, keys) in product((50, 250, 1024), KEYS.items()):
        random = Random(1)
        count = 51_200 // (size + 20)
        records = [
            UserRecord(f"order-{random.randrange(keys)}", random.randbytes(size)) for _ in range(count)
        ]
        data = encode_aggregate(records)
        kinesis = {
            "kinesisSchemaVersion": "1.0",
            "sequenceNumber": "1",
            "approximateArrivalTimestamp": 0,
            "partitionKey": "a",
            "data": base64.b64encode(data),
        }
        ours: list[float] = []
        theirs: list[float] = []
        for _ in range(ROUNDS):
            ours.append(cpu_seconds(lambda data=data: deaggregate(data, "a")))
            theirs.append(cpu_seconds(lambda event=[{"kinesis": kinesis}]: deaggregate_records(event)))
        ratio = min(theirs) / min(ours)
        per_record = 1e6 / count / REPEATS
        if size == JUDGED_SIZE:
            kept &= min(ours) * per_record <= ALLOWED_MICROSECONDS
            kept &= ratio >= ALLOWED_RATIO or keys != JUDGED_KEYS
        print(
            f"{size:5} B, {named:17}: {min(ours) * per_record:5.2f} us a record,"
            f" aws_kinesis_agg {min(theirs) * per_record:5.2f} us, {ratio:.1f} times ours"
        )
    return 0 if kept else 1


def cpu_seconds(call: Callable[[], object]) -> float:
    """Return the CPU time of some calls, in seconds."""
    began = time.process_time()
    for _ in range(REPEATS):
        call()
    return time.process_time() - began


if __name__ == "__main__":
    sys.exit(main())
