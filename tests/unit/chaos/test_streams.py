"""The judge reads a stream that others read too, and misses nothing of it."""

from chaos.streams import StreamReader
from orderstream.aggregation import UserRecord
from orderstream.aggregation.aggregate import encode_aggregate
from orderstream.testing import FakeKinesis
from orderstream.testing.state.limits import Limits


class Time:
    """A clock that moves when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0
        self.slept = 0

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.slept += 1


def test_a_shard_without_throughput_is_waited_for_and_news_follow() -> None:
    """A judge beside seven readers meets throttles: it waits, and reads each record once over its calls."""
    time = Time()
    fake = FakeKinesis(limits=Limits(reads=1, get_records=2), clock=lambda: time.now, sleep=time.sleep)
    kinesis = fake.client()
    kinesis.create_stream(StreamName="orders", ShardCount=1)
    time.sleep(1)
    for number in range(7):
        kinesis.put_record(StreamName="orders", PartitionKey="k", Data=b"%d" % number)
    reader = StreamReader(kinesis, "orders", time.sleep)
    assert [message.body for message in reader.read().messages] == [b"%d" % number for number in range(7)]
    assert time.slept > 1
    kinesis.put_record(StreamName="orders", PartitionKey="k", Data=b"7")
    assert [message.body for message in reader.read().messages] == [b"%d" % number for number in range(8)]


def test_an_expired_iterator_goes_on_behind_what_was_read() -> None:
    """Between two looks five minutes may pass: nothing is read twice, nothing is left out."""
    time = Time()
    kinesis = FakeKinesis(clock=lambda: time.now, sleep=time.sleep).client()
    kinesis.create_stream(StreamName="orders", ShardCount=1)
    time.sleep(1)
    reader = StreamReader(kinesis, "orders", time.sleep)
    for number in range(3):
        kinesis.put_record(StreamName="orders", PartitionKey="k", Data=b"%d" % number)
        bodies = [message.body for message in reader.read().messages]
        assert bodies == [b"%d" % read for read in range(number + 1)]
        time.sleep(400)


def test_an_aggregate_of_another_shard_is_read_and_not_delivered() -> None:
    """Its records take positions in the shard, and no consumer gets them: their producer sends them again."""
    kinesis = FakeKinesis().client()
    kinesis.create_stream(StreamName="orders", ShardCount=2)
    # MD5 puts the one key into the lower half of the hash space, the other into the upper.
    aggregate = encode_aggregate([UserRecord(key, b"{}") for key in ("a", "b")])
    kinesis.put_record(StreamName="orders", PartitionKey="a", ExplicitHashKey="0", Data=aggregate)
    stream = StreamReader(kinesis, "orders").read()
    assert [len(positions) for positions in stream.records.values()] == [2, 0]
    assert stream.messages == []
