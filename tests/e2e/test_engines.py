"""The pipeline on Amazon's real KCL, and an application that moves from one engine to the other and back."""

import dataclasses
import json
import signal
import subprocess
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
import msgspec
import psutil
import pytest

from e2e.running import INVOICES, free_base_port, orderstream, reconcile
from orderstream.kpl import deaggregate
from orderstream_workers.local.environment import Layout
from orderstream_workers.local.lifecycle import read_state
from orderstream_workers.local.processes import RunningProcess, start

LIMIT = 120
APPLICATION = "inventory"


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
        self.aws = {"region_name": "us-east-1", "aws_access_key_id": "x", "aws_secret_access_key": "x"}
        self.kinesis_url = layout.kinesis_url
        (self.spec,) = (spec for spec in layout.pipeline() if spec.name == APPLICATION)
        (self.worker,) = (process for process in state.processes if process.name == APPLICATION)

    def health(self) -> dict[str, Any]:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.spec.port}/health", timeout=2) as answer:
                found: dict[str, Any] = json.load(answer)
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
        environment = {**self.spec.environment, "ORDERSTREAM_ENGINE": engine, **settings}
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

    def stop(self) -> int:
        """Drain the worker; returns how many records it has handled in its life."""
        handle = self.worker.handle()
        assert handle is not None
        handle.send_signal(signal.SIGTERM)
        eventually(lambda: self.worker.handle() is None, 40, "the worker does not drain")
        return self.counted(self.worker)

    @staticmethod
    def counted(worker: RunningProcess) -> int:
        lines = Path(worker.log).read_text().splitlines()
        drained = [json.loads(line) for line in lines if '"worker has drained"' in line]
        assert len(drained) == 1, Path(worker.log).read_text()[-2000:]
        return int(drained[0]["counters"].get("handled", 0))

    def user_records(self) -> int:
        """User records in the whole stream, as any consumer finds them."""
        kinesis = boto3.client("kinesis", endpoint_url=self.kinesis_url, **self.aws)
        count = 0
        for shard in kinesis.list_shards(StreamName="orders")["Shards"]:
            iterator = kinesis.get_shard_iterator(
                StreamName="orders", ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
            )["ShardIterator"]
            while True:
                answer = kinesis.get_records(ShardIterator=iterator, Limit=10_000)
                for record in answer["Records"]:
                    count += len(deaggregate(record["Data"], record["PartitionKey"]).user_records)
                if not answer["Records"] and answer["MillisBehindLatest"] == 0:
                    break
                iterator = answer["NextShardIterator"]
        kinesis.close()
        return count


@contextmanager
def environment_up(home: Path) -> Iterator[Environment]:
    port = free_base_port()
    subprocess.run(orderstream(home, port, "local", "up", "--shards", "2"), check=True, capture_output=True)
    environment = Environment(home, port)
    try:
        yield environment
    finally:
        subprocess.run(orderstream(home, 0, "local", "down"), check=True, capture_output=True)


@pytest.mark.timeout(400)
def test_application_moves_from_engine_to_engine_while_orders_flow(tmp_path: Path) -> None:
    """Embedded, KCL, embedded: nothing is lost, no checkpointed record comes again, no mixed run begins."""
    out = tmp_path / "out"
    with environment_up(tmp_path / "home") as environment:
        demo = environment.demo(LIMIT, out)
        eventually(lambda: environment.handled() > 0, 60, "the embedded engine handles nothing")
        on_embedded = environment.stop()

        environment.replace("kcl")
        eventually(lambda: environment.handled() > 0, 120, "KCL handles nothing")
        mixed = environment.start("embedded", ORDERSTREAM_HEALTH_PORT="0")
        eventually(lambda: mixed.handle() is None, 30, "a mixed run is not refused")
        assert "inventory is run by the kcl engine now" in Path(mixed.log).read_text()
        on_kcl = environment.stop()

        environment.replace("embedded")
        printed, _ = demo.communicate(timeout=200)
        assert demo.returncode == 0, printed
        # Whatever KCL left to do, there is more to come for its successor.
        more = environment.demo(LIMIT + 30, out)
        printed, _ = more.communicate(timeout=200)
        assert more.returncode == 0, printed
        on_embedded_again = environment.stop()
        assert min(on_embedded, on_kcl, on_embedded_again) > 0
        assert on_embedded + on_kcl + on_embedded_again == environment.user_records()
    judged = reconcile(out, LIMIT + 30)
    assert judged.returncode == 0, judged.stdout


@pytest.mark.timeout(300)
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


@pytest.mark.timeout(200)
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
