"""The producer and the fake Kinesis that the SDK ships: what is put is what consumers read."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import pytest

from orderstream import Producer, ProducerConfig
from orderstream.aggregation import UserRecord, deaggregate
from orderstream.testing import FakeKinesis, Fault, FaultKind

WAIT = 60.0
STREAM = "orders"


@pytest.fixture
def kinesis() -> FakeKinesis:
    kinesis = FakeKinesis()
    kinesis.client().create_stream(StreamName=STREAM, ShardCount=4)
    return kinesis


def producer_to(kinesis: FakeKinesis) -> Producer:
    config = ProducerConfig(retry_base_delay=0.005, retry_max_delay=0.02)
    return Producer(STREAM, client=kinesis.client(), config=config)


@pytest.fixture
def producer(kinesis: FakeKinesis) -> Iterator[Producer]:
    with producer_to(kinesis) as producer:
        yield producer


def put_orders(producer: Producer, first: int, last: int) -> None:
    for number in range(first, last):
        producer.put(b"%d" % number, f"order-{number % 40}")


def open_shards(client: Any) -> list[dict[str, Any]]:
    shards = client.list_shards(StreamName=STREAM)["Shards"]
    return [shard for shard in shards if "EndingSequenceNumber" not in shard["SequenceNumberRange"]]


def read_as_consumers_do(client: Any) -> list[UserRecord]:
    """Read all shards, parents first, and drop aggregates as KCL does."""
    seen = []
    for shard in client.list_shards(StreamName=STREAM)["Shards"]:
        hash_range = shard["HashKeyRange"]
        low, high = int(hash_range["StartingHashKey"]), int(hash_range["EndingHashKey"])
        iterator = client.get_shard_iterator(
            StreamName=STREAM, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
        )["ShardIterator"]
        while iterator:
            page = client.get_records(ShardIterator=iterator)
            for record in page["Records"]:
                deaggregated = deaggregate(record["Data"], record["PartitionKey"])
                if not deaggregated.aggregated or all(
                    low <= user.hash_key <= high for user in deaggregated.user_records
                ):
                    seen += deaggregated.user_records
            iterator = page.get("NextShardIterator") if page["Records"] else None
    return seen


def check_all_in_order(client: Any, total: int) -> None:
    numbers: dict[str, dict[int, None]] = defaultdict(dict)
    for record in read_as_consumers_do(client):
        numbers[record.partition_key].setdefault(int(record.data))
    for key, seen in numbers.items():
        assert list(seen) == sorted(seen), f"{key} lost its order"
    assert sorted(number for seen in numbers.values() for number in seen) == list(range(total))


def test_what_is_put_is_what_consumers_read(kinesis: FakeKinesis, producer: Producer) -> None:
    """Every record is there once, in its shard, in order."""
    put_orders(producer, 0, 2000)
    assert producer.flush(WAIT) == 0
    client = kinesis.client()
    assert len(read_as_consumers_do(client)) == 2000
    check_all_in_order(client, 2000)


@pytest.mark.parametrize(
    "fault",
    [
        Fault(operation="PutRecords", kind=FaultKind.FAIL_RECORDS, rate=0.3, times=50),
        Fault(operation="PutRecords", error="InternalFailure", rate=0.5, times=5),
        Fault(operation="PutRecords", kind=FaultKind.LOSE_RESPONSE, rate=0.5, times=5),
        Fault(operation="ListShards", error="LimitExceededException", times=5),
    ],
    ids=lambda fault: f"{fault.operation}-{fault.kind}",
)
def test_trouble_costs_neither_records_nor_order(kinesis: FakeKinesis, fault: Fault) -> None:
    """Refused, failed or lost: in the end all records are there, and the first of each in order."""
    # Before the producer begins, which reads the shard map first of all.
    kinesis.faults.add(fault)
    with producer_to(kinesis) as producer:
        for first in range(0, 2000, 100):
            put_orders(producer, first, first + 100)
            assert producer.flush(WAIT) == 0
    kinesis.faults.clear()
    check_all_in_order(kinesis.client(), 2000)


def test_resharding_under_way_costs_neither_records_nor_order(
    kinesis: FakeKinesis, producer: Producer
) -> None:
    """Splits and merges between and during requests leave nothing behind that consumers would drop."""
    client = kinesis.client()
    for turn in range(10):
        put_orders(producer, turn * 400, turn * 400 + 200)
        shards = sorted(open_shards(client), key=lambda shard: int(shard["HashKeyRange"]["StartingHashKey"]))
        if turn % 2:
            client.merge_shards(
                StreamName=STREAM,
                ShardToMerge=shards[0]["ShardId"],
                AdjacentShardToMerge=shards[1]["ShardId"],
            )
        else:
            bounds = shards[0]["HashKeyRange"]
            middle = (int(bounds["StartingHashKey"]) + int(bounds["EndingHashKey"])) // 2
            client.split_shard(
                StreamName=STREAM, ShardToSplit=shards[0]["ShardId"], NewStartingHashKey=str(middle)
            )
        put_orders(producer, turn * 400 + 200, turn * 400 + 400)
        assert producer.flush(WAIT) == 0
    check_all_in_order(client, 4000)


def test_a_stream_is_addressed_by_its_arn_just_as_well(kinesis: FakeKinesis) -> None:
    """Every call names the stream by what the producer was given."""
    arn = kinesis.client().describe_stream_summary(StreamName=STREAM)["StreamDescriptionSummary"]["StreamARN"]
    with Producer(arn, client=kinesis.client()) as producer:
        put_orders(producer, 0, 50)
    assert len(read_as_consumers_do(kinesis.client())) == 50
