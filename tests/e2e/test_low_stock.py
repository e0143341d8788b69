"""Low stock through real processes: somebody with boto3 alone changes an item, and operators hear it once."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import boto3
import pytest

from chaos.streams import StreamReader
from e2e.running import free_base_port
from orderstream_playground.local.environment import EnvironmentOptions, Layout
from orderstream_playground.local.ministack import ensure_ministack
from orderstream_playground.local.processes import RunningProcess, start, stop, wait_healthy
from orderstream_playground.local.provision import provision
from orderstream_workers.runtime.isolation import isolated
from orderstream_workers.runtime.provision import operators_queue

pytestmark = pytest.mark.timeout(1200)

TABLE = "orderstream-stock"
PARTS = {"kinesis", "aws", "stock-monitor", "notifications", "stock-bridge"}


class Environment:
    """What low stock goes through, and nothing else of the pipeline.

    Args:
        home: Folder of its files.
        closing: Ends what is started.
    """

    def __init__(self, home: Path, closing: ExitStack) -> None:
        home.mkdir()
        self.layout = Layout(home, EnvironmentOptions(base_port=free_base_port(), shards=2))
        self.layout.logs.mkdir()
        self.processes: dict[str, RunningProcess] = {}
        self.heard: dict[str, tuple[str, int]] = {}
        closing.callback(self.stop)
        emulators = self.layout.emulators(ensure_ministack())
        self.specs = {spec.name: spec for spec in (*emulators, *self.layout.pipeline())}
        self.start(*(spec.name for spec in emulators if spec.name in PARTS))
        provision(self.layout)
        self.start(*(spec.name for spec in self.layout.pipeline() if spec.name in PARTS))

        def client(service: str, url: str) -> Any:
            made = boto3.client(  # type: ignore[call-overload]
                service,
                endpoint_url=url,
                region_name="us-east-1",
                aws_access_key_id="local",
                aws_secret_access_key="local",
            )
            closing.callback(made.close)
            return made

        self.dynamodb = client("dynamodb", self.layout.aws_url)
        self.kinesis = client("kinesis", self.layout.kinesis_url)
        self.sqs = client("sqs", self.layout.aws_url)

    def start(self, *names: str) -> None:
        for name in names:
            self.processes[name] = start(self.specs[name], self.layout.logs)
        for name in names:
            wait_healthy(self.processes[name], 60)

    def stop(self) -> None:
        stop([process for process in self.processes.values() if not process.emulator])
        stop([process for process in self.processes.values() if process.emulator])

    def counted(self, process: str, name: str) -> int:
        return int(json.loads(self.processes[process].health() or b"{}").get(name, 0))

    def put(self, sku: str, available: int) -> None:
        """As anybody might: without a version, without a condition."""
        self.dynamodb.put_item(TableName=TABLE, Item={"pk": {"S": sku}, "available": {"N": str(available)}})

    def write(self, sku: str, *levels: int) -> None:
        for available in levels:
            self.dynamodb.update_item(
                TableName=TABLE,
                Key={"pk": {"S": sku}},
                UpdateExpression="SET available = :level",
                ExpressionAttributeValues={":level": {"N": str(available)}},
            )

    def changes(self) -> list[bytes]:
        """Everything in the stream of changes."""
        stream, found = self.layout.settings.stock_stream, []
        for shard in self.kinesis.list_shards(StreamName=stream)["Shards"]:
            iterator = self.kinesis.get_shard_iterator(
                StreamName=stream, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
            )["ShardIterator"]
            found += [
                record["Data"] for record in self.kinesis.get_records(ShardIterator=iterator)["Records"]
            ]
        return found

    def orderstream(self, *words: str, status: int = 0) -> str:
        """Run a command on the emulators, as on AWS."""
        ended = subprocess.run(
            [sys.executable, "-m", "orderstream_workers.cli.main", *words, "--aws"],
            env=isolated(os.environ, self.layout.environment),
            capture_output=True,
            text=True,
            check=False,
        )
        assert ended.returncode == status, ended.stderr
        return ended.stdout

    def messages(self) -> list[dict[str, Any]]:
        """Everything in the stream of messages, each id once."""
        stream = StreamReader(self.kinesis, self.layout.settings.stream).read()
        return list({one.identity: dict(one.envelope) for one in stream.messages}.values())

    def alerts(self) -> list[tuple[str, int]]:
        """What operators have heard until now, SKU and units."""
        queue = self.sqs.get_queue_url(QueueName=operators_queue(self.layout.settings))["QueueUrl"]
        while found := self.sqs.receive_message(
            QueueUrl=queue, MaxNumberOfMessages=10, VisibilityTimeout=120
        ).get("Messages"):
            for message in found:
                alert = json.loads(message["Body"])
                assert alert["event_id"] not in self.heard, "told twice"
                self.heard[alert["event_id"]] = (alert["sku"], alert["available"])
        return sorted(self.heard.values())


@pytest.fixture
def environment(tmp_path: Path) -> Iterator[Environment]:
    with ExitStack() as closing:
        yield Environment(tmp_path / "home", closing)


def until(holds: Callable[[], bool], seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    pause = threading.Event()
    while not holds():
        assert time.monotonic() < deadline, "it did not come to pass"
        pause.wait(0.2)


def test_each_crossing_is_told_once_under_duplicates_and_disorder(environment: Environment) -> None:
    """Plain boto3 writes raise it once per crossing, though each change comes three times, backwards too."""
    environment.put("85123A", 120)
    environment.write("85123A", 101, 100, 90, 150, 99)
    environment.put("71053", 50)
    environment.write("71053", 100, 101)
    environment.dynamodb.delete_item(TableName=TABLE, Key={"pk": {"S": "85123A"}})
    environment.put("85123A", 130)
    environment.write("85123A", 100)
    crossings = [("85123A", 99), ("85123A", 100), ("85123A", 100)]
    until(lambda: environment.counted("notifications", "handled") == 3)

    # The bridge dies before it has written down how far it has come, and repeats all that it has carried.
    bridge = environment.processes["stock-bridge"]
    os.kill(bridge.pid, signal.SIGKILL)
    until(lambda: bridge.handle() is None)
    once = environment.changes()
    (environment.layout.home / "stock-bridge.json").unlink()
    environment.start("stock-bridge")
    until(lambda: len(environment.changes()) == 2 * len(once))
    environment.kinesis.put_records(
        StreamName=environment.layout.settings.stock_stream,
        Records=[
            {"Data": data, "PartitionKey": f"random-{index}"} for index, data in enumerate(reversed(once))
        ],
    )
    environment.write("71053", 7)

    until(lambda: environment.counted("notifications", "handled") == 3 * len(crossings) + 1)
    assert environment.counted("stock-monitor", "low_stock") == 3 * len(crossings) + 1
    assert environment.counted("stock-monitor", "parked") == 0
    assert environment.alerts() == sorted([*crossings, ("71053", 7)])


def test_an_operator_receives_goods_and_corrects_a_count(environment: Environment) -> None:
    """Each call is one event with its operator and reason; low stock hears of it; status sees who works."""
    receive = (
        "stock",
        "receive",
        "85123A",
        "120",
        "--reason",
        "note 4711",
        "--operator",
        "ann",
        "--key",
        "note",
    )
    assert "85123A: 120 received" in environment.orderstream(*receive)
    assert "nothing was changed now" in environment.orderstream(*receive)
    environment.orderstream(
        *("stock", "correct", "85123A", "--counted", "90", "--reason", "water", "--operator", "bob")
    )
    # Notifications count every message that they read, the receipt's and the correction's too.
    until(lambda: environment.alerts() == [("85123A", 90)])
    environment.orderstream("stock", "correct", "85123A", "--by", "-91", "--reason", "slip", status=1)
    shown = json.loads(environment.orderstream("stock", "show", "85123A", "--json"))
    assert (shown["available"], shown["on_hand"], shown["balanced"]) == (90, 90, True)
    assert environment.alerts() == [("85123A", 90)]
    said = {
        one["type"]: (one["source"], one["subject"], one["data"].get("units"), one["data"].get("operator"))
        for one in environment.messages()
    }
    assert said == {
        "StockReceived": ("inventory", "85123A", 120, "ann"),
        "StockCorrected": ("inventory", "85123A", -30, "bob"),
        "LowStockDetected": ("stock-monitor", "85123A", None, None),
    }
    # Of nine applications two run here, and the exit status says so.
    found = json.loads(environment.orderstream("status", "--json", status=1))["applications"]
    assert {one["application"] for one in found if one["running"]} == {"notifications", "stock-monitor"}
    assert [one["wrong"] for one in found if one["running"]] == [[], []]
