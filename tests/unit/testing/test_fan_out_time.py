"""What of enhanced fan-out hangs on the clock: five minutes, take-over, signs of life, bytes, states."""

from typing import Any

import pytest
from botocore.exceptions import ClientError, EventStreamError

from orderstream.testing import FakeKinesis

FIRST = "shardId-000000000000"
MIB = 1024 * 1024


class Time:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def client(time: Time) -> Any:
    client = FakeKinesis(clock=time, sleep=time.sleep).client()
    client.create_stream(StreamName="orders", ShardCount=1)
    return client


def register(client: Any, name: str = "planner") -> str:
    arn = client.describe_stream_summary(StreamName="orders")["StreamDescriptionSummary"]["StreamARN"]
    consumer = client.register_stream_consumer(StreamARN=arn, ConsumerName=name)["Consumer"]
    return str(consumer["ConsumerARN"])


def subscribe(client: Any, consumer: str) -> Any:
    position = {"Type": "TRIM_HORIZON"}
    answer = client.subscribe_to_shard(ConsumerARN=consumer, ShardId=FIRST, StartingPosition=position)
    return iter(answer["EventStream"])


def test_a_subscription_lasts_five_minutes_with_a_sign_of_life_every_five_seconds(
    client: Any, time: Time
) -> None:
    """An idle shard's events have no records, and a continuation that can be gone on from."""
    began, told = time.now, [event["SubscribeToShardEvent"] for event in subscribe(client, register(client))]
    assert 299.9 <= time.now - began <= 300.1
    assert 58 <= len(told) <= 60
    assert not any(event["Records"] or event["MillisBehindLatest"] for event in told)
    client.put_record(StreamName="orders", PartitionKey="a", Data=b"x")
    position = {
        "Type": "AFTER_SEQUENCE_NUMBER",
        "SequenceNumber": told[-1]["ContinuationSequenceNumber"],
    }
    answer = client.subscribe_to_shard(
        ConsumerARN=register(client, "other"), ShardId=FIRST, StartingPosition=position
    )
    sent = next(iter(answer["EventStream"]))["SubscribeToShardEvent"]
    assert [record["Data"] for record in sent["Records"]] == [b"x"]


def test_after_five_seconds_a_subscription_takes_over(client: Any, time: Time) -> None:
    """The older one ends with ResourceInUseException in its stream; once a second one may call."""
    consumer = register(client)
    older = subscribe(client, consumer)
    time.now += 4.9
    with pytest.raises(ClientError, match="ResourceInUseException"):
        subscribe(client, consumer)
    time.now += 0.2
    with pytest.raises(ClientError, match="LimitExceededException"):
        subscribe(client, consumer)
    time.now += 1.0
    newer = subscribe(client, consumer)
    with pytest.raises(EventStreamError, match="ResourceInUseException"):
        next(older)
    assert next(newer)["SubscribeToShardEvent"]["Records"] == []


def test_a_consumer_gets_two_mib_a_second_whatever_others_read(client: Any, time: Time) -> None:
    """Six MiB take about two seconds beyond the first two, and readers by GetRecords take nothing of it."""
    for number in range(12):
        entry = {"PartitionKey": str(number), "Data": bytes(MIB // 2 - 8)}
        assert client.put_records(StreamName="orders", Records=[entry])["FailedRecordCount"] == 0
        time.now += 1.0
    start = {"ShardId": FIRST, "ShardIteratorType": "TRIM_HORIZON"}
    iterator = client.get_shard_iterator(StreamName="orders", **start)["ShardIterator"]
    assert len(client.get_records(ShardIterator=iterator)["Records"]) == 12
    consumers = [register(client, name) for name in ("one", "two")]
    began = time.now
    streams = [subscribe(client, consumer) for consumer in consumers]
    for stream in streams:
        count = 0
        while count < 12:
            count += len(next(stream)["SubscribeToShardEvent"]["Records"])
    assert 1.0 <= time.now - began <= 3.0


def test_a_consumer_is_made_and_goes_in_time(time: Time) -> None:
    """It is of no use while it is made, five are made at once at most, and while it goes its streams end."""
    client = FakeKinesis(clock=time, sleep=time.sleep, transition_seconds=10.0).client()
    client.create_stream(StreamName="orders", ShardCount=1)
    time.now += 10
    consumers = [register(client, f"c{number}") for number in range(5)]
    with pytest.raises(ClientError, match="in the state CREATING"):
        register(client, "c5")
    with pytest.raises(ClientError, match="not ACTIVE, but CREATING"):
        subscribe(client, consumers[0])
    time.now += 10
    opened = subscribe(client, consumers[0])
    client.deregister_stream_consumer(ConsumerARN=consumers[0])
    with pytest.raises(EventStreamError, match="ResourceNotFoundException"):
        next(opened)
    described = client.describe_stream_consumer(ConsumerARN=consumers[0])["ConsumerDescription"]
    assert described["ConsumerStatus"] == "DELETING"
    time.now += 10
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        client.describe_stream_consumer(ConsumerARN=consumers[0])
