"""Every kind of bad record in a running pipeline, between real orders: they park, the orders go through."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest

from e2e.running import INVOICES, free_base_port, orderstream, reconcile
from fakes.bad_input import EVERYBODY, PLANTED, UNKNOWN_EVENT
from orderstream_playground.local.environment import Layout
from orderstream_playground.local.lifecycle import read_state

pytestmark = pytest.mark.timeout(1200)

LIMIT = 60


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """The folder of an environment that is up."""
    home = tmp_path / "home"
    subprocess.run(orderstream(home, free_base_port(), "local", "up"), check=True)
    try:
        yield home
    finally:
        subprocess.run(orderstream(home, 0, "local", "down"), check=True)


def plant(home: Path) -> int:
    """Put every bad record into the stream as it is, and return the environment's base port."""
    state = read_state(home)
    assert state is not None
    client = boto3.client(
        "kinesis",
        endpoint_url=Layout(home, state.options).kinesis_url,
        region_name="us-east-1",
        aws_access_key_id="local",
        aws_secret_access_key="local",
    )
    for planted in PLANTED:
        client.put_record(StreamName="orders", PartitionKey=planted.name, Data=planted.data)
    client.put_record(StreamName="orders", PartitionKey="unknown-event", Data=UNKNOWN_EVENT)
    client.close()
    return state.options.base_port


def test_real_orders_go_through_between_bad_records(home: Path, tmp_path: Path) -> None:
    """The books balance but for exactly the planted dead letters, each with its reason."""
    base_port, out = plant(home), tmp_path / "out"
    played = subprocess.run(
        orderstream(
            *(home, base_port, "demo", "--orders", str(INVOICES), "--limit", str(LIMIT)),
            *("--out", str(out), "--no-progress"),
        ),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (out / "summary.json").exists(), played.stdout + played.stderr
    expected = {(name, planted.name): planted for planted in PLANTED for name in planted.parked_by}
    summary = json.loads((out / "summary.json").read_text())
    assert summary["dead_letters"] == len(expected)
    (differing,) = [line for line in played.stdout.splitlines() if "differs" in line]
    assert "dead letters" in differing
    judged = reconcile(out, LIMIT, "--dead-letters", str(len(expected)))
    assert judged.returncode == 0, judged.stdout
    for application in sorted(EVERYBODY):
        listed = json.loads(dlq(home, "list", application, "--json"))
        reasons = {one["key"]: one["reason"] for one in listed}
        parked = {planted.name: planted for planted in PLANTED if application in planted.parked_by}
        assert reasons.keys() == parked.keys()
        for name, planted in parked.items():
            assert reasons[name].startswith(planted.reason), name


def dlq(home: Path, *arguments: str) -> str:
    command = orderstream(home, 0, "dlq", *arguments)
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout
