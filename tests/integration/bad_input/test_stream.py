"""Bad records through the real path, from the stream to the dead letter, with everything in memory."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import select

from fakes.bad_input import (
    EVERYBODY,
    PLANTED,
    TOO_LARGE,
    UNKNOWN_EVENT,
    compressed_ship_order,
    ship_order,
)
from fakes.operating import MemoryResources
from orderstream.testing import FakeKinesis
from orderstream_consumer.delivery import Breaker, DeliveryTally, ParkedRecords
from orderstream_consumer.engines.config import EngineConfig
from orderstream_consumer.engines.embedded.worker import Worker
from orderstream_consumer.processing.processor import ProcessorFactory
from orderstream_consumer.testing import MemoryLeaseTable
from orderstream_workers.projections.order_status import (
    OrderStatusProcessor,
    ReadModel,
    ReadModelWriter,
    open_engine,
)
from orderstream_workers.projections.order_status.tables import UNREADABLE
from orderstream_workers.runtime.bootstrap import build_application

QUICK = EngineConfig(
    failover_time=2,
    idle_between_reads=0.05,
    min_between_reads=0.02,
    idle_call_interval=0.2,
    retry_pause=0.05,
    shutdown_timeout=10,
)
PLANTS = (*PLANTED, TOO_LARGE)
NEIGHBOURS = tuple(f"neighbour-{number}" for number in range(len(PLANTS)))


@pytest.fixture
def kinesis() -> FakeKinesis:
    """A stream with a good record, compressed, behind every bad one, and one more behind each on its key."""
    kinesis = FakeKinesis()
    client = kinesis.client()
    client.create_stream(StreamName="orders", ShardCount=1)
    for planted, neighbour in zip(PLANTS, NEIGHBOURS, strict=True):
        for key, data in (
            (planted.name, planted.data),
            (planted.name, ship_order(planted.name)),
            (neighbour, compressed_ship_order(neighbour)),
        ):
            client.put_record(StreamName="orders", PartitionKey=key, Data=data)
    client.put_record(StreamName="orders", PartitionKey="unknown-event", Data=UNKNOWN_EVENT)
    return kinesis


@contextmanager
def working(kinesis: FakeKinesis, processors: ProcessorFactory) -> Iterator[Worker]:
    worker = Worker(
        "it",
        "orders",
        kinesis=kinesis.client(),
        leases=MemoryLeaseTable(),
        processors=processors,
        config=QUICK,
    )
    thread = threading.Thread(target=worker.run)
    thread.start()
    try:
        yield worker
    finally:
        worker.request_shutdown()
        thread.join(20)
        assert not thread.is_alive()


def wait_until(holds: Callable[[], bool], timeout: float = 20) -> None:
    deadline = time.monotonic() + timeout
    while not holds():
        assert time.monotonic() < deadline
        threading.Event().wait(0.02)


@pytest.mark.parametrize("application", sorted(EVERYBODY))
def test_each_bad_record_is_a_dead_letter_and_stops_nothing_else(
    kinesis: FakeKinesis, application: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is parked with its reason, its key's next record behind it; every neighbour goes through."""
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    with MemoryResources() as resources:
        built = build_application(application, resources)
        total = 3 * len(PLANTS) + 1

        def at_rest() -> bool:
            counted = built.counters()
            return counted.get("handled", 0) + counted.get("parked", 0) == total

        with working(kinesis, built.processors) as worker:
            wait_until(at_rest)
            corrupt = sum(shard.corrupt_aggregates for shard in worker.progress())
        parked = ParkedRecords(resources.store, application)
        expected = {planted.name: planted for planted in PLANTS if application in planted.parked_by}
        counts = {key.partition_key: key.count for key in parked.keys()}  # noqa: SIM118 - no dictionary
        assert counts == dict.fromkeys(expected, 2)
        for name, planted in expected.items():
            first, behind = parked.records(name)
            assert first.reason.startswith(planted.reason), name
            assert behind.reason.startswith("waits behind")
        counters = built.counters()
        assert counters["parked"] == 2 * len(expected)
        assert counters["unknown_type"] >= 1
        assert "unexpected" not in counters
        assert corrupt == 2
        if application == "shipping":
            shipped = {json.loads(event)["subject"] for event in resources.publisher.published}
            assert shipped == {*NEIGHBOURS, *(planted.name for planted in PLANTS)} - expected.keys()


def test_the_read_model_keeps_what_nobody_can_read_and_goes_on(kinesis: FakeKinesis, tmp_path: Path) -> None:
    """Order status parks nothing: what cannot be read is a row with its reason, all else is history."""
    engine = open_engine(f"sqlite:///{tmp_path / 'model.sqlite'}")
    tally, breaker = DeliveryTally(), Breaker()
    total = 3 * len(PLANTS) + 1

    def processors(shard_id: str, stop: threading.Event) -> OrderStatusProcessor:
        return OrderStatusProcessor(writer=ReadModelWriter(engine), stop=stop, breaker=breaker, tally=tally)

    with working(kinesis, processors):
        wait_until(lambda: sum(tally.figures().values()) == total)
    # What its service cannot carry out is history here: nothing is asked of the read model.
    history = {"command", "too-large", "no-cause", "no-sender", "unasked", "to-nobody"}
    unreadable = [planted for planted in PLANTS if planted.name not in history]
    assert tally.figures()["unreadable"] == len(unreadable)
    with engine.connect() as connection:
        reasons = [row.reason for row in connection.execute(select(UNREADABLE))]
    for planted in unreadable:
        said = planted.reason.partition(": ")[2]
        assert any(reason.startswith(said) for reason in reasons), planted.name
    for neighbour in NEIGHBOURS:
        assert ReadModel(engine).order(neighbour) is not None
    engine.dispose()
