"""How something is made to go wrong in a world, and mended again: each lasts while its body runs."""

import datetime as dt
import json
import signal
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any, Final

import msgspec

from alarms.world import World
from chaos.calls import Call
from chaos.http1 import Message
from e2e.running import orderstream
from orderstream.observability.metrics.exporting import PERIOD
from orderstream.testing.state.iterators import ShardIterator, decode
from orderstream_consumer.idempotency.state_items import StateItems
from orderstream_consumer.store import ConditionFailedError, Item
from orderstream_workers.runtime.topology import QueueSpec, StreamApplication
from orderstream_workers.runtime.topology.pipeline import PAYMENT_QUEUE
from orderstream_workers.services.saga import SAGAS
from orderstream_workers.services.saga.handlers import SagaRecord
from orderstream_workers.services.saga.timers import conversation_of, timer_writes

FOREVER: Final = 3_600.0
"""Longer than any fault lasts."""

_PATIENCE: Final = 60.0
_FOUR_DAYS_MILLIS: Final = 4 * 86_400_000
_PLANTED_SKU: Final = "PLANTED"


def applications(world: World) -> list[str]:
    """The stream applications of a world."""
    return [one.name for one in world.topology.processes if isinstance(one, StreamApplication)]


@contextmanager
def killed(world: World, *names: str) -> Iterator[None]:
    """Processes are killed, and nobody starts them again."""
    world.end(*names, grace=0.0)
    try:
        yield
    finally:
        world.begin(*names)


@contextmanager
def all_killed(world: World) -> Iterator[None]:
    """Every process of ours is killed."""
    with killed(world, *world.names):
        yield


@contextmanager
def frozen(world: World, name: str) -> Iterator[None]:
    """A process hangs: it is there, and does and says nothing."""
    handle = world.process(name).handle()
    assert handle is not None
    handle.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        handle.send_signal(signal.SIGCONT)


@contextmanager
def away(world: World, service: str, caller: str | None = None) -> Iterator[None]:
    """A service hangs up on everybody, or on one of our processes."""
    world.gateway.outage(service, FOREVER, caller)
    try:
        yield
    finally:
        world.gateway.outage(service, 0.0, caller)


@contextmanager
def tables_away(world: World) -> Iterator[None]:
    """DynamoDB hangs up on all work with the services' tables; leases and checkpoints go on."""
    world.gateway.refuses = lambda call: call.service == "dynamodb" and b"-consumer" not in call.body
    try:
        yield
    finally:
        world.gateway.refuses = None


@contextmanager
def poisoned(world: World) -> Iterator[None]:
    """A record that is no event is in each stream; in the end operators discard what was parked."""
    for stream in ("orders", "stock-changes"):
        world.kinesis.put_record(StreamName=stream, Data=b"this is no event", PartitionKey="poison")
    try:
        yield
    finally:
        for application in [one.name for one in world.topology.processes if getattr(one, "parks", False)]:
            operate(world, "dlq", "discard", application, "--all", "--behind", "--yes")


@contextmanager
def dead_payment(world: World) -> Iterator[None]:
    """A message that names no payment is in the dead-letter queue."""
    name = QueueSpec.dead_letters_of(world.layout.settings.name_of(PAYMENT_QUEUE))
    url = world.sqs.get_queue_url(QueueName=name)["QueueUrl"]
    world.sqs.send_message(QueueUrl=url, MessageBody="this is no payment")
    try:
        yield
    finally:
        world.sqs.purge_queue(QueueUrl=url)


@contextmanager
def provider_away(world: World) -> Iterator[None]:
    """The payment provider answers 503."""
    world.provider(outage_seconds=FOREVER)
    try:
        yield
    finally:
        world.provider()


@contextmanager
def kinesis_goes_wrong(world: World, **fault: Any) -> Iterator[None]:
    """Kinesis refuses a share of the calls, or of the records."""
    world.kinesis_faults({"times": None, **fault})
    try:
        yield
    finally:
        world.kinesis_faults()


@contextmanager
def stock_below_zero(world: World) -> Iterator[None]:
    """An item of the stock table is written by hand."""
    _set_available(world, -3)
    try:
        yield
    finally:
        _set_available(world, 1_000)


@contextmanager
def read_model_locked(world: World) -> Iterator[None]:
    """Somebody else holds the read model's database."""
    file = world.layout.settings.read_model_url.removeprefix("sqlite:///")
    with closing(sqlite3.connect(file, timeout=30, isolation_level=None)) as database:
        database.execute("BEGIN IMMEDIATE")
        yield
        database.execute("ROLLBACK")


@contextmanager
def days_behind(world: World) -> Iterator[None]:
    """Kinesis says with each read that the reader is four days behind the tip, in the world's own minutes."""
    lag = round(_FOUR_DAYS_MILLIS * world.layout.options.metrics_seconds / PERIOD)

    def altered(call: Call, response: Message) -> Message:
        if call.operation != "GetRecords" or response.status != 200:
            return response
        return response.with_body(
            json.dumps(json.loads(response.body) | {"MillisBehindLatest": lag}).encode()
        )

    world.gateway.alter = altered
    try:
        yield
    finally:
        world.gateway.alter = None


@contextmanager
def expired(world: World) -> Iterator[None]:
    """Applications come back after so long that retention has taken what stands at their checkpoints."""
    coming_back: set[str] = set()
    trimmed: set[tuple[str, str]] = set()

    def altered(call: Call, response: Message) -> Message:
        # What is at the checkpoint is done: without it, the next record is the oldest one that is left.
        if call.caller not in coming_back or call.operation != "GetRecords" or response.status != 200:
            return response
        body = json.loads(response.body)
        iterator = decode(call.arguments["ShardIterator"], ShardIterator, "ShardIterator")
        shard = (call.caller, iterator.shard_id)
        if not body["Records"] or shard in trimmed:
            return response
        trimmed.add(shard)
        return response.with_body(json.dumps(body | {"Records": body["Records"][1:]}).encode())

    world.gateway.alter = altered
    try:
        for application in applications(world):
            world.end(application)
            _forget_when_it_was_done(world, application)
            coming_back.add(application)
            world.begin(application)
        yield
    finally:
        world.gateway.alter = None
        for application in applications(world):
            world.end(application)
            world.begin(application)


@contextmanager
def steps_late(world: World) -> Iterator[None]:
    """The owner of each step is away in turn while orders wait; their requests turn out to be old."""
    owners = {"inventory": "reserve_stock", "payments": "capture_payment", "shipping": "ship_order"}
    for owner, step in owners.items():
        with away(world, "kinesis", owner):
            _wait_until_overdue(world, _age(world, step), step)
    yield


def operate(world: World, *words: str) -> None:
    """Run a command as an operator does."""
    command = orderstream(world.layout.home, 0, *words)
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def _set_available(world: World, units: int) -> None:
    world.flow.stock(_PLANTED_SKU)
    world.dynamodb.update_item(
        TableName="orderstream-stock",
        Key={"pk": {"S": _PLANTED_SKU}},
        UpdateExpression="SET available = :units",
        ExpressionAttributeValues={":units": {"N": str(units)}},
    )


def _age(world: World, step: str) -> str:
    """Make an order's request for a step one whose deadline has passed; returns the order."""
    sagas = StateItems(SAGAS.name, SagaRecord)
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        for item in world.store.scan(SAGAS.name):
            record = sagas.state(item)
            if (
                record.saga
                and record.saga.step(step).status.awaited
                and _aged(world, sagas, item, record, step)
            ):
                return item.key
        time.sleep(0.5)
    raise TimeoutError(f"no order waits for {step}")


def _wait_until_overdue(world: World, order_id: str, step: str) -> None:
    """Wait until the saga has taken notice: the owner's reply must not come first."""
    sagas = StateItems(SAGAS.name, SagaRecord)
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        item = world.store.get(SAGAS.name, order_id)
        saga = sagas.state(item).saga if item else None
        due = saga.step(step).due if saga else None
        if saga and (not saga.step(step).status.awaited or due is None or due > dt.datetime.now(dt.UTC)):
            return
        time.sleep(0.5)
    raise TimeoutError(f"the saga does not see that {step} of {order_id} is overdue")


def _aged(world: World, sagas: StateItems[SagaRecord], item: Item, record: SagaRecord, step: str) -> bool:
    saga = record.saga
    assert saga is not None
    conversation = conversation_of(world.store, saga, step)
    if conversation is None:
        return False
    past = dt.datetime.now(dt.UTC) - dt.timedelta(seconds=5)
    overdue = msgspec.structs.replace(saga.step(step), due=past)
    late = msgspec.structs.replace(saga, steps={**saga.steps, step: overdue})
    aged = msgspec.structs.replace(record, saga=late)
    put = sagas.put(item.key, aged, inbox=sagas.inbox(item).entries, version=item.version)
    timers = timer_writes(saga, late, order_id=item.key, conversation_id=conversation)
    try:
        world.store.transact([put, *timers])
    except ConditionFailedError:
        return False  # the saga has gone on meanwhile
    return True


def _forget_when_it_was_done(world: World, application: str) -> None:
    """Leave the checkpoints, and not that they are of today."""
    table = f"orderstream-{application}-consumer"
    for row in world.dynamodb.scan(TableName=table, ConsistentRead=True)["Items"]:
        world.dynamodb.update_item(
            TableName=table,
            Key={"leaseKey": row["leaseKey"]},
            UpdateExpression="REMOVE orderstreamDoneUntil",
        )
