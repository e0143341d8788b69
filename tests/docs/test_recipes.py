"""The recipes are carried out, word for word: own distribution, event and stream, new event of the flow."""

import os
import re
import shutil
import subprocess
import sys
import threading
import time
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from fakes.engine import record_of
from fakes.operating import MemoryResources
from orderstream import EventPublisher, Producer
from orderstream.aggregation import deaggregate
from orderstream.messages import REGISTRY, MessageTypeTakenError, decode_envelope, register
from orderstream.testing import FakeKinesis
from orderstream_consumer.delivery import ParkedRecords
from orderstream_consumer.engines.config import EngineConfig
from orderstream_consumer.engines.embedded.worker import Worker
from orderstream_consumer.idempotency import MessageHandler
from orderstream_consumer.testing import MemoryLeaseTable
from orderstream_orders.contracts import Event

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
RECIPES = (ROOT / "docs" / "recipes.md").read_text()


def section(title: str) -> str:
    _, _, rest = RECIPES.partition(f"## {title}\n")
    assert rest
    return rest.partition("\n## ")[0]


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def large_orders() -> str:
    (code,) = [block for block in blocks(README, "python") if "in_lanes" in block]
    return code


@pytest.fixture
def registry() -> Iterator[None]:
    """What a test registers is forgotten afterwards."""
    before = dict(REGISTRY._types), dict(REGISTRY._decoders), dict(REGISTRY._upcasters)
    yield
    REGISTRY._types, REGISTRY._decoders, REGISTRY._upcasters = before


@pytest.mark.timeout(1200)
def test_the_consumer_of_the_readme_is_in_the_house_style() -> None:
    """Style and types are those of `make lint`, in the folder where the README puts the file."""
    path = "consumers/workers/src/orderstream_workers/runtime/applications/large_orders.py"
    for command in (("check",), ("format", "--check")):
        checked = subprocess.run(
            [Path(sys.executable).with_name("ruff"), *command, "--stdin-filename", path, "-"],
            input=large_orders(),
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.timeout(1200)
def test_the_consumer_of_the_readme_is_well_typed(tmp_path: Path) -> None:
    """Mypy finds nothing, strictly."""
    file = tmp_path / "large_orders.py"
    file.write_text(large_orders())
    checked = subprocess.run(
        [sys.executable, "-m", "mypy", "--config-file", str(ROOT / "pyproject.toml"), str(file)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_a_consumer_can_live_in_another_distribution(tmp_path: Path) -> None:
    """Its entry point makes it an application like the others, and cannot take the place of one."""
    (project,) = blocks(section("A consumer in a distribution of your own"), "toml")
    declared = tomllib.loads(project)["project"]
    points = declared["entry-points"]["orderstream.applications"] | {"saga": "shop_alerts"}
    info = tmp_path / f"{declared['name'].replace('-', '_')}-{declared['version']}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Name: {declared['name']}\nVersion: {declared['version']}\n")
    lines = "".join(f"{name} = {module}\n" for name, module in points.items())
    (info / "entry_points.txt").write_text(f"[orderstream.applications]\n{lines}")
    (tmp_path / "shop_alerts.py").write_text(large_orders())
    check = """
from orderstream_workers.runtime.application import Application
from orderstream_workers.runtime.bootstrap import build_application
from orderstream_workers.runtime.discovery import application_names, topology
from orderstream_workers.runtime.settings import Settings
from fakes.operating import MemoryResources

assert application_names(Settings()).count("saga") == 1
assert "large-orders" in [one.name for one in topology(Settings()).applications]
with MemoryResources() as resources:
    built = build_application("large-orders", resources)
    assert isinstance(built, Application)
    assert (built.declared.name, built.declared.initial_position) == ("large-orders", "LATEST")
with MemoryResources() as resources:
    assert build_application("saga", resources).declared.name == "saga"
"""
    paths = os.pathsep.join([str(tmp_path), str(ROOT / "tests")])
    environment = os.environ | {"PYTHONPATH": paths}
    subprocess.run([sys.executable, "-c", check], env=environment, check=True)
    shown = subprocess.run(
        [sys.executable, "-m", "orderstream_workers.cli.main", "worker", "--help"],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "large-orders" in shown.stdout


def test_an_event_of_your_own_is_published_and_read(registry: None) -> None:
    """Registered where its class stands, it is decoded; a consumer that has no route for it stays silent."""
    (code,) = blocks(section("An event of your own"), "python")
    names: dict[str, Any] = {"__name__": "gift_desk"}
    exec(compile(code, "docs/recipes.md", "exec"), names)
    wrapped = names["GiftWrapped"]
    kinesis = FakeKinesis()
    client = kinesis.client()
    client.create_stream(StreamName="orders", ShardCount=1)
    with Producer("orders", client=client) as producer:
        publisher = EventPublisher(producer, source="gift-desk")
        publisher.publish(wrapped(order_id="o-1", paper="red")).result(timeout=20)
    ((record,),) = [kinesis.records("orders", shard["ShardId"]) for shard in shards(client)]
    (published,) = deaggregate(record.data, record.partition_key).user_records
    envelope = decode_envelope(published.data)
    assert envelope.message() == wrapped(order_id="o-1", paper="red")
    seen: list[Any] = []
    counted: list[str] = []
    record = record_of("o-1", 1, envelope.encode())
    MessageHandler({"GiftWrapped": lambda received: seen.append(received.message(wrapped))}).handle(record)
    MessageHandler({"OrderPlaced": seen.append}, counted.append).handle(record)
    assert (seen, counted) == ([wrapped(order_id="o-1", paper="red")], [])


def shards(client: Any) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = client.list_shards(StreamName="orders")["Shards"]
    return listed


def test_a_type_name_belongs_to_one_class(registry: None) -> None:
    """Data is never read as another class of the same name; registering one class twice is harmless."""

    class OrderPlaced(Event, frozen=True, kw_only=True):
        owner = "another"
        consumers = ()

    with pytest.raises(MessageTypeTakenError, match="another name"):
        register(OrderPlaced)

    class ShelfMoved(Event, frozen=True, kw_only=True):
        owner = "another"
        consumers = ()

    assert register(register(ShelfMoved)) is ShelfMoved


def test_a_stream_of_your_own_is_handled_in_lanes() -> None:
    """Plain records reach the handler; what it cannot take is parked with what follows on its key."""
    (code,) = blocks(section("A stream of your own, with lanes and parking"), "python")
    names: dict[str, Any] = {"__name__": "clicks"}
    exec(compile(code, "docs/recipes.md", "exec"), names)
    kinesis = FakeKinesis()
    client = kinesis.client()
    client.create_stream(StreamName="clicks", ShardCount=2)
    with MemoryResources() as resources:
        application = names["build"](resources)
        worker = Worker(
            application.declared.name,
            application.declared.reads.name,
            kinesis=client,
            leases=MemoryLeaseTable(),
            processors=application.processors,
            config=EngineConfig(idle_between_reads=0.1, initial_position="TRIM_HORIZON"),
        )
        for key, page in (("a", b"home"), ("b", b"\xff"), ("b", b"home"), ("a", b"cart"), ("c", b"home")):
            client.put_record(StreamName="clicks", PartitionKey=key, Data=page)
        thread = threading.Thread(target=worker.run)
        thread.start()
        try:
            deadline, pause = time.monotonic() + 60, threading.Event()
            while application.handler.pages.total() < 3 or application.gauges["parked"]() < 2:
                assert time.monotonic() < deadline, application.handler.pages
                pause.wait(0.05)
        finally:
            worker.request_shutdown()
            thread.join()
        assert application.handler.pages == {"home": 2, "cart": 1}
        (key,) = ParkedRecords(resources.store, "clicks").keys()
        assert (key.partition_key, key.count, "UnicodeDecodeError" in key.reason) == ("b", 2, True)
    assert application.declared.initial_position == "LATEST"


def copied(tmp_path: Path, title: str, edits_of_it: int) -> dict[str, str]:
    """Copy the repository, carry the recipe's edits out, and return the variables to run the copy with."""
    for folder in (*SOURCES, "docs", "tests"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    edits = blocks(section(title), "python")
    assert len(edits) == edits_of_it
    for edit in edits:
        carry_out(edit, tmp_path)
    sources = os.pathsep.join(str(tmp_path / folder) for folder in SOURCES)
    return os.environ | {"PYTHONPATH": sources}


def succeeds(command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, *command], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


SOURCES = ("producers/sdk/src", "producers/orders/src", "consumers/library/src", "consumers/workers/src")

TESTED = ("-m", "pytest", "-q", "-p", "no:cacheprovider")


@pytest.mark.timeout(1200)
def test_a_new_event_of_the_flow_passes_every_test_of_events(tmp_path: Path) -> None:
    """In a copy of the repository: the edits, the catalogue, then the tests that hold for every message."""
    environment = copied(tmp_path, "A new event of the order flow", 6)
    story = "tests/unit/projections/order_status/test_story.py"
    for command in (
        ("-m", "orderstream_orders.catalogue"),
        ("-m", "orderstream_orders.catalogue", "--check"),
        (*TESTED, "tests/unit/events", "tests/contract/events", story),
    ):
        succeeds(command, tmp_path, environment)
    assert "OrderFlagged" in (tmp_path / "docs" / "events.md").read_text()


PLAYED = """
import datetime as dt

from orderstream_orders.catalogue import example_of
from orderstream_orders.contracts import OrderPlaced, OrderShipped, PaymentCaptured, ReserveStock
from orderstream_orders.contracts import StockReserved
from orderstream_orders.contracts.fraud import CheckFraud, FraudCleared, FraudSuspected
from orderstream_workers.services.saga.deadlines import SagaDeadlines
from orderstream_workers.services.saga.definition import FIRST, definition_of, step_names
from orderstream_workers.services.saga.domain import transition
from orderstream_workers.services.saga.handlers import INPUTS
from orderstream_workers.services.saga.state import Phase

placed = example_of(OrderPlaced).message()
order_id = placed.order_id


def heard(saga, *messages):
    outputs = []
    for message in messages:
        outcome = transition(saga, message, dt.datetime.now(dt.UTC), SagaDeadlines())
        saga, outputs = outcome.saga, [output.message for output in outcome.outputs]
    return saga, outputs


started, (check,) = heard(None, placed)
assert check == CheckFraud(order_id=order_id, total_minor=placed.total_minor)
cleared, (reserve, _capture) = heard(started, FraudCleared(order_id=order_id))
assert isinstance(reserve, ReserveStock) and sum(line.quantity for line in reserve.lines) == 12, reserve
assert cleared.order.lines == ()
charge = PaymentCaptured(order_id=order_id, amount_minor=1, currency="GBP", charge_id="c")
shipped = OrderShipped(order_id=order_id, shipment_id="s")
ended, _ = heard(cleared, StockReserved(order_id=order_id), charge, shipped)
assert ended.phase is Phase.CONFIRMED
refused, (last,) = heard(started, FraudSuspected(order_id=order_id, reason="too_large"))
assert (refused.phase, last.reason, last.failed_step) == (Phase.CANCELLED, "too_large", "check_fraud")
assert definition_of(1) is FIRST
assert {FraudCleared, FraudSuspected} <= set(INPUTS)
assert step_names()[-1] == "check_fraud"
"""


@pytest.mark.timeout(1200)
def test_a_new_step_of_the_saga_is_asked_for_before_the_others(tmp_path: Path) -> None:
    """In a copy of the repository: an order is checked, then reserved line by line, or refused at once."""
    environment = copied(tmp_path, "A new step of the saga", 9)
    succeeds(("-c", PLAYED), tmp_path, environment)
    # What the tests of the first flow say holds for the orders that follow it.
    succeeds((*TESTED, "tests/unit/services/saga", "tests/unit/cli/test_saga.py"), tmp_path, environment)


def carry_out(edit: str, copy: Path) -> None:
    """Put a block where its first line says."""
    where, _, body = edit.partition("\n")
    path, _, target = where.removeprefix("# ").partition(", ")
    file = copy / path
    if target == "a new file":
        file.write_text(body)
        return
    text = file.read_text()
    if target == "at the end":
        file.write_text(text + body)
        return
    replaced = target.removeprefix("in place of: ")
    if replaced != target:
        assert text.count(f"{replaced}\n") == 1, where
        file.write_text(text.replace(f"{replaced}\n", body))
        return
    anchor = target.removeprefix("after: ") + "\n"
    assert text.count(anchor) == 1, where
    file.write_text(text.replace(anchor, anchor + body))
