"""``ConsumerFixture`` delivers as a consumer does: users trust their tests to it."""

import asyncio
import threading
from collections.abc import Sequence

import pytest

from orderstream import Producer
from orderstream_consumer import (
    ConsumerConfig,
    DeliveredRecord,
    DependencyError,
    RecordFailedError,
    RedriveStoppedError,
)
from orderstream_consumer.testing import ConsumerFixture, NotDeliveredError


class Handler:
    """Notes what it handles, and fails on demand."""

    def __init__(self, *bad: bytes) -> None:
        self.bad = set(bad)
        self.outage = False
        self.handled: list[bytes] = []
        self.tries = 0

    def __call__(self, record: DeliveredRecord) -> None:
        self.tries += 1
        if self.outage:
            raise ConnectionError("down")
        if record.data in self.bad:
            raise ValueError(f"cannot handle {record.data!r}")
        self.handled.append(record.data)

    def batch(self, records: Sequence[DeliveredRecord]) -> None:
        """Handle all or, of a bad batch, nothing."""
        if any(record.data in self.bad for record in records):
            raise ValueError("one of them is bad")
        self.handled += [record.data for record in records]


def put_numbers(fixture: ConsumerFixture, count: int, keys: int = 2) -> None:
    for number in range(count):
        fixture.put(b"%d" % number, f"key-{number % keys}")


def test_each_record_is_handled_once_in_the_order_of_its_key() -> None:
    """A second delivery goes on where the first one ended; no thread is left."""
    before = threading.active_count()
    handler = Handler()
    fixture = ConsumerFixture(handler)
    put_numbers(fixture, 6)
    assert fixture.deliver() == 6
    put_numbers(fixture, 2)
    assert fixture.deliver() == 2
    assert handler.handled == [b"0", b"1", b"2", b"3", b"4", b"5", b"0", b"1"]
    assert threading.active_count() == before


def test_aggregates_are_opened_and_reshards_are_followed() -> None:
    """What a Producer puts arrives as user records, parents before children."""
    handler = Handler()
    fixture = ConsumerFixture(handler, stream="orders", shards=1)
    client = fixture.kinesis.client()
    with Producer("orders", client=client) as producer:
        producer.put_many([(b"a", "k"), (b"b", "k")])
    client.update_shard_count(StreamName="orders", TargetShardCount=2, ScalingType="UNIFORM_SCALING")
    with Producer("orders", client=client) as producer:
        producer.put(b"c", "k")
    fixture.deliver()
    assert handler.handled == [b"a", b"b", b"c"]
    assert "SHARD_END" in fixture.checkpoints.values()


def test_rewound_it_delivers_everything_again() -> None:
    """A handler meets a record twice after a crash, so a test can show that this does no harm."""
    handler = Handler()
    fixture = ConsumerFixture(handler)
    put_numbers(fixture, 3)
    fixture.deliver()
    fixture.rewind()
    assert fixture.deliver() == 3
    assert handler.handled == [b"0", b"1", b"2"] * 2


@pytest.mark.parametrize("batches", [False, True], ids=["records", "batches"])
def test_a_record_that_fails_is_parked_with_what_follows_on_its_key(batches: bool) -> None:
    """Other keys go on; mended, a redrive carries the key out in order."""
    handler = Handler(b"2")
    fixture = ConsumerFixture(batch_handler=handler.batch) if batches else ConsumerFixture(handler)
    put_numbers(fixture, 8)
    assert fixture.deliver() == 5
    assert handler.handled == [b"0", b"1", b"3", b"5", b"7"]
    (parked,) = fixture.parked.keys()
    assert (parked.partition_key, parked.count) == ("key-0", 3)
    with pytest.raises(RedriveStoppedError):
        fixture.redrive("key-0")
    handler.bad.clear()
    assert fixture.redrive("key-0") == 3
    assert handler.handled[5:] == [b"2", b"4", b"6"]
    assert fixture.parked.keys() == []


def test_a_record_is_tried_again_before_it_is_put_aside() -> None:
    """``retries`` tries after the first one."""
    handler = Handler(b"0")
    fixture = ConsumerFixture(handler, config=ConsumerConfig(retries=2))
    fixture.put(b"0", "k")
    fixture.deliver()
    assert handler.tries == 3


@pytest.mark.parametrize("batches", [False, True], ids=["records", "batches"])
def test_stopping_passes_no_record(batches: bool) -> None:
    """The checkpoint stands before the record that fails, and the next delivery begins with it."""
    handler = Handler(b"2")
    config = ConsumerConfig(retries=0)
    fixture = (
        ConsumerFixture(batch_handler=handler.batch, on_failure="stop", config=config)
        if batches
        else ConsumerFixture(handler, on_failure="stop", config=config)
    )
    put_numbers(fixture, 4, keys=1)
    for _ in range(2):
        with pytest.raises(RecordFailedError, match="ValueError") as caught:
            fixture.deliver()
        assert caught.value.record.data == b"2"
    assert handler.handled == [b"0", b"1"]
    handler.bad.clear()
    assert fixture.deliver() == 2
    assert handler.handled == [b"0", b"1", b"2", b"3"]


@pytest.mark.parametrize("asynchronous", [False, True])
def test_a_record_that_fails_is_handed_over_and_its_key_goes_on(asynchronous: bool) -> None:
    """The receiver gets record and reason; while it fails itself, it is asked again."""
    taken: list[tuple[bytes, str]] = []
    refusals = iter([OSError("full"), OSError("full")])

    def take(record: DeliveredRecord, reason: str) -> None:
        for refusal in refusals:
            raise refusal
        taken.append((record.data, reason))

    async def take_later(record: DeliveredRecord, reason: str) -> None:
        take(record, reason)

    handler = Handler(b"1")
    fixture = ConsumerFixture(handler, on_failure=take_later if asynchronous else take)
    put_numbers(fixture, 3, keys=1)
    assert fixture.deliver() == 2
    assert taken == [(b"1", "ValueError: cannot handle b'1'")]
    assert handler.handled == [b"0", b"2"]


@pytest.mark.parametrize("outages", [(), (ConnectionError,)])
def test_an_outage_puts_nothing_aside(outages: tuple[type[Exception], ...]) -> None:
    """While it lasts nothing is passed; a kind that is not declared counts as the record's own failure."""
    handler = Handler()
    handler.outage = True
    fixture = ConsumerFixture(handler, config=ConsumerConfig(outages=outages))
    put_numbers(fixture, 2, keys=1)
    if not outages:
        fixture.deliver()
        (parked,) = fixture.parked.keys()
        assert parked.count == 2
        return
    with pytest.raises(NotDeliveredError, match="ConnectionError: down"):
        fixture.deliver()
    assert fixture.parked.keys() == []
    assert fixture.checkpoints == {}
    handler.outage = False
    assert fixture.deliver() == 2


def test_dependency_errors_are_outages_without_a_setting() -> None:
    """They are what a handler raises that knows the library."""

    def handle(_: DeliveredRecord) -> None:
        raise DependencyError("database", "INSERT", "down")

    fixture = ConsumerFixture(handle)
    fixture.put(b"", "k")
    with pytest.raises(NotDeliveredError, match="INSERT"):
        fixture.deliver()


def test_coroutines_run_in_one_event_loop() -> None:
    """So that clients which belong to a loop can be kept."""
    loops: set[int] = set()

    async def handle(_: DeliveredRecord) -> None:
        await asyncio.sleep(0)
        loops.add(id(asyncio.get_running_loop()))

    fixture = ConsumerFixture(handle)
    put_numbers(fixture, 4)
    assert fixture.deliver() == 4
    assert len(loops) == 1


def test_a_batch_reaches_the_handler_whole() -> None:
    """One call has all records of a read."""
    sizes: list[int] = []
    fixture = ConsumerFixture(
        batch_handler=lambda records: sizes.append(len(records)), config=ConsumerConfig(max_records=4)
    )
    put_numbers(fixture, 10)
    fixture.deliver()
    assert sizes == [4, 4, 2]
