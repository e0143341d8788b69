"""Checkpoints as they were while trouble lasted: never backwards, never ahead of their effects.

A sample is taken every few seconds, leases first and effects afterwards, so that whatever a checkpoint claims
must already be there. The judging is a pure function of the samples and of what the streams hold in the end.
"""

import sqlite3
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from chaos.streams import Message, Position

Checkpoint = Position | str
"""Where an application stands in a shard: behind a record, or ``SHARD_END``, ``TRIM_HORIZON`` and so on."""

GUARDS: Mapping[str, tuple[str, frozenset[str]]] = {
    "saga": ("saga-orders", frozenset({"OrderPlaced"})),
    "inventory": ("reservations", frozenset({"inventory.ReserveStock"})),
    "payments": ("payments", frozenset({"payments.CapturePayment"})),
    "shipping": ("shipments", frozenset({"shipping.ShipOrder"})),
    "notifications": ("notices", frozenset({"OrderConfirmed", "OrderCancelled"})),
}
"""By application: the table of its guard, and the messages that put an order into it."""

RESPONSE_FIRST = frozenset({"saga", "inventory", "shipping", "notifications"})
"""Applications whose outputs are acknowledged before the input's checkpoint.

Payments hands its input over to a queue, from which another process answers."""

ABOUT_STOCK = frozenset({"LowStockDetected", "StockCorrected", "StockReceived"})
"""Messages of no order, which the read model of orders passes over."""

TIMED = "StepOverdue"
"""A timer's message: it comes when it is due, long after what has set the timer."""

_CLOCK_GRAIN_SECONDS = 0.002
"""Kinesis rounds a record's time of arrival to milliseconds."""


@dataclass(frozen=True, slots=True)
class Sample:
    """What stood in the stores at one moment of a run.

    Attributes:
        read_at: When the leases had been read, in seconds since 1970.
        checkpoints: By application and shard.
        guarded: Orders in each guard's table, read after the leases.
        shown: Ids in the read model's history, read after the leases.
        forgotten: Applications some of whose leases were deleted on purpose since the sample before.
    """

    read_at: float
    checkpoints: Mapping[str, Mapping[str, Checkpoint]]
    guarded: Mapping[str, frozenset[str]]
    shown: frozenset[str]
    forgotten: frozenset[str] = frozenset()


def progress_violations(samples: Sequence[Sample], messages: Sequence[Message]) -> Iterator[str]:
    """Everything that is wrong with the checkpoints of a run, each fault once.

    Args:
        samples: Oldest first.
        messages: What the orders' stream holds in the end, in its order.
    """
    by_shard: defaultdict[str, list[Message]] = defaultdict(list)
    for message in messages:
        if message.envelope:
            by_shard[message.shard].append(message)
    outputs: defaultdict[tuple[str, str], list[Message]] = defaultdict(list)
    seen: set[tuple[str, str]] = set()
    for message in messages:
        if message.envelope and message.identity not in seen:
            seen.add(message.identity)
            cause = message.envelope.get("causationid")
            if cause and message.envelope["type"] != TIMED:
                outputs[message.envelope["source"], cause].append(message)
    yield from backwards(samples)
    found: dict[str, None] = {}
    for sample in samples:
        found |= dict.fromkeys(_ahead(sample, by_shard, outputs))
    yield from found


def backwards(samples: Sequence[Sample]) -> Iterator[str]:
    """A checkpoint moves forward only, as long as nobody deletes its lease."""
    last: dict[tuple[str, str], Checkpoint] = {}
    for sample in samples:
        for shard in [shard for shard in last if shard[0] in sample.forgotten]:
            del last[shard]
        for application, shards in sample.checkpoints.items():
            for shard, checkpoint in shards.items():
                before = last.get((application, shard))
                if before is not None and _rank(checkpoint) < _rank(before):
                    yield f"checkpoints: {application} went back from {before} to {checkpoint} in {shard}"
                last[application, shard] = checkpoint


def _ahead(
    sample: Sample,
    by_shard: Mapping[str, Sequence[Message]],
    outputs: Mapping[tuple[str, str], Sequence[Message]],
) -> Iterator[str]:
    for application, shards in sample.checkpoints.items():
        for shard, checkpoint in shards.items():
            for message in by_shard.get(shard, ()):
                if _rank(checkpoint) < _rank(message.position):
                    break
                yield from _missing(sample, application, message, outputs)


def _missing(
    sample: Sample,
    application: str,
    message: Message,
    outputs: Mapping[tuple[str, str], Sequence[Message]],
) -> Iterator[str]:
    kind, order = message.envelope["type"], message.envelope["subject"]
    table, kinds = GUARDS.get(application, ("", frozenset()))
    if kind in kinds and order not in sample.guarded.get(table, ()):
        yield f"checkpoints: {application} is past {message.said}, which is not in {table}"
    if (
        application == "order-status"
        and kind not in ABOUT_STOCK
        and message.envelope["id"] not in sample.shown
    ):
        yield f"checkpoints: order-status is past {message.said}, which it does not show"
    if application in RESPONSE_FIRST:
        for output in outputs.get((application, message.envelope["id"]), ()):
            if output.arrived > sample.read_at + _CLOCK_GRAIN_SECONDS:
                late = output.arrived - sample.read_at
                yield f"checkpoints: {application} was past {message.said}, {late:.3f} s before {output.said}"


def _rank(checkpoint: Checkpoint) -> tuple[int, int, int]:
    if isinstance(checkpoint, tuple):
        return (1, *checkpoint)
    return (2, 0, 0) if checkpoint == "SHARD_END" else (0, 0, 0)


@dataclass
class Watcher:
    """Takes samples in a thread of its own, from the stores themselves and not through the gateway.

    Args:
        dynamodb: A boto3 client.
        read_model: The SQLite file of order status.
        applications: Whose leases to read.
        every: Seconds between two samples.
    """

    dynamodb: Any
    read_model: Path
    applications: Sequence[str]
    every: float = 2.0
    samples: list[Sample] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)
    _forgotten: set[str] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin."""
        self._thread = threading.Thread(target=self._run, name="watcher", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End, after one last sample."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(timeout=30)

    def forgetting(self, application: str, delete: Callable[[], None]) -> None:
        """Delete leases of an application between two samples, so that the next one begins anew."""
        with self._lock:
            delete()
            self._forgotten.add(application)

    def _run(self) -> None:
        while True:
            last = self._stop.wait(self.every)
            with self._lock, suppress(BotoCoreError, ClientError, sqlite3.Error):
                # What cannot be read at this moment is read at the next one.
                self.samples.append(self._sample())
            if last:
                return

    def _sample(self) -> Sample:
        checkpoints = {name: checkpoints_of(self.dynamodb, name) for name in self.applications}
        read_at = time.time()
        guarded = {table: self._orders(table) for table, _ in GUARDS.values()}
        sample = Sample(read_at, checkpoints, guarded, self._history(), frozenset(self._forgotten))
        self._forgotten.clear()
        return sample

    def _orders(self, table: str) -> frozenset[str]:
        pages = self.dynamodb.get_paginator("scan").paginate(
            TableName=f"orderstream-{table}", ConsistentRead=True, ProjectionExpression="pk"
        )
        return frozenset(item["pk"]["S"] for page in pages for item in page["Items"])

    def _history(self) -> frozenset[str]:
        with closing(sqlite3.connect(f"file:{self.read_model}?mode=ro", uri=True, timeout=5.0)) as database:
            return frozenset(row[0] for row in database.execute("SELECT event_id FROM history"))


def checkpoints_of(dynamodb: Any, application: str) -> dict[str, Checkpoint]:
    """Where an application stands in each shard, read as KCL writes it."""
    items = dynamodb.scan(TableName=f"orderstream-{application}-consumer", ConsistentRead=True)["Items"]
    return {
        item["leaseKey"]["S"]: (
            (int(item["checkpoint"]["S"]), int(item["checkpointSubSequenceNumber"]["N"]))
            if item["checkpoint"]["S"].isdigit()
            else item["checkpoint"]["S"]
        )
        for item in items
        if "leaseCounter" in item
    }
