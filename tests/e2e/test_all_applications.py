"""Every application in one process: orders are confirmed, who is down is named, SIGTERM drains all."""

import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import boto3
import httpx
import pytest

from e2e.running import free_base_port
from orderstream_playground.local.environment import EnvironmentOptions, Layout
from orderstream_playground.local.issuer import AsCaller, LocalIssuer
from orderstream_playground.local.ministack import ensure_ministack
from orderstream_playground.local.processes import ProcessSpec, RunningProcess, start, stop, wait_healthy
from orderstream_playground.local.provision import provision
from orderstream_workers.runtime.discovery import application_names

pytestmark = pytest.mark.timeout(1200)


class Environment:
    """A local environment with one worker process.

    Args:
        home: Folder of its files.
        closing: Ends what is started.
    """

    def __init__(self, home: Path, closing: ExitStack) -> None:
        home.mkdir()
        issuer = LocalIssuer.of(home)
        self.layout = Layout(
            home, EnvironmentOptions(base_port=free_base_port(), shards=2, decline_percent=0)
        )
        self.layout.logs.mkdir()
        emulators = self.layout.emulators(ensure_ministack())
        own = self.layout.pipeline()
        port = next(spec.port for spec in own if spec.name == "saga")
        every = ProcessSpec(
            name="all",
            command=(sys.executable, "-m", "orderstream_workers.cli.main", "worker", "--all"),
            port=port,
            health_path="/health/ready",
            environment=self.layout.environment | {"ORDERSTREAM_HEALTH_PORT": str(port)},
        )
        self.port = port
        self.running: list[RunningProcess] = []
        closing.callback(lambda: stop(self.running))
        self._start(*emulators)
        provision(self.layout)
        self._start(every, *(spec for spec in own if spec.name in ("api", "payment-worker", "stock-bridge")))
        self.every = self.running[len(emulators)]
        caller = AsCaller(issuer, "tests")
        self.http = closing.enter_context(httpx.Client(base_url=self.layout.api_url, timeout=30, auth=caller))

    def _start(self, *specs: ProcessSpec) -> None:
        begun = [start(spec, self.layout.logs) for spec in specs]
        self.running += begun
        for process in begun:
            wait_healthy(process, 120)

    def health(self) -> dict[str, Any]:
        return httpx.get(f"http://127.0.0.1:{self.port}/health", timeout=10).json()

    def place(self, key: str) -> str:
        line = {"sku": "POST", "quantity": 1, "unit_price": "2.50", "service": True}
        order = {"currency": "GBP", "lines": [line]}
        response = self.http.post("/orders", json=order, headers={"Idempotency-Key": key})
        assert response.status_code == 202, response.text
        return str(response.json()["order_id"])

    def state(self, order_id: str) -> str | None:
        response = self.http.get(f"/orders/{order_id}")
        return str(response.json()["state"]) if response.status_code == 200 else None


@pytest.fixture
def environment(tmp_path: Path) -> Iterator[Environment]:
    with ExitStack() as closing:
        yield Environment(tmp_path / "home", closing)


def until(holds: Callable[[], object], seconds: float = 120.0) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.2)


def test_one_process_runs_the_whole_pipeline(environment: Environment) -> None:
    """An order is confirmed; one application's failure is named and stops no other; SIGTERM drains all."""
    order = environment.place("first")
    until(lambda: environment.state(order) == "CONFIRMED")
    assert set(environment.health()["applications"]) == set(application_names(environment.layout.settings))

    # The archiver belongs to another engine now: a fatal error of that application alone.
    dynamodb = boto3.client(
        "dynamodb",
        endpoint_url=environment.layout.aws_url,
        region_name="us-east-1",
        aws_access_key_id="local",
        aws_secret_access_key="local",
    )
    dynamodb.update_item(
        TableName="orderstream-engines",
        Key={"pk": {"S": "archiver"}},
        UpdateExpression="SET engine = :kcl",
        ExpressionAttributeValues={":kcl": {"S": "kcl"}},
    )
    until(lambda: environment.health()["applications"]["archiver"]["last_failure"])
    after = environment.health()["applications"]
    assert "kcl engine" in after["archiver"]["last_failure"]
    assert {name for name, one in after.items() if one["failures"]} == {"archiver"}
    second = environment.place("second")
    until(lambda: environment.state(second) == "CONFIRMED")
    until(lambda: environment.health()["ready"])  # the other engine's ownership expired
    dynamodb.close()

    os.kill(environment.every.pid, signal.SIGTERM)
    until(lambda: environment.every.handle() is None)
    lines = [json.loads(line) for line in (environment.layout.logs / "all.log").read_text().splitlines()]
    drained = {line["application"] for line in lines if line.get("message") == "worker has drained"}
    assert drained == set(application_names(environment.layout.settings))
