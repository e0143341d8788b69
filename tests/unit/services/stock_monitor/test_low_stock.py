"""From one change of a stock item to the event that it is low, or to none."""

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest

import orderstream_workers.services
from fakes.stock_changes import FIXTURE, captured, change, delivered_change
from orderstream.errors import DependencyError
from orderstream.messages import decode_envelope
from orderstream_consumer.idempotency import CollectingPublisher
from orderstream_orders.catalogue import example_of
from orderstream_orders.contracts import LowStockDetected, OrderPlaced, StockReceived
from orderstream_workers.services.stock_monitor import (
    NotAStockChangeError,
    StockChange,
    StockChangeHandler,
    detect,
    read_change,
)

AT = dt.datetime(2010, 12, 1, 8, 26, 0, 180_250, tzinfo=dt.UTC)


def read(record: dict[str, Any]) -> StockChange:
    return read_change(json.dumps(record).encode())


def test_a_change_is_read_as_aws_writes_it() -> None:
    """The fixture has AWS's shape, whole; we take what we need and ignore the rest."""
    assert read_change(FIXTURE.read_bytes()) == StockChange(
        change_id="26b1b865-4d27-4f0c-9a3e-71f0a3d5c2b8", sku="85123A", before=102, after=96, at=AT
    )


@pytest.mark.parametrize("named", [True, False])
def test_time_may_be_in_milliseconds(named: bool) -> None:
    """AWS counts in milliseconds unless told otherwise; older records do not name the precision."""
    record = captured()
    record["dynamodb"]["ApproximateCreationDateTime"] = 1291191960180
    record["dynamodb"]["ApproximateCreationDateTimePrecision"] = "MILLISECOND"
    if not named:
        del record["dynamodb"]["ApproximateCreationDateTimePrecision"]
    assert read(record).at == AT.replace(microsecond=180_000)


@pytest.mark.parametrize(
    ("before", "after", "low"),
    [
        (101, 100, True),
        (500, 0, True),
        (500, -3, True),
        (102, 101, False),
        (100, 99, False),
        (99, 200, False),
        (100, 100, False),
        (None, 5, False),
        (200, None, False),
    ],
)
def test_low_is_crossed_downwards(before: int | None, after: int | None, low: bool) -> None:
    """From above the threshold to it or below; a new item or one that has gone crosses nothing."""
    event = detect(read(change("c-1", before, after)), 100)
    assert (event is not None) is low


def left(record: dict[str, Any], image: str, event: str) -> None:
    record["dynamodb"][image]["event"] = {"S": event}


STRANGE = (
    "{}",
    "no event",
    example_of(OrderPlaced).encode().decode(),
    example_of(StockReceived).encode().decode(),
)


@pytest.mark.parametrize("event", STRANGE, ids=("empty", "text", "of an order", "of another SKU"))
def test_an_event_that_is_none_of_the_item_is_a_dead_letter_once(event: str) -> None:
    """The write that leaves it is named, nothing is published, and later writes are read as ever."""
    record = change("c-1", 120, 80, sku="71053")
    left(record, "NewImage", event)
    with pytest.raises(NotAStockChangeError):
        read(record)
    left(record, "OldImage", event)
    later = read(record)
    assert (later.event, detect(later, 100) is not None) == (None, True)


def test_the_event_is_a_function_of_the_change() -> None:
    """Two copies of a record give the same bytes; another change gives another id."""
    first, again = (detect(read(change("c-1", 120, 80)), 100) for _ in range(2))
    other = detect(read(change("c-2", 120, 80)), 100)
    assert first is not None
    assert again is not None
    assert other is not None
    assert first.encode() == again.encode()
    assert first.id != other.id
    assert (first.source, first.subject, first.time) == ("stock-monitor", "85123A", AT)
    assert first.message() == LowStockDetected(sku="85123A", available=80, threshold=100)


def spoilt(record: dict[str, Any], *path: str, value: Any) -> bytes:
    part = record
    for name in path[:-1]:
        part = part[name]
    part[path[-1]] = value
    return json.dumps(record).encode()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff",
        b"[]",
        b"{}",
        spoilt(captured(), "eventID", value=""),
        spoilt(captured(), "eventID", value="e" * 257),
        spoilt(captured(), "dynamodb", "Keys", value={"id": {"S": "85123A"}}),
        spoilt(captured(), "dynamodb", "Keys", "pk", "S", value="a\0b"),
        spoilt(captured(), "dynamodb", "NewImage", value={"pk": {"S": "85123A"}}),
        spoilt(captured(), "dynamodb", "NewImage", "available", value={"S": "many"}),
        spoilt(captured(), "dynamodb", "NewImage", "available", "N", value="many"),
        spoilt(captured(), "dynamodb", "NewImage", "available", "N", value="99.5"),
        spoilt(captured(), "dynamodb", "OldImage", "available", "N", value="NaN"),
        spoilt(captured(), "dynamodb", "OldImage", "available", "N", value="1E+125"),
        spoilt(captured(), "dynamodb", "OldImage", "available", "N", value="1E+9999999999"),
        FIXTURE.read_bytes().replace(b"null", b"[" * 100_000),
        spoilt(captured(), "dynamodb", "ApproximateCreationDateTime", value=10**30),
        spoilt(captured(), "dynamodb", "ApproximateCreationDateTimePrecision", value="SECOND"),
    ],
)
def test_what_is_no_change_of_stock_is_a_typed_error(data: bytes) -> None:
    """Whatever somebody wrote into the table or the stream becomes a dead letter that says why."""
    with pytest.raises(NotAStockChangeError) as caught:
        read_change(data)
    assert not caught.value.retryable


class Stream(CollectingPublisher):
    """A publisher that is down at first."""

    def __init__(self, outages: int) -> None:
        super().__init__()
        self.outages = outages
        self.keys: list[str] = []

    def publish(self, envelopes: Any, partition_key: str) -> None:
        if self.outages:
            self.outages -= 1
            raise DependencyError("kinesis", "PutRecords", "down")
        self.keys.append(partition_key)
        super().publish(envelopes, partition_key)


def test_an_outage_of_the_stream_is_retried() -> None:
    """The change is released only after its event is acknowledged; the event stands under the SKU."""
    stream, counted = Stream(outages=1), list[str]()
    handler = StockChangeHandler(publisher=stream, threshold=100, count=counted.append)
    record = delivered_change(change("c-1", 120, 80))
    with pytest.raises(DependencyError):
        handler.handle(record)
    assert counted == []
    handler.handle(record)
    handler.handle(delivered_change(change("c-2", 80, 70), 2))
    assert counted == ["low_stock"]
    assert stream.keys == ["85123A"]
    assert decode_envelope(stream.published[0]).type == "LowStockDetected"


def test_only_the_stock_monitor_raises_it() -> None:
    """No other service makes the event: inventory's handlers do not even know it."""
    (root,) = orderstream_workers.services.__path__
    makers = {
        file.relative_to(root).parts[0]
        for file in Path(root).rglob("*.py")
        if "LowStockDetected(" in file.read_text()
    }
    assert makers == {"stock_monitor"}
