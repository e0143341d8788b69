"""What hangs on the clock: limits per second, expiry, retention, transitions."""

import datetime as dt
from typing import Any

import pytest
from botocore.exceptions import ClientError

from orderstream.testing import FakeKinesis

START = 1_800_000_000.0
HOUR = 3_600.0
MIB = 1024 * 1024
FIRST = "shardId-000000000000"


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def client(clock: Clock) -> Any:
    client = FakeKinesis(clock=clock).client()
    client.create_stream(StreamName="orders", ShardCount=1)
    return client


def error_of(caught: pytest.ExceptionInfo[ClientError]) -> str:
    return str(caught.value.response["Error"]["Code"])


def iterator(client: Any, kind: str = "TRIM_HORIZON", **more: Any) -> str:
    request = {"StreamName": "orders", "ShardId": FIRST, "ShardIteratorType": kind}
    return str(client.get_shard_iterator(**request, **more)["ShardIterator"])


def put(client: Any, count: int = 1, size: int = 1) -> int:
    """Put records of a size and return how many failed."""
    records = [{"Data": bytes(size), "PartitionKey": "a"}] * count
    return int(client.put_records(StreamName="orders", Records=records)["FailedRecordCount"])


def test_a_shard_takes_a_thousand_records_a_second(client: Any, clock: Clock) -> None:
    """The thousand and first fails; half a second later there is room for 500 more."""
    assert [put(client, 500), put(client, 500), put(client)] == [0, 0, 1]
    clock.now += 0.5
    assert [put(client, 500), put(client)] == [0, 1]


def test_a_shard_takes_a_mebibyte_a_second(client: Any, clock: Clock) -> None:
    """Data and keys count; the next second takes as much again."""
    assert put(client, 5, MIB // 4 - 1) == 1
    clock.now += 1
    assert put(client, 5, MIB // 4 - 1) == 1


def test_each_shard_has_its_own_budget(clock: Clock) -> None:
    """A hot shard does not throttle its neighbour."""
    client = FakeKinesis(clock=clock).client()
    client.create_stream(StreamName="orders", ShardCount=2)
    records = [
        {"Data": bytes(MIB - 1), "PartitionKey": "a", "ExplicitHashKey": key}
        for key in ("0", "0", str(2**127))
    ]
    results = client.put_records(StreamName="orders", Records=records)["Records"]
    assert ["ErrorCode" in result for result in results] == [False, True, False]


def test_a_shard_is_read_five_times_a_second(client: Any, clock: Clock) -> None:
    """The sixth call within a second is refused; a fifth of a second later one passes."""
    start = iterator(client)
    for _ in range(5):
        client.get_records(ShardIterator=start)
    with pytest.raises(ClientError) as caught:
        client.get_records(ShardIterator=start)
    assert error_of(caught) == "ProvisionedThroughputExceededException"
    clock.now += 0.201
    client.get_records(ShardIterator=start)


def test_large_reads_are_paid_for(client: Any, clock: Clock) -> None:
    """After 10 MiB the shard refuses for about five seconds, as AWS documents GetRecords."""
    for _ in range(12):
        clock.now += 1
        put(client, 1, MIB - 1)
    response = client.get_records(ShardIterator=iterator(client))
    assert len(response["Records"]) == 10
    clock.now += 3.9
    with pytest.raises(ClientError):
        client.get_records(ShardIterator=response["NextShardIterator"])
    clock.now += 1
    assert len(client.get_records(ShardIterator=response["NextShardIterator"])["Records"]) == 2


def test_iterators_expire_after_five_minutes(client: Any, clock: Clock) -> None:
    """At five minutes an iterator still reads, after them it is refused."""
    start = iterator(client)
    clock.now += 300
    client.get_records(ShardIterator=start)
    clock.now += 0.1
    with pytest.raises(ClientError) as caught:
        client.get_records(ShardIterator=start)
    assert error_of(caught) == "ExpiredIteratorException"


def test_paging_tokens_expire_after_five_minutes(clock: Clock) -> None:
    """ListShards refuses an old NextToken."""
    client = FakeKinesis(clock=clock).client()
    client.create_stream(StreamName="orders", ShardCount=2)
    token = client.list_shards(StreamName="orders", MaxResults=1)["NextToken"]
    clock.now += 301
    with pytest.raises(ClientError) as caught:
        client.list_shards(NextToken=token)
    assert error_of(caught) == "ExpiredNextTokenException"


def test_the_lag_is_the_age_of_what_comes_next(client: Any, clock: Clock) -> None:
    """MillisBehindLatest tells how long the next unread record has waited."""
    put(client)
    clock.now += 2
    put(client)
    clock.now += 3
    page = client.get_records(ShardIterator=iterator(client), Limit=1)
    assert page["MillisBehindLatest"] == 3_000
    assert page["Records"][0]["ApproximateArrivalTimestamp"] == dt.datetime.fromtimestamp(START, dt.UTC)


def test_a_time_between_records_starts_at_the_later(client: Any, clock: Clock) -> None:
    """AT_TIMESTAMP gives what arrived then or later."""
    for _ in range(3):
        put(client)
        clock.now += 10
    since = dt.datetime.fromtimestamp(START + 5, dt.UTC)
    assert (
        len(client.get_records(ShardIterator=iterator(client, "AT_TIMESTAMP", Timestamp=since))["Records"])
        == 2
    )


def test_records_past_retention_are_gone(client: Any, clock: Clock) -> None:
    """After a day a record is no longer read, not even by an iterator that stood before it."""
    put(client)
    clock.now += 23 * HOUR
    put(client, 2)
    clock.now += HOUR
    assert len(client.get_records(ShardIterator=iterator(client))["Records"]) == 2


def test_lowered_retention_trims(client: Any, clock: Clock) -> None:
    """What a longer retention kept goes when it is lowered."""
    client.increase_stream_retention_period(StreamName="orders", RetentionPeriodHours=48)
    put(client)
    clock.now += 30 * HOUR
    assert len(client.get_records(ShardIterator=iterator(client))["Records"]) == 1
    client.decrease_stream_retention_period(StreamName="orders", RetentionPeriodHours=24)
    assert client.get_records(ShardIterator=iterator(client))["Records"] == []


def test_closed_shards_disappear_after_retention(client: Any, clock: Clock) -> None:
    """A day after its split a parent is neither listed nor found."""
    client.split_shard(StreamName="orders", ShardToSplit=FIRST, NewStartingHashKey=str(2**127))
    clock.now += 24 * HOUR
    assert [shard["ShardId"][-1] for shard in client.list_shards(StreamName="orders")["Shards"]] == ["1", "2"]
    with pytest.raises(ClientError) as caught:
        iterator(client)
    assert error_of(caught) == "ResourceNotFoundException"


def test_filters_by_time_see_the_lineage(client: Any, clock: Clock) -> None:
    """At any time the open shards of then are given, from any time on also all later ones."""
    clock.now += 10
    client.split_shard(StreamName="orders", ShardToSplit=FIRST, NewStartingHashKey=str(2**127))

    def listed(kind: str, seconds: float) -> list[str]:
        at = dt.datetime.fromtimestamp(START + seconds, dt.UTC)
        shards = client.list_shards(StreamName="orders", ShardFilter={"Type": kind, "Timestamp": at})[
            "Shards"
        ]
        return [shard["ShardId"][-1] for shard in shards]

    assert [listed("AT_TIMESTAMP", second) for second in (-5, 0, 9, 10)] == [["0"], ["0"], ["0"], ["1", "2"]]
    assert [listed("FROM_TIMESTAMP", second) for second in (9, 11)] == [["0", "1", "2"], ["1", "2"]]


def test_the_trim_horizon_is_before_a_split_at_once(client: Any) -> None:
    """On a clock that stands still, a reader from AT_TRIM_HORIZON still begins with the parent's records."""
    put(client)
    client.split_shard(StreamName="orders", ShardToSplit=FIRST, NewStartingHashKey=str(2**127))
    for kind in ({"Type": "AT_TRIM_HORIZON"}, {"Type": "AT_TIMESTAMP", "Timestamp": START}):
        shards = client.list_shards(StreamName="orders", ShardFilter=kind)["Shards"]
        assert [shard["ShardId"] for shard in shards] == [FIRST]


def test_changes_take_their_time(clock: Clock) -> None:
    """While a stream is CREATING it takes no records, and while UPDATING no second change."""
    client = FakeKinesis(clock=clock, transition_seconds=5).client()

    def status() -> str:
        response = client.describe_stream_summary(StreamName="orders")
        return str(response["StreamDescriptionSummary"]["StreamStatus"])

    client.create_stream(StreamName="orders", ShardCount=1)
    assert status() == "CREATING"
    with pytest.raises(ClientError) as caught:
        put(client)
    assert error_of(caught) == "ResourceNotFoundException"
    clock.now += 5
    assert status() == "ACTIVE"
    client.update_shard_count(StreamName="orders", TargetShardCount=2, ScalingType="UNIFORM_SCALING")
    assert (status(), put(client)) == ("UPDATING", 0)
    with pytest.raises(ClientError) as caught:
        client.update_shard_count(StreamName="orders", TargetShardCount=4, ScalingType="UNIFORM_SCALING")
    assert error_of(caught) == "ResourceInUseException"


def test_what_was_asked_for_shows_when_it_is_done(clock: Clock) -> None:
    """A stream shows no shards while CREATING or DELETING, and its old ones while UPDATING."""
    client = FakeKinesis(clock=clock, transition_seconds=5).client()

    def seen() -> tuple[str, int, int]:
        description = client.describe_stream(StreamName="orders")["StreamDescription"]
        summary = client.describe_stream_summary(StreamName="orders")["StreamDescriptionSummary"]
        return description["StreamStatus"], len(description["Shards"]), summary["OpenShardCount"]

    client.create_stream(StreamName="orders", ShardCount=1)
    assert seen() == ("CREATING", 0, 0)
    for call in (iterator, put):
        with pytest.raises(client.exceptions.ResourceNotFoundException):
            call(client)
    with pytest.raises(client.exceptions.ResourceInUseException, match="CREATING"):
        client.list_shards(StreamName="orders")
    clock.now += 5
    assert seen() == ("ACTIVE", 1, 1)
    client.split_shard(StreamName="orders", ShardToSplit=FIRST, NewStartingHashKey=str(2**127))
    assert seen() == ("UPDATING", 1, 1)
    assert client.put_record(StreamName="orders", Data=b"x", PartitionKey="a")["ShardId"] == FIRST
    page = client.get_records(ShardIterator=iterator(client))
    assert "NextShardIterator" in page
    clock.now += 5
    assert seen() == ("ACTIVE", 3, 2)
    assert "ChildShards" in client.get_records(ShardIterator=page["NextShardIterator"])
    client.delete_stream(StreamName="orders")
    assert seen() == ("DELETING", 0, 0)
    with pytest.raises(client.exceptions.ResourceInUseException):
        client.create_stream(StreamName="orders", ShardCount=1)
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        put(client)
    clock.now += 5
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        seen()
    client.create_stream(StreamName="orders", ShardCount=1)


def test_five_streams_are_made_at_once(clock: Clock) -> None:
    """The sixth is refused until one of them is ACTIVE."""
    client = FakeKinesis(clock=clock, transition_seconds=5).client()
    for number in range(5):
        client.create_stream(StreamName=f"s{number}", ShardCount=1)
    with pytest.raises(client.exceptions.LimitExceededException):
        client.create_stream(StreamName="s5", ShardCount=1)
    clock.now += 5
    client.create_stream(StreamName="s5", ShardCount=1)


def test_an_arrival_never_precedes_the_one_before(client: Any, clock: Clock) -> None:
    """Should the clock step back, arrivals in a shard still do not decrease."""
    put(client)
    clock.now -= 60
    put(client)
    clock.now += 60
    records = client.get_records(ShardIterator=iterator(client))["Records"]
    assert len({record["ApproximateArrivalTimestamp"] for record in records}) == 1
