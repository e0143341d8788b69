"""A live stream becomes a profile by enhanced fan-out, and no consumer is left behind."""

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from orderstream.testing import FakeKinesis, Limits
from shard_sizing.errors import InputError
from shard_sizing.live.fan_out import FanOut
from shard_sizing.live.measure import measure
from shard_sizing.model.data_files import load_limits, load_prices

BEGAN = 1_700_000_000.0
ARN = "arn:aws:kinesis:us-east-1:000000000000:stream/orders/consumer/sizing:1"


def refusal(code: str, operation: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "no"}}, operation)


class EventStream:
    """A subscription: what the shard has, a read at a time, and then the end of the five minutes."""

    def __init__(self, kinesis: "FanOutKinesis", iterator: str, reads: int) -> None:
        self._kinesis = kinesis
        self._iterator: str | None = iterator
        self._reads = reads

    def __iter__(self) -> Iterator[dict[str, Any]]:
        for _ in range(self._reads):
            answer = self._kinesis.inner.get_records(ShardIterator=self._iterator, Limit=3)
            self._iterator = answer.get("NextShardIterator")
            records = answer["Records"]
            if records:
                self._kinesis.last = records[-1]["SequenceNumber"]
            told = {"Records": records, "MillisBehindLatest": answer["MillisBehindLatest"]}
            if self._iterator is None:
                yield {"SubscribeToShardEvent": {**told, "ChildShards": answer.get("ChildShards", [])}}
                return
            yield {"SubscribeToShardEvent": {**told, "ContinuationSequenceNumber": self._kinesis.last}}

    def close(self) -> None:
        """There is nothing to close."""


class FanOutKinesis:
    """A Kinesis with one consumer's worth of enhanced fan-out."""

    def __init__(self, shards: int = 1) -> None:
        self.now = BEGAN
        self.inner = FakeKinesis(limits=Limits(throttling=False), clock=lambda: self.now).client()
        self.inner.create_stream(StreamName="orders", ShardCount=shards)
        self.registered: list[str] = []
        self.status = "ACTIVE"
        self.refuses = ""
        self.last = "0"

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def register_stream_consumer(self, **asked: str) -> dict[str, Any]:
        self.registered.append(asked["ConsumerName"])
        return {"Consumer": {"ConsumerARN": ARN}}

    def describe_stream_consumer(self, **_: str) -> dict[str, Any]:
        return {"ConsumerDescription": {"ConsumerStatus": self.status}}

    def deregister_stream_consumer(self, **asked: str) -> dict[str, Any]:
        assert asked == {"ConsumerARN": ARN}
        if self.refuses == "DeregisterStreamConsumer":
            raise refusal("AccessDeniedException", self.refuses)
        self.registered.pop()
        return {"ResponseMetadata": {"RequestId": "r-1"}}

    def subscribe_to_shard(self, **asked: Any) -> dict[str, Any]:
        if self.refuses == "SubscribeToShard":
            raise refusal("AccessDeniedException", self.refuses)
        where = asked["StartingPosition"]
        names = {"Type": "ShardIteratorType", "SequenceNumber": "StartingSequenceNumber"}
        request = {names.get(name, name): value for name, value in where.items()}
        found = self.inner.get_shard_iterator(StreamName="orders", ShardId=asked["ShardId"], **request)
        return {"EventStream": EventStream(self, found["ShardIterator"], reads=4)}

    def write(self, second: int, key: str) -> None:
        self.now = BEGAN + second
        self.inner.put_record(StreamName="orders", PartitionKey=key, Data=b"x" * 90)


def reader(kinesis: FanOutKinesis) -> FanOut:
    """A reader for whom a second passes with every other look at the clock."""
    looks = iter(range(10_000))
    return FanOut(kinesis, "orders", lambda: BEGAN - 3.5 + next(looks) / 2, lambda _: None)


def test_what_arrives_is_measured_and_the_consumer_is_gone() -> None:
    """Every record of the time is counted once; what is owed ends with the measurement."""
    kinesis = FanOutKinesis()
    with reader(kinesis) as fan_out:
        assert kinesis.registered
        for second in range(5):
            kinesis.write(second, f"key-{second}")
        found = measure("orders", fan_out, fan_out.read(8), load_limits(), None)
    assert (found.records, found.keys, len(found.shards)) == (5, 5, 1)
    assert kinesis.registered == []


def test_a_split_is_followed() -> None:
    """The children of a shard that ends are read from their first record on."""
    kinesis = FanOutKinesis()
    kinesis.write(1, "before")
    shard = kinesis.inner.list_shards(StreamName="orders")["Shards"][0]["ShardId"]
    with reader(kinesis) as fan_out:
        records = fan_out.read(8)
        found = [next(records).record["PartitionKey"]]
        kinesis.inner.split_shard(StreamName="orders", ShardToSplit=shard, NewStartingHashKey=str(2**127))
        for number in range(6):
            kinesis.write(3, f"after-{number}")
        found += [each.record["PartitionKey"] for each in records]
    assert sorted(found) == sorted(["before", *(f"after-{number}" for number in range(6))])


def test_a_consumer_is_deregistered_whatever_happens() -> None:
    """An error, or Ctrl-C in the middle of it, leaves nothing behind that costs."""
    kinesis = FanOutKinesis()
    with pytest.raises(KeyboardInterrupt), reader(kinesis):
        raise KeyboardInterrupt
    assert kinesis.registered == []


def test_a_consumer_is_deregistered_before_it_ever_was_active() -> None:
    """Ctrl-C while it is CREATING."""
    kinesis = FanOutKinesis()
    kinesis.status = "CREATING"

    def interrupt(_: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), FanOut(kinesis, "orders", lambda: kinesis.now, interrupt):
        raise AssertionError("it never becomes ACTIVE")
    assert kinesis.registered == []


def test_no_permission_is_one_sentence() -> None:
    """What AWS refuses is told with its code, and the consumer is gone all the same."""
    kinesis = FanOutKinesis()
    kinesis.refuses = "SubscribeToShard"
    with pytest.raises(InputError, match="stream orders: AccessDeniedException"), reader(kinesis) as fan_out:
        list(fan_out.read(1))
    assert kinesis.registered == []


def test_a_consumer_that_stays_is_told_with_the_way_to_end_it() -> None:
    """It costs by the hour, so nobody may miss it."""
    kinesis = FanOutKinesis()
    kinesis.refuses = "DeregisterStreamConsumer"
    told = "deregister-stream-consumer --consumer-arn arn:aws"
    with pytest.raises(InputError, match=told), reader(kinesis):
        assert kinesis.registered


def test_the_cost_is_told_before() -> None:
    """Two shards for less than an hour are two consumer-shard-hours."""
    told = FanOut(FanOutKinesis(shards=2), "orders").cost(load_prices().region("us-east-1"), 60)
    assert told.startswith("this reads by enhanced fan-out: 2 consumer-shard-hours, 0.030 USD")


def test_where_no_price_is_known_the_quantity_is_told() -> None:
    """A Region without prices on file can be measured all the same."""
    told = FanOut(FanOutKinesis(shards=2), "orders").cost(None, 60)
    assert "2 consumer-shard-hours" in told
    assert "not on file" in told
