"""Amazon's KPL writes to our fake Kinesis over TLS, and we open what it has written.

``make differential-kpl`` runs it. Every third record has an explicit hash key. Exit status 0 if every record
arrived with its keys and its payload, most of them in aggregates, and each aggregate within its shard.
"""

import argparse
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
from sink_process import certificate
from workload import DIGITS, key_of, partition_keys
from workload import records as workload_records

from orderstream.aggregation import MAX_HASH_KEY, UserRecord, deaggregate

SHARDS = 4
SIZE = 250
STARTUP_SECONDS = 30.0
SPREAD = 0x9E3779B97F4A7C15F39CC0605CEDC835
"""An odd number near 2**128 over the golden ratio: its multiples lie evenly among the hash keys."""
COUNTS = (
    *("Kinesis records", "aggregates", "aggregated records", "explicit hash keys", "different records"),
    *("duplicates", "wrong-shard aggregates", "changed", "unknown"),
)


def main() -> int:
    """Write, read, compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kpl", required=True, help="a directory with KPL's jars and the compiled client")
    parser.add_argument("--records", type=int, default=100_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        files = certificate(Path(folder))
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        command = [sys.executable, "-m", "orderstream.testing.server", "--port", str(port), "--no-limits"]
        command += ["--stream", "orders", "--shards", str(SHARDS)]
        command += ["--certificate", files[0], "--key", files[1]]
        server = subprocess.Popen(command)
        try:
            wait_for(port, server)
            write(f"https://127.0.0.1:{port}", options.records, options.kpl, Path(folder) / "workload.txt")
            counts = compare(client(port, files[0]), options.records)
        finally:
            server.terminate()
            server.wait()
    print(", ".join(f"{name}: {count:,}" for name, count in counts.items()))
    return int(not holds(counts, options.records))


def holds(counts: Counter[str], number: int) -> bool:
    """Tell whether all has arrived as it was put.

    Duplicates are KPL's to make: it sends again what is not acknowledged in time. At its start it
    aggregates nothing, which must remain the exception: else next to nothing would have been deaggregated.
    """
    wrong = counts["wrong-shard aggregates"] + counts["changed"] + counts["unknown"]
    return not wrong and counts["different records"] == number and counts["aggregated records"] > number / 2


def wait_for(port: int, server: "subprocess.Popen[bytes]") -> None:
    """Wait until the server listens."""
    deadline = time.monotonic() + STARTUP_SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            if server.poll() is not None or time.monotonic() > deadline:
                raise
            time.sleep(0.1)
        else:
            return


def write(endpoint: str, number: int, kpl: str, workload: Path) -> None:
    """Let KPL put so many records."""
    with workload.open("w") as lines:
        for index, (data, key) in enumerate(workload_records(number, SIZE)):
            hash_key = explicit_hash_key_of(index)
            lines.write(f"{key}\t{data}\n" if hash_key is None else f"{key}\t{data}\t{hash_key}\n")
    environment = os.environ | {
        "ENDPOINT": endpoint,
        "WORKLOAD": str(workload),
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
    }
    command = ["java", "-Xmx1g", "-cp", f"{kpl}/*:{kpl}", "KplClient"]
    # It asks twice whether to go on.
    subprocess.run(
        command, env=environment, input="\n\n", text=True, check=True, timeout=600, stdout=sys.stderr
    )


def explicit_hash_key_of(index: int) -> int | None:
    """Give every third record a hash key of its own, spread over all shards."""
    return None if index % 3 else index * SPREAD % (MAX_HASH_KEY + 1)


def client(port: int, trusted: str) -> Any:
    """A client that trusts the certificate we have made."""
    return boto3.client(
        "kinesis",
        endpoint_url=f"https://127.0.0.1:{port}",
        verify=trusted,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )


def compare(kinesis: Any, number: int) -> Counter[str]:
    """Count what has arrived, and what is wrong with it."""
    expected, names = workload_records(number, SIZE), partition_keys()
    seen: set[int] = set()
    counts: Counter[str] = Counter(dict.fromkeys(COUNTS, 0))
    for hash_range, record in read(kinesis):
        deaggregated = deaggregate(record["Data"], record["PartitionKey"])
        counts["Kinesis records"] += 1
        if deaggregated.aggregated:
            counts["aggregates"] += 1
            counts["aggregated records"] += len(deaggregated.user_records)
            wrong_shard = any(user.hash_key not in hash_range for user in deaggregated.user_records)
            counts["wrong-shard aggregates"] += wrong_shard
        for user in deaggregated.user_records:
            index = int(user.data[:DIGITS])
            if index >= number:
                counts["unknown"] += 1
                continue
            counts["duplicates"] += index in seen
            seen.add(index)
            # Kinesis gives no explicit hash key back: only an aggregate keeps its records' own.
            hash_key = explicit_hash_key_of(index) if deaggregated.aggregated else None
            counts["explicit hash keys"] += hash_key is not None
            put = UserRecord(key_of(index, names), expected[index][0].encode(), hash_key)
            counts["changed"] += user != put
    counts["different records"] = len(seen)
    return counts


def read(kinesis: Any) -> Iterator[tuple[range, Any]]:
    """Give all Kinesis records, each with the hash range of its shard."""
    for shard in kinesis.list_shards(StreamName="orders")["Shards"]:
        ends = shard["HashKeyRange"]
        hash_range = range(int(ends["StartingHashKey"]), int(ends["EndingHashKey"]) + 1)
        where = {"ShardId": shard["ShardId"], "ShardIteratorType": "TRIM_HORIZON"}
        iterator = kinesis.get_shard_iterator(StreamName="orders", **where)["ShardIterator"]
        behind = 1
        while behind:
            page = kinesis.get_records(ShardIterator=iterator)
            for record in page["Records"]:
                yield hash_range, record
            iterator, behind = page["NextShardIterator"], page["MillisBehindLatest"]


if __name__ == "__main__":
    sys.exit(main())
