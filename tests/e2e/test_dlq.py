"""Records that are no events, put into a running pipeline: an operator sees them, and gets rid of them."""

import json
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest

from e2e.running import free_base_port, orderstream
from orderstream import Delivered, Producer, ProducerConfig
from orderstream_playground.local.environment import Layout
from orderstream_playground.local.lifecycle import read_state

pytestmark = pytest.mark.timeout(1200)

CREDENTIALS = {
    "region_name": "us-east-1",
    "aws_access_key_id": "local",
    "aws_secret_access_key": "local",
}

PARKING_APPLICATIONS = {"inventory", "notifications", "payments", "saga", "shipping", "stock-monitor"}

SKUS = ("85123A", "71053", "84406B", "84029G", "22752", "21730")
"""Enough of them that both halves of the range of hash keys have some."""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of an environment that is up."""
    home = tmp_path_factory.mktemp("dlq") / "home"
    subprocess.run(orderstream(home, free_base_port(), "local", "up", "--shards", "1"), check=True)
    try:
        yield home
    finally:
        subprocess.run(orderstream(home, 0, "local", "down"), check=True)


def run(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return command(home, "dlq", *arguments)


def command(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(orderstream(home, 0, *arguments), capture_output=True, text=True, check=False)


def layout_of(home: Path) -> Layout:
    state = read_state(home)
    assert state is not None
    return Layout(home, state.options)


def plant(home: Path, stream: str, *bodies: bytes) -> None:
    client = boto3.client("kinesis", endpoint_url=layout_of(home).kinesis_url, **CREDENTIALS)
    with Producer(stream, config=ProducerConfig(), client=client) as producer:
        for body in bodies:
            assert isinstance(producer.put(body, partition_key="planted").result(timeout=20), Delivered)
    client.close()


def parked(home: Path, key: str, behind: int) -> set[str]:
    listed = run(home, "list", "--json")
    assert listed.returncode == 0, listed.stderr
    keys = json.loads(listed.stdout)
    return {one["application"] for one in keys if (one["key"], one["behind"]) == (key, behind)}


def until_parked(home: Path, key: str, behind: int) -> None:
    deadline = time.monotonic() + 90
    while parked(home, key, behind) != PARKING_APPLICATIONS:
        assert time.monotonic() < deadline, run(home, "list").stdout
        threading.Event().wait(0.5)


def test_what_is_no_event_is_listed_with_its_reason_and_discarded(home: Path) -> None:
    """Each application parks it with what follows on its key; a person discards both, and the key is free."""
    for stream in ("orders", "stock-changes"):
        plant(home, stream, b"\x00 no event", b"{}")
    until_parked(home, "planted", 1)
    shown = run(home, "show", "shipping", "planted")
    assert "NotAnEventError" in shown.stdout
    refused = run(home, "redrive", "shipping", "planted")
    assert (refused.returncode, "stopped after 0" in refused.stderr) == (1, True)
    for application in sorted(PARKING_APPLICATIONS):
        discarded = run(home, "discard", application, "planted", "--behind", "--yes")
        assert discarded.returncode == 0, discarded.stderr
    assert run(home, "list").stdout == "nothing is parked\n"


def test_a_record_that_no_transaction_can_take_is_parked_and_discarded(home: Path) -> None:
    """What of it comes in a later write makes sure that the rest is still there; and all of it goes."""
    kinesis = boto3.client("kinesis", endpoint_url=layout_of(home).kinesis_url, **CREDENTIALS)
    for stream in ("orders", "stock-changes"):
        arn = kinesis.describe_stream_summary(StreamName=stream)["StreamDescriptionSummary"]["StreamARN"]
        kinesis.update_max_record_size(StreamARN=arn, MaxRecordSizeInKiB=10_240)
        kinesis.put_record(StreamARN=arn, PartitionKey="large", Data=b"\x00" * 5_000_000)
    kinesis.close()
    until_parked(home, "large", 0)
    for application in sorted(PARKING_APPLICATIONS):
        discarded = run(home, "discard", application, "large", "--yes")
        assert discarded.returncode == 0, discarded.stderr
    assert run(home, "list").stdout == "nothing is parked\n"


def give_up_payments(home: Path, *order_ids: str) -> None:
    """Put payments where SQS puts what was received too often."""
    sqs = boto3.client("sqs", endpoint_url=layout_of(home).aws_url, **CREDENTIALS)
    (url,) = sqs.list_queues(QueueNamePrefix="orderstream-payments-dlq")["QueueUrls"]
    for order_id in order_ids:
        sqs.send_message(QueueUrl=url, MessageBody=order_id)
    sqs.close()


def test_payments_that_were_given_up_are_seen_handed_back_and_discarded(home: Path) -> None:
    """Looking takes nothing away; one order's letters are dealt with, and the other's stay."""
    give_up_payments(home, "order-1", "order-2", "order-2")
    for _ in range(2):
        shown = run(home, "show", "payment-worker", "order-2")
        assert shown.stdout.count("payment of order order-2") == 2, shown.stderr
    redriven = run(home, "redrive", "payment-worker", "order-1")
    assert "handed back to the payment workers" in redriven.stdout, redriven.stderr
    again = run(home, "redrive", "payment-worker", "order-1")
    assert (again.returncode, "no payment of order order-1 is a dead letter" in again.stderr) == (1, True)
    discarded = run(home, "discard", "payment-worker", "order-2", "--yes")
    assert "2 discarded" in discarded.stdout, discarded.stderr
    assert run(home, "list", "payment-worker").stdout == "nothing is parked\n"


def leases(home: Path, application: str) -> set[str]:
    dynamodb = boto3.client("dynamodb", endpoint_url=layout_of(home).aws_url, **CREDENTIALS)
    items = dynamodb.scan(TableName=f"orderstream-{application}-consumer")["Items"]
    dynamodb.close()
    return {item["leaseKey"]["S"] for item in items if "checkpoint" in item}


def test_the_lease_of_a_shard_that_ended_is_deleted(home: Path) -> None:
    """It goes once its children are read: no application's table grows with every reshard."""
    parents = leases(home, "stock-monitor")
    kinesis = boto3.client("kinesis", endpoint_url=layout_of(home).kinesis_url, **CREDENTIALS)
    kinesis.update_shard_count(StreamName="stock-changes", TargetShardCount=2, ScalingType="UNIFORM_SCALING")
    kinesis.close()
    for sku in SKUS:
        received = command(home, "stock", "receive", sku, "5", "--reason", "a delivery")
        assert received.returncode == 0, received.stderr
    deadline = time.monotonic() + 90
    while (found := leases(home, "stock-monitor")) & parents or len(found) != 2:
        assert time.monotonic() < deadline, found
        threading.Event().wait(0.5)
