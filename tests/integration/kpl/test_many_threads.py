"""Handles under fire: threads put, poll, listen and flush while the stream refuses, loses and reshards."""

import threading
from collections import Counter
from contextlib import suppress
from itertools import cycle
from random import Random

import pytest

from orderstream import Delivery, Producer, ProducerConfig
from orderstream.aggregation import deaggregate
from orderstream.testing import FakeKinesis, Fault, FaultKind

WAIT = 60.0
STREAM = "orders"
THREADS = 4
ROUNDS = 30


class Caller:
    """One thread of an application, and what it saw.

    Args:
        number: Which one; all of its choices follow from it and the seed.
        seed: The test's seed.
        producer: The producer that all share.
    """

    def __init__(self, number: int, seed: int, producer: Producer) -> None:
        self.number = number
        self.random = Random(seed * THREADS + number)
        self.producer = producer
        self.handles: list[tuple[bytes, str, Delivery]] = []
        self.listened: Counter[bytes] = Counter()
        self.called: Counter[bytes] = Counter()
        self.told_too_early: list[bytes] = []
        self.left_by_flush = 0

    def run(self) -> None:
        for _ in range(ROUNDS):
            mine = self.put()
            self.handles += mine
            for data, _, handle in mine:
                self.look(data, handle)
            if self.random.random() < 0.3:
                self.left_by_flush += self.producer.flush(WAIT)
                self.left_by_flush += sum(not handle.done() for *_, handle in mine)

    def put(self) -> list[tuple[bytes, str, Delivery]]:
        first, count = len(self.handles), self.random.randrange(1, 400)
        records = [
            (b"%d-%d" % (self.number, first + index), f"order-{self.random.randrange(40)}")
            for index in range(count)
        ]
        if self.random.random() < 0.5:
            handles = self.producer.put_many(records)
        else:
            handles = [self.producer.put(data, key) for data, key in records]
        return [(data, key, handle) for (data, key), handle in zip(records, handles, strict=True)]

    def look(self, data: bytes, handle: Delivery) -> None:
        choice = self.random.random()
        if choice < 0.05:
            self.listened[data] += 1
            handle.add_done_callback(lambda handle: self.hear(data, handle))
        elif choice < 0.07:
            with suppress(TimeoutError):
                handle.result(self.random.random() * 0.01)

    def hear(self, data: bytes, handle: Delivery) -> None:
        self.called[data] += 1
        if not handle.done():
            self.told_too_early.append(data)


def reshard_until(stop: threading.Event, client: object) -> None:
    for count in cycle([8, 4, 2, 4]):
        if stop.wait(0.02):
            return
        client.update_shard_count(  # type: ignore[attr-defined]
            StreamName=STREAM, TargetShardCount=count, ScalingType="UNIFORM_SCALING"
        )


def positions(client: object) -> dict[tuple[str, str], list[tuple[bytes, str]]]:
    """Return what each Kinesis record of the stream carries."""
    found = {}
    for shard in client.list_shards(StreamName=STREAM)["Shards"]:  # type: ignore[attr-defined]
        iterator = client.get_shard_iterator(  # type: ignore[attr-defined]
            StreamName=STREAM, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
        )["ShardIterator"]
        while iterator:
            page = client.get_records(ShardIterator=iterator)  # type: ignore[attr-defined]
            for record in page["Records"]:
                deaggregated = deaggregate(record["Data"], record["PartitionKey"]).user_records
                found[shard["ShardId"], record["SequenceNumber"]] = [
                    (user.data, user.partition_key) for user in deaggregated
                ]
            iterator = page.get("NextShardIterator") if page["Records"] else None
    return found


@pytest.mark.parametrize("seed", range(3))
def test_each_handle_tells_the_truth_once(seed: int) -> None:
    """Who polls, listens or flushes learns of each record once, and not before it is where it should be."""
    kinesis = FakeKinesis()
    client = kinesis.client()
    client.create_stream(StreamName=STREAM, ShardCount=4)
    kinesis.faults.add(Fault(operation="PutRecords", kind=FaultKind.FAIL_RECORDS, rate=0.2))
    kinesis.faults.add(Fault(operation="PutRecords", kind=FaultKind.LOSE_RESPONSE, rate=0.05))
    config = ProducerConfig(
        aggregate_target_bytes=1024,
        aggregate_max_bytes=4096 if seed % 2 else 50_000,
        record_max_bytes=50_000,
        buffered_bytes=50_000,
        retry_base_delay=0.005,
        retry_max_delay=0.02,
    )
    stop = threading.Event()
    with Producer(STREAM, client=client, config=config) as producer:
        callers = [Caller(number, seed, producer) for number in range(THREADS)]
        threads = [threading.Thread(target=caller.run) for caller in callers]
        resharding = threading.Thread(target=reshard_until, args=(stop, client))
        for thread in (resharding, *threads):
            thread.start()
        for thread in threads:
            thread.join()
        stop.set()
        resharding.join()
        kinesis.faults.clear()
    found = positions(client)
    for caller in callers:
        assert caller.called == caller.listened
        assert not caller.told_too_early
        assert not caller.left_by_flush
        for data, key, handle in caller.handles:
            told = handle.result(0.0)
            assert found[told.shard_id, told.sequence_number][told.subsequence_number] == (data, key)
