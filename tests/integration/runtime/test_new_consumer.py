"""A new consumer is one file: written into a folder, it is provisioned, started, watched and reported."""

import datetime as dt
import json
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from e2e.running import free_base_port
from orderstream import Producer
from orderstream.messages import initial
from orderstream_consumer.store import DynamoDBStore
from orderstream_orders.contracts import Customer, OrderPlaced
from orderstream_playground.local.environment import EnvironmentOptions, Layout
from orderstream_playground.local.ministack import ensure_ministack
from orderstream_playground.local.processes import RunningProcess, start, stop, wait_healthy
from orderstream_playground.local.provision import provision
from orderstream_workers.runtime.isolation import isolated

pytestmark = pytest.mark.timeout(600)

ROOT = Path(__file__).parents[3]


def recipe() -> str:
    """The file that the recipe shows."""
    _, _, rest = (
        (ROOT / "docs" / "recipes.md").read_text().partition("## A consumer with a table and a queue")
    )
    (code,) = re.findall(r"```python\n(.*?)```", rest.partition("\n## ")[0], re.DOTALL)
    return str(code)


class Environment:
    """Emulators, provisioned for the pipeline with one file more, of which only the new process runs."""

    def __init__(self, folder: Path) -> None:
        files = folder / "applications"
        files.mkdir()
        (files / "loyalty.py").write_text(recipe())
        options = EnvironmentOptions(base_port=free_base_port(24), shards=2, applications_folder=str(files))
        self.layout = Layout(folder / "home", options)
        self.layout.logs.mkdir(parents=True)
        emulators = [one for one in self.layout.emulators(ensure_ministack()) if one.name != "payments-api"]
        self.processes = [start(spec, self.layout.logs) for spec in emulators]

    def start(self) -> RunningProcess:
        for process in self.processes:
            wait_healthy(process, 60)
        provision(self.layout)
        (spec,) = [one for one in self.layout.pipeline() if one.name == "loyalty"]
        process = start(spec, self.layout.logs)
        self.processes.insert(0, process)
        wait_healthy(process, spec.start_timeout)
        return process

    def client(self, service: str) -> Any:
        return boto3.client(
            service,
            endpoint_url=self.layout.kinesis_url if service == "kinesis" else self.layout.aws_url,
            region_name="us-east-1",
            aws_access_key_id="local",
            aws_secret_access_key="local",
        )

    def status(self) -> dict[str, Any]:
        shown = subprocess.run(
            [sys.executable, "-m", "orderstream_workers.cli.main", "status", "--aws", "--json"],
            env=isolated({"PATH": "/usr/bin:/bin"}, self.layout.environment),
            capture_output=True,
            text=True,
            check=False,
        )
        found: dict[str, Any] = json.loads(shown.stdout or json.dumps({"said": shown.stderr}))
        return found


@pytest.fixture
def environment(tmp_path: Path) -> Iterator[Environment]:
    made = Environment(tmp_path)
    try:
        yield made
    finally:
        stop(made.processes)


def wait_for(holds: Callable[[], bool]) -> None:
    deadline, pause = time.monotonic() + 60, threading.Event()
    while not holds():
        assert time.monotonic() < deadline
        pause.wait(0.2)


def test_a_new_consumer_is_one_file(environment: Environment) -> None:
    """Table and queue are created, the worker is started and handles orders, health and status know it."""
    process = environment.start()
    dynamodb, sqs, kinesis = (environment.client(service) for service in ("dynamodb", "sqs", "kinesis"))
    table = dynamodb.describe_table(TableName="orderstream-loyalty-points")["Table"]
    assert [key["AttributeName"] for key in table["KeySchema"]] == ["pk"]
    url = sqs.get_queue_url(QueueName="orderstream-loyalty-letters")["QueueUrl"]
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["RedrivePolicy"])["Attributes"]
    redrive = json.loads(attributes["RedrivePolicy"])
    assert int(redrive["maxReceiveCount"]) == 3
    assert redrive["deadLetterTargetArn"].endswith(":orderstream-loyalty-letters-dlq")

    placed = OrderPlaced(
        order_id="o-1", customer=Customer(), country=None, lines=(), total_minor=4200, currency="GBP"
    )
    event = initial(placed, source="orders", event_id="placed", time=dt.datetime.now(dt.UTC))
    with Producer("orders", client=kinesis) as producer:
        producer.put(event.encode(), "o-1").result(timeout=30)
    store = DynamoDBStore(dynamodb, "orderstream-")
    wait_for(lambda: store.get("loyalty-points", "o-1") is not None)
    item = store.get("loyalty-points", "o-1")
    assert item is not None
    assert item.attributes == {"points": 42}
    (letter,) = sqs.receive_message(QueueUrl=url, VisibilityTimeout=0)["Messages"]
    assert letter["Body"] == "o-1"

    def health() -> dict[str, Any]:
        found: dict[str, Any] = json.loads(process.health() or b"{}")
        return found

    wait_for(lambda: health().get("handled") == 1)
    assert health()["application"] == "loyalty"
    asked = {dependency["name"] for dependency in health()["dependencies"]}
    assert {"table orderstream-loyalty-points", "queue orderstream-loyalty-letters"} <= asked

    status = environment.status()
    (mine,) = [one for one in status["applications"] if one["application"] == "loyalty"]
    assert (mine["running"], len(mine["shards"]), mine["parked"]) == (True, 2, 0)
    (queue,) = [one for one in status["queues"] if one["queue"] == "orderstream-loyalty-letters"]
    assert (queue["waiting"], queue["dead_letters"], queue["wrong"]) == (1, 0, [])
