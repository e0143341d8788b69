"""What was measured, what ``size`` advises and what ``simulate`` says of the same stream agree."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from fakes.sizing_cli import run
from orderstream.aggregation import UserRecord, hash_key_of
from orderstream.aggregation.aggregate import encode_aggregate
from orderstream.testing import FakeKinesis, Limits
from shard_sizing.live.measure import measure
from shard_sizing.live.polling import Poller
from shard_sizing.model.data_files import load_limits
from shard_sizing.model.workload.measured import Measured

BEGAN, SECONDS, SHARDS = 1_700_000_000.0, 4, 2
DATA = b"x" * 100


def measured(write: Callable[[Any, int], None]) -> Measured:
    """Measure a stream of two shards, which is written to in each tenth of a second."""
    now, tenths = BEGAN - 0.5, 0
    client = FakeKinesis(limits=Limits(throttling=False), clock=lambda: now).client()
    client.create_stream(StreamName="orders", ShardCount=SHARDS)

    def sleep(seconds: float) -> None:
        nonlocal now, tenths
        for _ in range(max(1, round(seconds * 10))):
            now = round(now + 0.1, 1)
            write(client, tenths)
            tenths += 1

    poller = Poller(client, "orders", lambda: now, sleep)
    return measure("orders", poller, poller.read(SECONDS), load_limits(), None)


def plain(per_tenth: int) -> Callable[[Any, int], None]:
    """Write user records one by one, each with a key of its own."""

    def write(client: Any, tenth: int) -> None:
        records = [{"PartitionKey": f"{tenth}/{n}", "Data": DATA} for n in range(per_tenth)]
        for first in range(0, per_tenth, 500):
            client.put_records(StreamName="orders", Records=records[first : first + 500])

    return write


def packed(producers: int, per_tenth: int) -> Callable[[Any, int], None]:
    """Write user records in aggregates: one of each producer to each shard."""

    def write(client: Any, tenth: int) -> None:
        for producer in range(producers):
            users = [UserRecord(f"{tenth}/{producer}/{n}", DATA) for n in range(per_tenth // producers)]
            for shard in range(SHARDS):
                mine = [user for user in users if hash_key_of(user.partition_key) * SHARDS >> 128 == shard]
                client.put_record(
                    StreamName="orders",
                    PartitionKey="a",
                    ExplicitHashKey=str(hash_key_of(mine[0].partition_key)),
                    Data=encode_aggregate(mine),
                )

    return write


@pytest.mark.parametrize(
    ("write", "user_records", "kinesis_records", "enough"),
    [
        (plain(120), 1_200, 1_200, True),
        (plain(260), 2_600, 2_600, False),
        (packed(12, 300), 3_000, 240, True),
    ],
    ids=["plain", "too many", "aggregated"],
)
def test_a_stream_is_judged_by_what_it_took(
    write: Callable[[Any, int], None],
    user_records: int,
    kinesis_records: int,
    enough: bool,
    tmp_path: Path,
) -> None:
    """Aggregates count as the Kinesis records they are; a stream within its limits is advised no larger."""
    found = measured(write)
    assert found.rate == pytest.approx(user_records, rel=0.05)
    assert found.kinesis is not None
    assert found.kinesis.rate == pytest.approx(kinesis_records, rel=0.05)
    assert (found.busiest.used_max <= 1) is enough
    file = tmp_path / "live.json"
    file.write_bytes(msgspec.json.encode(found))
    assert run("simulate", str(file), "--shards", str(SHARDS)).exit_code == (0 if enough else 2)
    advised = json.loads(run("size", str(file), "--json").stdout)["shards"]
    assert (advised <= SHARDS) is enough
