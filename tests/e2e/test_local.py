"""An environment that stays up: orders over HTTP, cancellations, two workers of one application, a kill."""

import dataclasses
import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from e2e.running import INVOICES, free_base_port, orderstream, reconcile
from orderstream_playground.demo.invoices import CALLER, read_invoices
from orderstream_playground.local.environment import Layout
from orderstream_playground.local.issuer import AsCaller, LocalIssuer
from orderstream_playground.local.lifecycle import read_state
from orderstream_playground.local.processes import RunningProcess, start

pytestmark = pytest.mark.timeout(1200)


class Environment:
    """What a test sees of it.

    Args:
        home: Folder of its files.
    """

    def __init__(self, home: Path) -> None:
        state = read_state(home)
        assert state is not None
        self.home = home
        self.layout = Layout(home, state.options)
        self.processes = {process.name: process for process in state.processes}
        caller = AsCaller(LocalIssuer.of(home), "e2e")
        self.http = httpx.Client(base_url=self.layout.api_url, auth=caller, timeout=60.0)

    def place(self, key: str, sku: str = "POST") -> str:
        line = {"sku": sku, "quantity": 1, "unit_price": "2.50", "service": sku == "POST"}
        order = {"currency": "GBP", "lines": [line]}
        response = self.http.post("/orders", json=order, headers={"Idempotency-Key": key})
        assert response.status_code == 202, response.text
        return str(response.json()["order_id"])

    def order(self, order_id: str, caller: str = "e2e") -> dict[str, Any]:
        """What its caller is told of an order: to others there is none."""
        response = self.http.get(f"/orders/{order_id}", auth=AsCaller(LocalIssuer.of(self.home), caller))
        return dict(response.json()) if response.status_code == 200 else {"state": None, "history": []}

    def followed(self, order_id: str) -> list[str]:
        """The types of its events until the end, by as many responses as that takes."""
        types: list[str] = []
        headers: dict[str, str] = {}
        while True:
            response = self.http.get(f"/orders/{order_id}/events", headers=headers)
            for line in response.text.splitlines():
                field, _, value = line.partition(": ")
                if field == "event":
                    types.append(value)
                elif field == "id":
                    headers["Last-Event-ID"] = value
            if "ended" in types:
                return types

    def story(self, order_id: str, caller: str = "e2e") -> list[str]:
        return [entry["type"] for entry in self.order(order_id, caller)["history"]]


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Environment]:
    """A local environment, up for all tests of this module."""
    home = tmp_path_factory.mktemp("local") / "home"
    subprocess.run(orderstream(home, free_base_port(), "local", "up"), check=True)
    try:
        environment = Environment(home)
        with environment.http:
            yield environment
    finally:
        subprocess.run(orderstream(home, 0, "local", "down"), check=True)


def until(holds: Callable[[], bool], seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    pause = threading.Event()
    while not holds():
        assert time.monotonic() < deadline, "it did not come to pass"
        pause.wait(0.1)


def run(environment: Environment, *words: str) -> str:
    return subprocess.run(
        orderstream(environment.home, 0, *words), capture_output=True, text=True, check=True
    ).stdout


def test_an_order_is_confirmed_and_its_story_told(environment: Environment) -> None:
    """A single order goes through every step, `order show` tells them, `order list` finds it, all is well."""
    order_id = environment.place("one")
    until(lambda: environment.order(order_id)["state"] == "CONFIRMED")
    until(lambda: "CustomerNotified" in environment.story(order_id))
    shown = subprocess.run(
        orderstream(environment.home, 0, "order", "show", order_id),
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    steps = ["OrderPlaced", "StockReserved", "PaymentCaptured", "ShipOrder", "OrderShipped", "OrderConfirmed"]
    listed = run(environment, "order", "list", "--state", "confirmed", "--sku", "POST", "--json")
    assert order_id in {one["order_id"] for one in json.loads(listed)["orders"]}
    status = json.loads(run(environment, "status", "--json"))
    assert (status["healthy"], status["queues"][0]["dead_letters"]) == (True, 0)
    positions = [shown.index(step) for step in steps if step not in {"StockReserved", "PaymentCaptured"}]
    assert positions == sorted(positions)
    assert all(step in shown for step in steps)


def test_a_caller_follows_its_order_to_the_end(environment: Environment) -> None:
    """Over the real server: each message is an event once, the last says the end, and a wait ends with it."""
    order_id = environment.place("followed")
    events = environment.followed(order_id)
    assert (events[0], events[-1]) == ("OrderPlaced", "ended")
    assert {"StockReserved", "PaymentCaptured", "OrderShipped", "OrderConfirmed"} < set(events)
    assert len(set(events)) == len(events)
    awaited = environment.place("awaited")
    until(lambda: environment.http.get(f"/orders/{awaited}?wait=25").json().get("state") == "CONFIRMED")
    mine = environment.http.get("/orders?state=CONFIRMED").json()["orders"]
    assert {order_id, awaited} <= {one["order_id"] for one in mine}
    others = AsCaller(LocalIssuer.of(environment.home), "another")
    assert environment.http.get("/orders", auth=others).json()["orders"] == []


def test_the_same_key_is_the_same_order(environment: Environment) -> None:
    """A repeated request is answered alike and carried out once; another body under its key is refused."""
    assert environment.place("twice") == environment.place("twice")
    postage = {"sku": "POST", "quantity": 2, "unit_price": "2.50", "service": True}
    order = {"currency": "GBP", "lines": [postage]}
    response = environment.http.post("/orders", json=order, headers={"Idempotency-Key": "twice"})
    assert (response.status_code, response.json()["code"]) == (422, "idempotency_conflict")


def test_a_cancellation_is_honoured_before_the_pivot_and_refused_after(environment: Environment) -> None:
    """A customer's cancellation undoes an order that is not being shipped yet, and only such a one."""
    early, late = environment.place("early"), environment.place("late")
    assert environment.http.post(f"/orders/{early}/cancel").status_code == 202
    until(lambda: environment.order(early)["state"] == "CANCELLED")
    assert environment.order(early)["state_reason"] == "customer_request"
    until(lambda: environment.order(late)["state"] == "CONFIRMED")
    assert environment.http.post(f"/orders/{late}/cancel").status_code == 202
    until(lambda: "OrderCancellationRefused" in environment.story(late))
    assert environment.order(late)["state"] == "CONFIRMED"
    assert environment.http.post("/orders/none/cancel").status_code == 404


def test_an_unknown_sku_is_refused_by_inventory(environment: Environment) -> None:
    """What inventory does not know cannot be ordered: the order is cancelled and nothing stays charged."""
    order_id = environment.place("unknown-sku", sku="99999")
    until(lambda: environment.order(order_id)["state"] == "CANCELLED")
    assert environment.order(order_id)["state_reason"] == "unknown_sku"


def test_a_second_environment_is_refused(environment: Environment) -> None:
    """Starting what runs already is an error that says so, and leaves it running."""
    again = subprocess.run(
        orderstream(environment.home, free_base_port(), "local", "up"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert again.returncode == 1
    assert "running already" in again.stderr
    subprocess.run(orderstream(environment.home, 0, "local", "status"), check=True)


def test_a_killed_worker_is_replaced_by_others_of_its_application(
    environment: Environment, tmp_path: Path
) -> None:
    """Processes of one application share its leases; after kill -9 of one the others do all of its work."""
    first = environment.processes["inventory"]
    second = add_inventory(environment)
    until(lambda: second.health() is not None)
    out = tmp_path / "out"
    demo = subprocess.Popen(
        [
            *orderstream(environment.home, environment.layout.options.base_port, "demo"),
            *("--orders", str(INVOICES), "--limit", "60", "--out", str(out), "--no-progress"),
        ]
    )
    try:
        first_order = next(read_invoices(INVOICES, 1)).order_id
        until(lambda: len(environment.story(str(first_order), CALLER)) > 1)
        os.kill(first.pid, signal.SIGKILL)
        assert demo.wait(timeout=180) == 0
    finally:
        demo.kill()
        demo.wait()
    judged = reconcile(out, 60)
    # The orders of the other tests of this module are in the same environment.
    strangers = [line for line in judged.stdout.splitlines() if "never accepted" not in line]
    assert strangers[:-1] == [], judged.stdout


def test_a_killed_worker_is_started_again(environment: Environment) -> None:
    """`local start` brings back what has ended, and leaves alone what runs."""
    home = environment.home
    refused = subprocess.run(
        orderstream(home, 0, "local", "start", "shipping"), capture_output=True, text=True, check=False
    )
    assert (refused.returncode, "did not end" in refused.stderr) == (1, True)
    os.kill(environment.processes["shipping"].pid, signal.SIGKILL)
    until(lambda: environment.processes["shipping"].handle() is None)
    assert subprocess.run(orderstream(home, 0, "local", "status"), check=False).returncode == 1
    # Whatever the tests before have ended comes back too.
    started = subprocess.run(
        orderstream(home, 0, "local", "start"), capture_output=True, text=True, check=False
    )
    assert started.returncode == 0, started.stderr
    assert "shipping" in started.stdout
    order_id = environment.place("after the start")
    until(lambda: environment.order(order_id)["state"] == "CONFIRMED")


def add_inventory(environment: Environment) -> RunningProcess:
    """Start a second worker of inventory, and write it down where the environment's processes are."""
    (spec,) = (spec for spec in environment.layout.pipeline() if spec.name == "inventory")
    port = free_base_port()
    added = start(
        dataclasses.replace(
            spec,
            name="inventory-2",
            port=port,
            environment={**spec.environment, "ORDERSTREAM_HEALTH_PORT": str(port)},
        ),
        environment.layout.logs,
    )
    state = read_state(environment.home)
    assert state is not None
    state = msgspec.structs.replace(state, processes=(*state.processes, added))
    (environment.home / "state.json").write_bytes(msgspec.json.encode(state))
    return added
