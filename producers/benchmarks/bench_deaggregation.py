"""Opening aggregates: ``deaggregate`` against aws_kinesis_agg's deaggregator, CPU time for each user record.

Run ``python producers/benchmarks/bench_deaggregation.py``. Aggregates of 50 KiB as the producer makes them;
the two take turns, the least of several rounds counts, and below a ratio of 2 the exit code is 1.
"""

import base64
import sys
import time
from collections.abc import Callable
from random import Random

from aws_kinesis_agg.deaggregator import deaggregate_records

from orderstream.kpl import UserRecord, deaggregate
from orderstream.kpl.aggregation import encode_aggregate

ROUNDS = 15
REPEATS = 20
ALLOWED = 2.0


def main() -> int:
    """Measure, print, and judge."""
    worst = float("inf")
    for size in (50, 250, 1024):
        random = Random(1)
        count = 51_200 // (size + 20)
        records = [
            UserRecord(f"order-{random.randrange(1250)}", random.randbytes(size)) for _ in range(count)
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
        worst = min(worst, ratio)
        per_record = 1e6 / count / REPEATS
        print(
            f"{size:5} B: {min(ours) * per_record:5.2f} us a record,"
            f" aws_kinesis_agg {min(theirs) * per_record:5.2f} us, {ratio:.1f} times ours"
        )
    return 0 if worst >= ALLOWED else 1


def cpu_seconds(call: Callable[[], object]) -> float:
    """Return the CPU time of some calls, in seconds."""
    began = time.process_time()
    for _ in range(REPEATS):
        call()
    return time.process_time() - began


if __name__ == "__main__":
    sys.exit(main())
