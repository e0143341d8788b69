"""Reading at the tip of a shard of the fake: 1,000,000 records held against 10,000.

Run ``python producers/sdk/benchmarks/bench_fake_tip.py``. Both shards are read in turn, so that whatever
else the machine does meets both; the median of the ratios of CPU time is printed, and above 1.2 the exit
code is 1.
"""

import statistics
import sys
import time
from collections.abc import Callable

from orderstream.testing import FakeKinesis, Limits

SMALL, LARGE = 10_000, 1_000_000
ROUNDS, READS = 60, 300
ALLOWED = 1.2
BATCH = 500


def main() -> int:
    """Measure, print, and judge."""
    readers = [reader_at_tip(held) for held in (SMALL, LARGE)]
    for read in readers:
        read()  # warm up
    times = [[cpu_seconds(read) for read in readers] for _ in range(ROUNDS)]
    small, large = (statistics.median(column) / READS for column in zip(*times, strict=True))
    ratio = statistics.median(second / first for first, second in times)
    print(f"{SMALL:>9,} records held: {small * 1e6:6.1f} us a read")
    print(f"{LARGE:>9,} records held: {large * 1e6:6.1f} us a read")
    print(f"ratio {ratio:.3f} (at most {ALLOWED})")
    return 0 if ratio <= ALLOWED else 1


def reader_at_tip(held: int) -> Callable[[], None]:
    """Fill a shard and return what puts one record and reads it at the tip, READS times."""
    kinesis = FakeKinesis(limits=Limits(throttling=False))
    kinesis.call("CreateStream", {"StreamName": "orders", "ShardCount": 1})
    entry = {"Data": b"order", "PartitionKey": "key"}
    for _ in range(held // BATCH):
        kinesis.call("PutRecords", {"StreamName": "orders", "Records": [entry] * BATCH})
    (shard,) = kinesis.shards("orders")
    request = {"StreamName": "orders", "ShardId": shard.shard_id, "ShardIteratorType": "LATEST"}
    iterator = kinesis.call("GetShardIterator", request).response["ShardIterator"]

    def read() -> None:
        nonlocal iterator
        for _ in range(READS):
            kinesis.call("PutRecord", {"StreamName": "orders", **entry})
            response = kinesis.call("GetRecords", {"ShardIterator": iterator}).response
            assert len(response["Records"]) == 1
            iterator = response["NextShardIterator"]

    return read


def cpu_seconds(work: Callable[[], None]) -> float:
    """CPU time of some work."""
    start = time.process_time()
    work()
    return time.process_time() - start


if __name__ == "__main__":
    sys.exit(main())
