"""Amazon's KPL writes to our fake Kinesis over TLS, and we open what it has written.

``make differential-kpl`` runs it. Exit status 0 if every record arrived with its key and its payload, in an
aggregate that a consumer of its shard opens.
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

from orderstream.kpl import UserRecord, deaggregate

SHARDS = 4
SIZE = 250
STARTUP_SECONDS = 30.0


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
        command += [
            "--stream",
            "orders",
            "--shards",
            str(SHARDS),
            "--certificate",
            files[0],
            "--key",
            files[1],
        ]
        server = subprocess.Popen(command)
        try:
            wait_for(port)
            write(f"https://127.0.0.1:{port}", options.records, options.kpl, Path(folder) / "workload.txt")
            counts = compare(client(port, files[0]), options.records)
        finally:
            server.terminate()
            server.wait()
    print(", ".join(f"{name}: {count:,}" for name, count in counts.items()))
    wrong = counts["foreign"] + counts["changed"] + counts["unknown"]
    return int(bool(wrong) or counts["different records"] != options.records)


def wait_for(port: int) -> None:
    """Wait until somebody listens."""
    deadline = time.monotonic() + STARTUP_SECONDS
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
        else:
            return


def write(endpoint: str, number: int, kpl: str, workload: Path) -> None:
    """Let KPL put so many records."""
    with workload.open("w") as lines:
        lines.writelines(f"{key}\t{data}\n" for data, key in workload_records(number, SIZE))
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
    counts: Counter[str] = Counter(
        dict.fromkeys(
            ("Kinesis records", "aggregates", "different records", "foreign", "changed", "unknown"), 0
        )
    )
    for hash_range, record in read(kinesis):
        opened = deaggregate(record["Data"], record["PartitionKey"])
        counts["Kinesis records"] += 1
        counts["aggregates"] += opened.aggregated
        counts["foreign"] += any(user.hash_key not in hash_range for user in opened.user_records)
        for user in opened.user_records:
            index = int(user.data[:DIGITS])
            if index >= number:
                counts["unknown"] += 1
                continue
            seen.add(index)
            counts["changed"] += user != UserRecord(key_of(index, names), expected[index][0].encode())
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
