"""The pipeline on Amazon's real KCL, and an application that moves from one engine to the other and back."""

import dataclasses
import json
import signal
import subprocess
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import boto3
import msgspec
import psutil
import pytest

from e2e.logged import judge_logs
from e2e.measured import measured, orders_unsure
from e2e.running import INVOICES, free_base_port, orderstream, reconcile
from e2e.traced import judge_traces
from orderstream.aggregation import deaggregate
from orderstream_consumer.engines.embedded.leases import DynamoDBLeaseTable
from orderstream_consumer.processing.record import Position
from orderstream_playground.local.environment import Layout
from orderstream_playground.local.lifecycle import read_state
from orderstream_playground.local.processes import RunningProcess, start

LIMIT = 120
APPLICATION = "inventory"

ShardPosition = tuple[str, Position]
"""Where a user record is: the shard, and its position there."""


@dataclasses.dataclass(frozen=True)
class Life:
    """What one worker did from its start until it had drained."""

    handled: list[ShardPosition]
    """In the order in which it was done."""
    checkpoints: dict[str, Position]
    """By shard, as they stand after it."""

    def passed(self, position: ShardPosition) -> bool:
        """Whether the shard is checkpointed at or after a position."""
        shard_id, position = position
        return shard_id in self.checkpoints and position <= self.checkpoints[shard_id]


def eventually(holds: Callable[[], bool], seconds: float, why: str) -> None:
    deadline, pause = time.monotonic() + seconds, threading.Event()
    while not holds():
        assert time.monotonic() < deadline, why
        pause.wait(0.2)


class Environment:
    """A local environment whose inventory worker is replaced by hand."""

    def __init__(self, home: Path, port: int) -> None:
        self.home, self.port = home, port
        state = read_state(home)
        assert state is not None
        layout = Layout(home, state.options)
        self.aws: dict[str, Any] = {
            "region_name": "us-east-1",
            "aws_access_key_id": "x",
            "aws_secret_access_key": "x",
        }
        self.kinesis_url, self.dynamodb_url = layout.kinesis_url, layout.aws_url
        (self.spec,) = (spec for spec in layout.pipeline() if spec.name == APPLICATION)
        (self.worker,) = (process for process in state.processes if process.name == APPLICATION)

    def health(self) -> dict[str, Any]:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.spec.port}/health", timeout=2) as response:
                found: dict[str, Any] = json.load(response)
                return found
        except OSError:
            return {}

    def handled(self) -> int:
        return int(self.health().get("handled", 0))

    def demo(self, limit: int, out: Path) -> "subprocess.Popen[str]":
        command = orderstream(
            *(self.home, self.port, "demo", "--orders", str(INVOICES), "--shards", "2"),
            *("--limit", str(limit), "--out", str(out), "--no-progress"),
        )
        return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)

    def start(self, engine: str, **settings: str) -> RunningProcess:
        told = {"ORDERSTREAM_ENGINE": engine, "ORDERSTREAM_LOG_LEVEL": "DEBUG"}
        environment = {**self.spec.environment, **told, **settings}
        logs = self.home / f"logs-{engine}-{time.monotonic_ns()}"
        logs.mkdir()
        return start(dataclasses.replace(self.spec, environment=environment), logs)

    def replace(self, engine: str) -> None:
        """Start a worker in the place of the last one, and write it down where the environment's are."""
        self.worker = self.start(engine)
        state = read_state(self.home)
        assert state is not None
        others = tuple(process for process in state.processes if process.name != APPLICATION)
        state = msgspec.structs.replace(state, processes=(*others, self.worker))
        (self.home / "state.json").write_bytes(msgspec.json.encode(state))

    def stop(self) -> Life:
        """Drain the worker."""
        handle = self.worker.handle()
        assert handle is not None
        handle.send_signal(signal.SIGTERM)
        eventually(lambda: self.worker.handle() is None, 40, "the worker does not drain")
        lines = [json.loads(line) for line in Path(self.worker.log).read_text().splitlines()]
        drained = [line for line in lines if line.get("message") == "worker has drained"]
        assert len(drained) == 1, lines[-10:]
        handled = [
            (line["shard_id"], Position(int(line["sequence_number"]), line["subsequence_number"]))
            for line in lines
            if line.get("message") == "record handled"
        ]
        return Life(handled, self.checkpoints())

    def checkpoints(self) -> dict[str, Position]:
        """How far each shard is done, as the lease table says."""
        with closing(boto3.client("dynamodb", endpoint_url=self.dynamodb_url, **self.aws)) as dynamodb:
            leases = DynamoDBLeaseTable(dynamodb, f"orderstream-{APPLICATION}-consumer").list_leases()
        return {lease.lease_key: lease.position for lease in leases if lease.position is not None}

    def user_records(self) -> set[ShardPosition]:
        """User records in the whole stream, as any consumer finds them."""
        found: set[ShardPosition] = set()
        with closing(boto3.client("kinesis", endpoint_url=self.kinesis_url, **self.aws)) as kinesis:
            for shard in kinesis.list_shards(StreamName="orders")["Shards"]:
                shard_id = shard["ShardId"]
                iterator = kinesis.get_shard_iterator(
                    StreamName="orders", ShardId=shard_id, ShardIteratorType="TRIM_HORIZON"
                )["ShardIterator"]
                while True:
                    response = kinesis.get_records(ShardIterator=iterator, Limit=10_000)
                    for record in response["Records"]:
                        sequence_number = int(record["SequenceNumber"])
                        deaggregated = deaggregate(record["Data"], record["PartitionKey"]).user_records
                        found.update(
                            (shard_id, Position(sequence_number, i)) for i in range(len(deaggregated))
                        )
                    if not response["Records"] and response["MillisBehindLatest"] == 0:
                        break
                    iterator = response["NextShardIterator"]
        return found


@contextmanager
def environment_up(home: Path) -> Iterator[Environment]:
    port = free_base_port()
    subprocess.run(orderstream(home, port, "local", "up", "--shards", "2"), check=True, capture_output=True)
    environment = Environment(home, port)
    try:
        yield environment
    finally:
        subprocess.run(orderstream(home, 0, "local", "down"), check=True, capture_output=True)


@pytest.mark.timeout(1200)
def test_application_moves_from_engine_to_engine_while_orders_flow(tmp_path: Path) -> None:
    """Embedded, KCL, embedded: each record is handled, no checkpoint is ahead, none behind one comes again.

    What was done ahead of a checkpoint may come again. No mixed run begins.
    """
    out = tmp_path / "out"
    with environment_up(tmp_path / "home") as environment:
        environment.stop()
        environment.replace("embedded")
        demo = environment.demo(LIMIT, out)
        eventually(lambda: environment.handled() > 0, 60, "the embedded engine handles nothing")
        lives = [environment.stop()]

        environment.replace("kcl")
        eventually(lambda: environment.handled() > 0, 120, "KCL handles nothing")
        mixed = environment.start("embedded", ORDERSTREAM_HEALTH_PORT="0")
        eventually(lambda: mixed.handle() is None, 30, "a mixed run is not refused")
        assert "inventory is run by the kcl engine now" in Path(mixed.log).read_text()
        lives.append(environment.stop())

        environment.replace("embedded")
        printed, _ = demo.communicate(timeout=200)
        assert demo.returncode == 0, printed
        # Whatever KCL left to do, there is more to come for its successor.
        more = environment.demo(LIMIT + 30, out)
        printed, _ = more.communicate(timeout=200)
        assert more.returncode == 0, printed
        lives.append(environment.stop())
        stream = environment.user_records()

    handled: set[ShardPosition] = set()
    inherited = Life([], {})
    for life in lives:
        assert life.handled
        assert len(set(life.handled)) == len(life.handled)
        assert life.checkpoints != inherited.checkpoints
        assert not [position for position in life.handled if inherited.passed(position)]
        handled.update(life.handled)
        assert {position for position in stream if life.passed(position)} <= handled
        inherited = life
    assert handled == stream
    assert all(inherited.passed(position) for position in stream)
    judged = reconcile(out, LIMIT + 30)
    assert judged.returncode == 0, judged.stdout


@pytest.mark.timeout(1200)
def test_demo_balances_on_kcl(tmp_path: Path) -> None:
    """With every stream consumer on KCL the books balance, judged from outside as well."""
    out = tmp_path / "out"
    demo = subprocess.run(
        orderstream(
            *(tmp_path / "home", free_base_port(), "demo", "--engine", "kcl", "--orders", str(INVOICES)),
            *("--shards", "2", "--limit", "60", "--out", str(out), "--no-progress"),
        ),
        capture_output=True,
        text=True,
        check=False,
    )
    assert demo.returncode == 0, demo.stdout + demo.stderr
    judged = reconcile(out, 60)
    assert judged.returncode == 0, judged.stdout
    # A shard's process exports its last spans before the daemon lets it end: no order lacks any.
    assert not any(judge_traces(tmp_path / "home").values())
    # Nor does it keep what it has measured: each order is counted, those of the last seconds included.
    written, unsure = measured(tmp_path / "home"), orders_unsure(tmp_path / "home")
    accepted = json.loads((out / "summary.json").read_text())["counts"]["accepted"]
    assert abs(accepted - written["saga", "Accepted"]) <= unsure
    assert abs(accepted - written["saga", "Confirmed"] - written["saga", "Cancelled"]) <= unsure
    # What Java prints is in lines of ours.
    assert list(judge_logs(tmp_path / "home", 60)) == []


@pytest.mark.timeout(1200)
def test_killed_worker_leaves_no_daemon_behind(tmp_path: Path) -> None:
    """With kill -9 of a worker on KCL, its daemon and its shard processes end: nobody processes unseen."""
    with environment_up(tmp_path / "home") as environment:
        environment.stop()
        environment.replace("kcl")
        eventually(lambda: len(environment.health().get("shards", ())) == 2, 120, "KCL takes no shard")
        handle = environment.worker.handle()
        assert handle is not None
        family = handle.children(recursive=True)
        assert len([process for process in family if process.name().startswith("python")]) >= 2
        handle.kill()
        _, alive = psutil.wait_procs(family, timeout=20)
        assert alive == []
