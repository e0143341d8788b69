"""``Consumer`` on the embedded engine: what its docstring promises, in memory and over DynamoDB."""

import json
import socket
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import boto3
import pytest
from moto import mock_aws

from orderstream.testing import FakeKinesis
from orderstream_consumer import (
    Consumer,
    ConsumerConfig,
    ConsumerDrainingError,
    ConsumerNotReadyError,
    ConsumerStateError,
    DeliveredRecord,
    RecordFailedError,
)
from orderstream_consumer.processing.errors import StreamGoneError
from orderstream_consumer.testing import MemoryLeaseTable, MemoryStore

QUICK = ConsumerConfig(idle_between_reads=0.05, failover_time=2, retries=0, retry_base_delay=0.01)

Make = Callable[..., Consumer]


@pytest.fixture
def kinesis() -> FakeKinesis:
    """A Kinesis with one stream of two shards."""
    kinesis = FakeKinesis()
    kinesis.client().create_stream(StreamName="orders", ShardCount=2)
    return kinesis


@pytest.fixture(params=["memory", "dynamodb"])
def make(request: pytest.FixtureRequest, kinesis: FakeKinesis) -> Iterator[Make]:
    """Makes consumers of one application, with their state in each store in turn."""
    if request.param == "memory":
        yield in_memory(kinesis)
        return
    with mock_aws():
        client = boto3.client(
            "dynamodb", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x"
        )
        yield maker(kinesis, {"dynamodb": client})
        names = client.list_tables()["TableNames"]
        assert {"billing", "billing-engines", "billing-consumed-streams"} <= set(names)
        client.close()


def in_memory(kinesis: FakeKinesis) -> Make:
    return maker(kinesis, {"leases": MemoryLeaseTable(), "store": MemoryStore()})


def maker(kinesis: FakeKinesis, kept: dict[str, Any]) -> Make:
    def made(handler: Any = None, config: ConsumerConfig = QUICK, **more: Any) -> Consumer:
        arguments = {"stream": "orders", "handler": handler, "config": config, **kept, **more}
        return Consumer("billing", kinesis=kinesis.client(), **arguments)

    return made


def eventually(holds: Callable[[], bool], seconds: float = 60) -> None:
    """Wait until something is true."""
    deadline, pause = time.monotonic() + seconds, threading.Event()
    while not holds():
        assert time.monotonic() < deadline
        pause.wait(0.05)


class Collected:
    """A handler that notes records, and says when there are enough."""

    def __init__(self, enough: int, bad: bytes = b"") -> None:
        self.records: list[DeliveredRecord] = []
        self.done = threading.Event()
        self.bad = bad
        self._enough = enough
        self._lock = threading.Lock()

    def __call__(self, record: DeliveredRecord) -> None:
        if self.bad and record.data == self.bad:
            raise ValueError("bad")
        with self._lock:
            self.records.append(record)
            if len(self.records) >= self._enough:
                self.done.set()

    def of(self, key: str) -> list[bytes]:
        return [record.data for record in self.records if record.partition_key == key]


def put_numbers(kinesis: FakeKinesis, numbers: range, keys: int = 4) -> None:
    for number in numbers:
        kinesis.client().put_record(
            StreamName="orders", Data=b"%d" % number, PartitionKey=f"key-{number % keys}"
        )


def test_records_arrive_in_the_order_of_their_keys_and_the_next_run_goes_on(
    kinesis: FakeKinesis, make: Make
) -> None:
    """A clean stop checkpoints what is done and lets go of the leases: nothing comes twice."""
    put_numbers(kinesis, range(20))
    first = Collected(20)
    with make(first) as consumer:
        consumer.wait_ready(60)
        assert first.done.wait(60)
    assert first.of("key-1") == [b"1", b"5", b"9", b"13", b"17"]
    put_numbers(kinesis, range(20, 24))
    second = Collected(4)
    with make(second):
        assert second.done.wait(60)
    assert sorted(record.data for record in second.records) == [b"20", b"21", b"22", b"23"]


def test_a_record_that_fails_stops_the_consumer_and_is_the_first_the_next_time(
    kinesis: FakeKinesis, make: Make
) -> None:
    """No checkpoint passes it, whatever is done around it."""
    put_numbers(kinesis, range(8), keys=1)
    failing = Collected(8, bad=b"3")
    with pytest.raises(RecordFailedError) as caught:
        make(failing, on_failure="stop").run()
    assert (caught.value.record.data, failing.of("key-0")) == (b"3", [b"0", b"1", b"2"])
    mended = Collected(5)
    with make(mended):
        assert mended.done.wait(60)
    assert mended.of("key-0") == [b"3", b"4", b"5", b"6", b"7"]


def test_a_record_that_fails_is_parked_until_it_is_redriven(kinesis: FakeKinesis, make: Make) -> None:
    """Its key waits behind it, the others go on; health counts what is parked."""
    put_numbers(kinesis, range(12))
    handler = Collected(9, bad=b"2")  # all but 2, 6 and 10, which are of its key
    with make(handler) as consumer:
        assert handler.done.wait(60)
        eventually(lambda: [key.count for key in consumer.parked.keys()] == [3])  # noqa: SIM118 - no dict
        handler.bad = b""
        assert consumer.redrive("key-2") == 3
    assert handler.of("key-2") == [b"2", b"6", b"10"]


def test_a_handler_at_work_is_waited_for(kinesis: FakeKinesis) -> None:
    """Draining finishes what was begun; the record is done then, and comes no second time."""
    make = in_memory(kinesis)
    put_numbers(kinesis, range(1))
    begun, go_on = threading.Event(), threading.Event()

    def slow(_: DeliveredRecord) -> None:
        begun.set()
        assert go_on.wait(60)

    consumer = make(slow)
    consumer.start()
    assert begun.wait(60)
    with pytest.raises(ConsumerDrainingError):
        consumer.stop(timeout=0.05)
    go_on.set()
    consumer.stop()
    put_numbers(kinesis, range(1, 2))
    after = Collected(1)
    with make(after):
        assert after.done.wait(60)
    assert [record.data for record in after.records] == [b"1"]


def test_a_stream_that_is_not_there_keeps_it_from_being_ready(kinesis: FakeKinesis) -> None:
    """``check`` says so at once, ``wait_ready`` with the reason, and a time-out ends the consumer."""
    make = in_memory(kinesis)
    consumer = make(print, stream="oders")
    with pytest.raises(StreamGoneError):
        consumer.check()
    consumer.start()
    with pytest.raises(ConsumerNotReadyError, match="oders"):
        consumer.wait_ready(0.5)
    consumer.stop()
    impatient = make(print, replace(QUICK, stream_gone_timeout=0.01), stream="oders")
    with pytest.raises(StreamGoneError):
        impatient.run()


def test_a_consumer_runs_once(kinesis: FakeKinesis) -> None:
    """What has stopped does not come back by accident; a stop before the start is one."""
    consumer = in_memory(kinesis)(print)
    with pytest.raises(ConsumerStateError):
        consumer.wait_ready(1)
    consumer.stop()
    consumer.run()
    for again in (consumer.run, consumer.start):
        with pytest.raises(ConsumerStateError, match="make a new one"):
            again()
    with pytest.raises(ConsumerStateError):
        consumer.wait_ready(1)


def test_the_block_raises_what_ended_the_consumer(kinesis: FakeKinesis) -> None:
    """Unless something worse is under way."""
    put_numbers(kinesis, range(1))
    make = in_memory(kinesis)
    failing = Collected(1, bad=b"0")
    consumer = make(failing, on_failure="stop")
    with pytest.raises(RecordFailedError):
        block(consumer)
    worse = make(failing, on_failure="stop")
    with pytest.raises(KeyError):
        block(worse, KeyError())


def block(consumer: Consumer, worse: Exception | None = None) -> None:
    """A block that lasts until the consumer has ended by itself."""
    with consumer:
        assert consumer.wait_ended(60)
        if worse is not None:
            raise worse


def test_health_is_served(kinesis: FakeKinesis) -> None:
    """A probe hears that the consumer is ready, and a person which shards it has."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    with in_memory(kinesis)(print, replace(QUICK, health_port=port)) as consumer:
        consumer.wait_ready(60)
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health/ready") as response:
            said = json.loads(response.read())
    assert (said["application"], said["stream"], said["ready"]) == ("billing", "orders", True)


def test_threads_end_with_the_consumer(kinesis: FakeKinesis) -> None:
    """A program that embeds it has its threads back."""
    before = threading.active_count()
    put_numbers(kinesis, range(8))
    handler = Collected(8)

    async def handle(record: DeliveredRecord) -> None:
        handler(record)

    with in_memory(kinesis)(handle):
        assert handler.done.wait(60)
    assert threading.active_count() == before
