"""Each way in which a process can do nothing is told by its own ``/health``: what is missing, wrong or slow.

The processes' own main functions run here, on a fake Kinesis, on moto and on SQLite; only the clock of their
reports is sped up.
"""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from functools import partial
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from fakes.bad_input import ship_order
from fakes.hasty import HastyResources, ask, free_port, hasty_clock, running, wait_for
from orderstream.testing import FakeKinesis
from orderstream_workers.runtime.bootstrap import run_worker
from orderstream_workers.runtime.payment_worker import run_payment_worker
from orderstream_workers.runtime.provision import provision
from orderstream_workers.runtime.settings import Settings


class Stage:
    """A provisioned environment and the processes that are started on it."""

    def __init__(self, folder: Path, endings: ExitStack) -> None:
        self.kinesis = FakeKinesis(clock=lambda: hasty_clock().timestamp())
        for stream in ("orders", "stock-changes"):
            self.kinesis.client().create_stream(StreamName=stream, ShardCount=1)
        self.settings = Settings(
            health_port=free_port(),
            read_model_url=f"sqlite:///{folder}/read-model.sqlite",
            idle_between_reads=0.2,
            failover_seconds=3,
            payments_api_url="http://127.0.0.1:1",
        )
        self._endings = endings
        provision(self.settings, 1, self._client)

    def _client(self, service: str) -> Any:
        return self.kinesis.client() if service == "kinesis" else self.aws(service)

    def aws(self, service: str) -> Any:
        client = boto3.client(service, region_name="us-east-1")  # type: ignore[call-overload]
        self._endings.callback(client.close)
        return client

    def put(self, *keys: str) -> None:
        for key in keys:
            self.kinesis.client().put_record(StreamName="orders", PartitionKey=key, Data=ship_order(key))

    def without_table(self, name: str) -> None:
        self.aws("dynamodb").delete_table(TableName=f"orderstream-{name}")

    def start(self, application: str) -> None:
        resources = self._endings.enter_context(HastyResources(self.settings, self.kinesis))
        run = (
            partial(run_payment_worker, resources)
            if application == "payment-worker"
            else partial(run_worker, application, resources)
        )
        self._endings.enter_context(running(run))

    def says(self, holds: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Wait for a report."""
        return wait_for(self.settings.health_port, lambda _, said: holds(said))

    def becomes_unhealthy(self, dependency: str, reason: str) -> dict[str, Any]:
        """Wait until a dependency fails, and this is said first; the process lives."""
        said = wait_for(
            self.settings.health_port,
            lambda status, said: (
                (status, said["healthy"]) == (503, False)
                and dependency in failing(said)
                and said["reason"].startswith(reason)
            ),
        )
        assert ask(self.settings.health_port, "/health/ready")[0] == 503
        assert ask(self.settings.health_port, "/health/live")[0] == 200
        return said

    def becomes_ready(self) -> dict[str, Any]:
        return wait_for(self.settings.health_port, lambda status, _: status == 200, "/health/ready")


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    with mock_aws(), ExitStack() as endings:
        yield Stage(tmp_path, endings)


@pytest.mark.parametrize("application", ["archiver", "shipping", "order-status"])
def test_a_worker_that_handles_records_is_ready(stage: Stage, application: str) -> None:
    """And says that nothing waits: the other tests' counterpart."""
    stage.put("a", "b")
    stage.start(application)
    stage.becomes_ready()
    said = stage.says(
        lambda said: (
            said.get("handled", 0) >= 2
            and said["oldest_unhandled_seconds"] is None
            and (said["healthy"], said["reason"], said["stalled"]) == (True, None, [])
        )
    )
    assert all(dependency["failure"] is None for dependency in said["dependencies"])


def test_an_archiver_without_its_bucket(stage: Stage) -> None:
    """Records wait, reading goes on at the tip, and the bucket is named."""
    stage.aws("s3").delete_bucket(Bucket="orderstream-archive")
    stage.put("a", "b")
    stage.start("archiver")
    said = stage.says(
        lambda said: (
            "NoSuchBucket" in (said["reason"] or "") and "bucket orderstream-archive" in failing(said)
        )
    )
    assert said["healthy"] is False
    assert said["stalled"] == ["shardId-000000000000"]
    assert said["millis_behind_latest"] > 90_000
    assert said["oldest_unhandled_seconds"] > 90


def test_shipping_whose_table_goes_away_while_commands_wait(stage: Stage) -> None:
    """The table is named, the lag grows, and parking is not blamed."""
    stage.start("shipping")
    stage.becomes_ready()
    stage.without_table("shipments")
    stage.put("a", "b", "c", "d", "e")
    said = stage.says(
        lambda said: (
            bool(said["stalled"])
            and failing(said) == {"table orderstream-shipments"}
            and "although records wait" in said["reason"]
            and "ResourceNotFoundException" in said["reason"]
        )
    )
    assert said["healthy"] is False
    assert said["millis_behind_latest"] > 90_000
    assert said["parked"] == 0


def test_a_worker_that_has_nothing_to_do_misses_a_table_too(stage: Stage) -> None:
    """No record has to come and wait before somebody hears of it."""
    stage.without_table("shipments")
    stage.start("shipping")
    stage.becomes_unhealthy(
        "table orderstream-shipments", "the table orderstream-shipments has not responded for"
    )


def test_a_worker_without_the_table_of_parking(stage: Stage) -> None:
    """It cannot begin its shards, its figure is unknown and not missing, and both have a reason."""
    stage.without_table("parking")
    stage.start("shipping")
    said = stage.says(
        lambda said: (
            bool(said.get("stalled"))
            and "has been INITIALIZING for" in said["reason"]
            and said["parked"] == "unknown"
            and "parked" in said["unknown"]
        )
    )
    assert "ResourceNotFoundException" in said["unknown"]["parked"]


def test_an_application_that_cannot_be_claimed(stage: Stage) -> None:
    """No shard is stalled, for there is none; still nothing is done."""
    stage.without_table("engines")
    stage.start("shipping")
    stage.becomes_unhealthy("table orderstream-engines", "the application is not claimed for this engine yet")


def test_a_missing_stream(stage: Stage) -> None:
    """The stream is named, and the worker was never ready."""
    stage.kinesis.client().delete_stream(StreamName="orders")
    stage.start("shipping")
    said = stage.becomes_unhealthy("stream orders", "the shards of the stream orders have not been seen yet")
    assert "the stream orders does not exist" in said["reason"]


def test_an_unwritable_database(stage: Stage, tmp_path: Path) -> None:
    """It may be read, and every question is answered; what counts is that no record is handled."""
    stage.put("a")
    with closing(sqlite3.connect(tmp_path / "read-model.sqlite")) as database, database:
        database.execute("CREATE TRIGGER full BEFORE INSERT ON orders BEGIN SELECT RAISE(ABORT, 'full'); END")
    stage.start("order-status")
    said = stage.says(lambda said: bool(said.get("stalled")) and "full" in said["reason"])
    assert said["millis_behind_latest"] > 90_000


@pytest.mark.parametrize("queue", ["orderstream-payments", "orderstream-payments-dlq"])
def test_a_payment_worker_without_a_queue(stage: Stage, queue: str) -> None:
    """It is never ready, and unhealthy soon; the queue is among the dependencies that fail."""
    sqs = stage.aws("sqs")
    sqs.delete_queue(QueueUrl=sqs.get_queue_url(QueueName=queue)["QueueUrl"])
    stage.start("payment-worker")
    said = wait_for(
        stage.settings.health_port,
        lambda status, said: (
            status == 503 and f"queue {queue}" in failing(said) and "queue" in said["reason"]
        ),
    )
    assert said["healthy"] is False
    assert ask(stage.settings.health_port, "/health/ready")[0] == 503


def test_a_payment_worker_whose_provider_is_away(stage: Stage) -> None:
    """It is not ready before the provider has answered, and the provider is named."""
    stage.start("payment-worker")
    said = stage.becomes_unhealthy(
        "provider http://127.0.0.1:1", "the provider http://127.0.0.1:1 has not responded for"
    )
    assert failing(said) == {"provider http://127.0.0.1:1"}


def failing(said: dict[str, Any]) -> set[str]:
    """The names of the dependencies that fail."""
    return {dependency["name"] for dependency in said["dependencies"] if dependency["failure"]}
