"""Records that are no events, put into a running pipeline: an operator sees them, and gets rid of them."""

import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest

from e2e.running import free_base_port, orderstream
from orderstream import Producer, ProducerConfig
from orderstream.kpl import Delivered
from orderstream_workers.local.environment import Layout
from orderstream_workers.local.lifecycle import read_state

pytestmark = pytest.mark.timeout(300)

PARKING_APPLICATIONS = {"inventory", "notifications", "payments", "saga", "shipping"}


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """The folder of an environment that is up."""
    home = tmp_path / "home"
    subprocess.run(orderstream(home, free_base_port(), "local", "up", "--shards", "1"), check=True)
    try:
        yield home
    finally:
        subprocess.run(orderstream(home, 0, "local", "down"), check=True)


def run(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        orderstream(home, 0, "dlq", *arguments), capture_output=True, text=True, check=False
    )


def plant(home: Path, *bodies: bytes) -> None:
    state = read_state(home)
    assert state is not None
    client = boto3.client(
        "kinesis",
        endpoint_url=Layout(home, state.options).kinesis_url,
        region_name="us-east-1",
        aws_access_key_id="local",
        aws_secret_access_key="local",
    )
    with Producer("orders", config=ProducerConfig(), client=client) as producer:
        for body in bodies:
            assert isinstance(producer.put(body, partition_key="planted").result(timeout=20), Delivered)
    client.close()


def parked(home: Path) -> set[str]:
    listed = run(home, "list")
    assert listed.returncode == 0, listed.stderr
    return {line.split("  ")[0] for line in listed.stdout.splitlines() if "  planted  1 behind" in line}


def test_what_is_no_event_is_listed_with_its_reason_and_discarded(home: Path) -> None:
    """Each application parks it with what follows on its key; a person discards both, and the key is free."""
    plant(home, b"\x00 no event", b"{}")
    deadline = time.monotonic() + 60
    while parked(home) != PARKING_APPLICATIONS:
        assert time.monotonic() < deadline, run(home, "list").stdout
        threading.Event().wait(0.5)
    shown = run(home, "show", "shipping", "planted")
    assert "NotAnEventError" in shown.stdout
    refused = run(home, "redrive", "shipping", "planted")
    assert (refused.returncode, "stopped after 0" in refused.stderr) == (1, True)
    for application in sorted(PARKING_APPLICATIONS):
        for _ in range(2):
            assert run(home, "discard", application, "planted", "--yes").returncode == 0
    assert run(home, "list").stdout == "nothing is parked\n"
