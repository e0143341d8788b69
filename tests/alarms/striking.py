"""How something is made to go wrong in a world, and mended again: each lasts while its body runs."""

import json
import signal
import sqlite3
import subprocess
from collections.abc import Iterator
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
