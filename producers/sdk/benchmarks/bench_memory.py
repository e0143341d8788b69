"""Puts five million records with one producer, and watches its memory.

``python bench_memory.py SINK [RECORDS]``; ``make bench-memory`` builds the sink and runs it. Exit status 0 if
the memory stayed within the configured buffer and 50 MB, and the sink was given every record, once, in order.
"""

import os
import sys
import time
from pathlib import Path

import boto3
import psutil
from botocore.config import Config

sys.path.insert(0, str(Path(__file__).parent / "producer"))
from consumers import report
from sink_process import sink, taken
from workload import DIGITS, key_of, partition_keys

from orderstream import Producer, ProducerConfig

SIZE = 250
ROOM = 50_000_000
LOOK_EVERY = 50_000


def main() -> int:
    """Put, watch and judge."""
    number = int(sys.argv[2]) if len(sys.argv) > 2 else 5_000_000
    config = ProducerConfig(records_per_second_per_shard=1e6, bytes_per_second_per_shard=1e9)
    names, filler = partition_keys(), b"x" * (SIZE - DIGITS)
    process = psutil.Process(os.getpid())
    with sink(sys.argv[1]) as endpoint:
        client = boto3.client(
            "kinesis",
            endpoint_url=endpoint,
            region_name="us-east-1",
            aws_access_key_id="x",
            aws_secret_access_key="x",
            config=Config(max_pool_connections=config.max_in_flight_requests),
        )
        before = most = process.memory_info().rss
        began = time.monotonic()
        with Producer("orders", config=config, client=client) as producer:
            for index in range(number):
                producer.put(b"%012d%b" % (index, filler), key_of(index, names))
                if index % LOOK_EVERY == 0:
                    most = max(most, process.memory_info().rss)
        seconds = time.monotonic() - began
        most = max(most, process.memory_info().rss)
        counts = report(taken(endpoint), number)
    grown, allowed = most - before, config.buffered_bytes + ROOM
    print(
        f"{number:,} records of {SIZE} bytes in {seconds:.0f} s; memory grew by {grown / 1e6:.0f} MB of the "
        f"{allowed / 1e6:.0f} MB allowed; {counts}"
    )
    faults = ("lost", "misrouted", "dropped_by_kcl", "inversions", "duplicates")
    return int(grown > allowed or any(counts[fault] for fault in faults))


if __name__ == "__main__":
    sys.exit(main())
