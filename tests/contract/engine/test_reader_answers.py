"""Whatever Kinesis' calls answer, a reader makes a refusal or an outage of it, and ends no thread."""

import datetime as dt
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from botocore.parsers import ResponseParserError

from orderstream.aggregation import UserRecord
from orderstream.aggregation.aggregate import encode_aggregate
from orderstream.errors import DependencyError
from orderstream.kinesis.shard import HashRange
from orderstream_consumer.engines.embedded.retrieval import (
    IssueIterator,
    KinesisReader,
    Read,
    ReadRecords,
    Refusal,
)
from orderstream_consumer.processing.errors import StreamGoneError

NOON = dt.datetime(2026, 1, 1, 12, tzinfo=dt.UTC)

SAYS_NOTHING: list[Any] = [
    {},
    {"Shards": []},
    None,
    [],
    "<html>Bad gateway</html>",
    {"Shards": None, "ShardIterator": None, "Records": None},
    {"Shards": [{}], "ShardIterator": "", "Records": [{}], "NextShardIterator": "x"},
    {"Shards": [None], "ShardIterator": 7, "Records": [None], "NextShardIterator": "x"},
    {"Shards": [{"ShardId": "s", "HashKeyRange": {}, "SequenceNumberRange": {}}], "Records": []},
    {"Shards": "x", "Records": [], "ChildShards": [{"ShardId": "c"}]},
    {"Shards": {}, "Records": [{"SequenceNumber": "x", "Data": b""}], "NextShardIterator": "x"},
    ResponseParserError("not JSON"),
    EndpointConnectionError(endpoint_url="http://kinesis"),
    ClientError({}, "ListShards"),
    ClientError({"Error": {"Code": "502", "Message": "Bad gateway"}}, "ListShards"),
    ClientError({"Error": {"Code": "InternalFailure"}}, "ListShards"),
]


class Says:
    """A client whose every call gives the same, or raises it."""

    def __init__(self, response: Any) -> None:
        self._response = response

    def list_shards(self, **_: Any) -> Any:
        if isinstance(self._response, Exception):
            raise self._response
        return self._response

    get_shard_iterator = get_records = list_shards


def reader(response: Any) -> KinesisReader:
    return KinesisReader(Says(response), "orders", max_records=9, now=lambda: NOON)  # type: ignore[arg-type]


@pytest.mark.parametrize("response", SAYS_NOTHING, ids=lambda response: repr(response)[:40])
def test_a_response_that_says_nothing_is_an_outage(response: Any) -> None:
    """It is asked again, and neither ends a shard nor a worker."""
    kinesis = reader(response)
    assert kinesis.issue("s", IssueIterator("LATEST")) is Refusal.UNREACHABLE
    assert kinesis.read("s", ReadRecords("it", None), None) is Refusal.UNREACHABLE
    assert kinesis.look_up("s") is Refusal.UNREACHABLE
    with pytest.raises(DependencyError):
        kinesis.list_shards()


def refused(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "as told"}}, "GetRecords")


@pytest.mark.parametrize(
    ("code", "issue", "read"),
    [
        ("ResourceNotFoundException", Refusal.GONE, Refusal.GONE),
        ("ExpiredIteratorException", Refusal.EXPIRED, Refusal.EXPIRED),
        ("ProvisionedThroughputExceededException", Refusal.THROTTLED, Refusal.THROTTLED),
        ("InvalidArgumentException", Refusal.INVALID_POSITION, Refusal.EXPIRED),
    ],
)
def test_errors_that_say_something(code: str, issue: Refusal, read: Refusal) -> None:
    """An invalid argument is the position of GetShardIterator, or the iterator of GetRecords."""
    kinesis = reader(refused(code))
    assert kinesis.issue("s", IssueIterator("AT_SEQUENCE_NUMBER", sequence_number=7)) is issue
    assert kinesis.read("s", ReadRecords("it", None), None) is read


def test_a_timestamp_that_is_refused_is_no_position() -> None:
    """It may lie in the future of Kinesis' clock: time mends that."""
    kinesis = reader(refused("InvalidArgumentException"))
    assert kinesis.issue("s", IssueIterator("AT_TIMESTAMP", timestamp=NOON)) is Refusal.UNREACHABLE


def test_a_stream_that_does_not_exist_is_named() -> None:
    """The listing knows it; a single shard's call does not."""
    kinesis = reader(refused("ResourceNotFoundException"))
    assert kinesis.look_up("s") is Refusal.STREAM_GONE
    with pytest.raises(StreamGoneError, match="orders does not exist"):
        kinesis.list_shards()


class Stub:
    """A shard with an aggregate of another shard, on a stream whose record distribution is unknown."""

    def __init__(self, summary: Any) -> None:
        self._summary = summary

    def get_records(self, **_: Any) -> Any:
        data = encode_aggregate([UserRecord("k", b"1", 7), UserRecord("l", b"2", 9)])
        return {"Records": [{"SequenceNumber": "5", "Data": data}], "NextShardIterator": "x"}

    def describe_stream_summary(self, **_: Any) -> Any:
        if isinstance(self._summary, Exception):
            raise self._summary
        return self._summary


@pytest.mark.parametrize(
    "summary", [{}, None, [], {"StreamDescriptionSummary": None}, refused("AccessDenied")]
)
def test_nothing_is_discarded_before_kinesis_has_said_how_it_distributes_records(summary: Any) -> None:
    """The read is tried again."""
    kinesis = KinesisReader(Stub(summary), "orders", max_records=9, now=lambda: NOON)  # type: ignore[arg-type]
    assert kinesis.read("s", ReadRecords("it", None), HashRange(0, 5)) is Refusal.UNREACHABLE
    by_key = {"StreamDescriptionSummary": {"StreamARN": "arn"}}
    kinesis = KinesisReader(Stub(by_key), "orders", max_records=9, now=lambda: NOON)  # type: ignore[arg-type]
    read = kinesis.read("s", ReadRecords("it", None), HashRange(0, 5))
    assert isinstance(read, Read)
    assert read.deaggregated.wrong_shard_aggregates == 1


def test_a_listing_that_never_ends_is_an_outage() -> None:
    """A token that comes a second time would be followed round and round, by a thread that nobody misses."""
    shard = {
        "ShardId": "shardId-000000000000",
        "HashKeyRange": {"StartingHashKey": "0", "EndingHashKey": "9"},
        "SequenceNumberRange": {"StartingSequenceNumber": "1"},
    }
    with pytest.raises(DependencyError, match="NextToken came twice"):
        reader({"Shards": [shard], "NextToken": "the same again"}).list_shards()
