"""How something is made to go wrong in a world, and mended again: each lasts while its body runs."""

import json
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any, Final

from alarms.stranger import Stranger
from alarms.world import World
from chaos.calls import Call
from chaos.clients import client_of
from chaos.http1 import Message
from e2e.running import orderstream
from orderstream.observability.metrics.exporting import PERIOD
from orderstream.testing.state.iterators import ShardIterator, decode
from orderstream_workers.runtime.topology import QueueSpec, StreamApplication, StreamSpec
from orderstream_workers.runtime.topology.pipeline import PAYMENT_QUEUE

FOREVER: Final = 3_600.0
"""Longer than any fault lasts."""

_PATIENCE: Final = 60.0
_LOOK_EVERY: Final = 0.5
_FOUR_DAYS_MILLIS: Final = 4 * 86_400_000
_PLANTED_SKU: Final = "PLANTED"

_LEASES: Final = (b"-consumer", b"-consumed-streams", b"-engines")
"""What the names of the tables have in which the engine keeps leases, checkpoints and whose they are."""

_OWN_TABLE: Final = {
    "notifications": b"-notices",
    "shipping": b"-shipments",
    "payments": b"-payments",
    "inventory": b"-reservations",
    "saga": b"-saga-orders",
}
"""By service, the table that it works with for each message; the last of an order's way first."""

_ASKED: Final = b"does-it-answer"
"""The key by which a process asks whether a table responds."""


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
    """DynamoDB hangs up on all work with the services' tables; leases and checkpoints go on.

    It hangs up on one service after the other, the last of an order's way first, so that each still gets
    messages when its turn comes: without one in its hands, it would not notice.
    """
    gone: set[str] = set()
    noticed: set[str] = set()

    def refused(call: Call) -> bool:
        if (
            call.service != "dynamodb"
            or call.caller not in gone
            or any(each in call.body for each in _LEASES)
        ):
            return False
        if _OWN_TABLE.get(call.caller, _ASKED) in call.body and _ASKED not in call.body:
            noticed.add(call.caller)
        return True

    world.gateway.refuses = refused
    try:
        for service in _OWN_TABLE:
            gone.add(service)
            wait_until(world, lambda service=service: service in noticed, f"{service} to notice")
        gone.update(world.names)
        yield
    finally:
        world.gateway.refuses = None


@contextmanager
def stock_monitor_refused(world: World) -> Iterator[None]:
    """Kinesis hangs up on what the stock monitor publishes, and there is low stock to be published."""

    def refused(call: Call) -> bool:
        return (call.caller, call.service, call.operation) == ("stock-monitor", "kinesis", "PutRecords")

    world.gateway.refuses = refused
    try:
        _set_available(world, 1_000)
        _set_available(world, 50)
        yield
    finally:
        world.gateway.refuses = None
        _set_available(world, 1_000)


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
def crowded(world: World) -> Iterator[None]:
    """A stranger's program reads all streams far too often."""
    streams = [world.layout.settings.name_of(stream) for stream in world.topology.of(StreamSpec)]
    with closing(client_of("kinesis", world.layout.kinesis_url, attempts=1)) as kinesis:
        stranger = Stranger(kinesis, streams)
        stranger.start()
        try:
            yield
        finally:
            stranger.end()


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
    lag = round(_FOUR_DAYS_MILLIS * world.minute / PERIOD)

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


def wait_until(world: World, true: Callable[[], bool], what: str) -> None:
    """Wait for something, and look at the alarms meanwhile: each rings for minutes only, and these are short.

    Args:
        world: Whose alarms.
        true: Says whether it is there.
        what: What is waited for, in words.

    Raises:
        TimeoutError: It does not come.
    """
    deadline = time.monotonic() + _PATIENCE
    while not true():
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {_PATIENCE:g} s for {what}")
        world.look()
        time.sleep(_LOOK_EVERY)


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


def _forget_when_it_was_done(world: World, application: str) -> None:
    """Leave the checkpoints, and not that they are of today."""
    table = f"orderstream-{application}-consumer"
    for row in world.dynamodb.scan(TableName=table, ConsistentRead=True)["Items"]:
        world.dynamodb.update_item(
            TableName=table,
            Key={"leaseKey": row["leaseKey"]},
            UpdateExpression="REMOVE orderstreamDoneUntil",
        )
