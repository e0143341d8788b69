"""Resharding while real orders flow: nothing is lost, repeated or put out of order."""

import subprocess
import threading
import time
from pathlib import Path
from typing import Any

import boto3
import pytest

from e2e.running import INVOICES, free_base_port, orderstream, reconcile

LIMIT = 80


def wait_for_records(kinesis: Any, demo: "subprocess.Popen[str]") -> None:
    """Wait until every open shard has taken records, so that the next change comes under way."""
    deadline, pause = time.monotonic() + 60, threading.Event()
    shards = kinesis.list_shards(StreamName="orders", ShardFilter={"Type": "AT_LATEST"})["Shards"]
    for shard in shards:
        request = {"StreamName": "orders", "ShardId": shard["ShardId"], "ShardIteratorType": "TRIM_HORIZON"}
        iterator = kinesis.get_shard_iterator(**request)["ShardIterator"]
        while True:
            assert time.monotonic() < deadline, "a shard stays empty"
            assert demo.poll() is None, "the demo ended before the stream could be resharded"
            try:
                response = kinesis.get_records(ShardIterator=iterator, Limit=1)
            except kinesis.exceptions.ProvisionedThroughputExceededException:
                response = {"Records": []}  # the workers read it too
            if response["Records"]:
                break
            pause.wait(0.3)


@pytest.mark.timeout(1200)
def test_books_balance_through_doubling_and_halving(tmp_path: Path) -> None:
    """With 4 shards made 8 and 4 again under way, the books balance and the archive is in order."""
    port, out = free_base_port(), tmp_path / "out"
    demo = subprocess.Popen(
        orderstream(
            *(tmp_path / "home", port, "demo", "--orders", str(INVOICES), "--limit", str(LIMIT)),
            *("--out", str(out), "--no-progress"),
        ),
        stdout=subprocess.PIPE,
        text=True,
    )
    assert demo.stdout is not None
    for line in demo.stdout:
        if "playing" in line:
            break
    kinesis = boto3.client(
        "kinesis",
        endpoint_url=f"http://127.0.0.1:{port}",
        region_name="us-east-1",
        aws_access_key_id="x",
        aws_secret_access_key="x",
    )
    wait_for_records(kinesis, demo)
    kinesis.update_shard_count(StreamName="orders", TargetShardCount=8, ScalingType="UNIFORM_SCALING")
    wait_for_records(kinesis, demo)
    kinesis.update_shard_count(StreamName="orders", TargetShardCount=4, ScalingType="UNIFORM_SCALING")
    kinesis.close()
    printed, _ = demo.communicate(timeout=240)
    assert demo.returncode == 0, printed
    judged = reconcile(out, LIMIT)
    assert judged.returncode == 0, judged.stdout
