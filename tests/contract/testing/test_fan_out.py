"""Enhanced fan-out: registered consumers, and what a subscription to a shard sends."""

from collections.abc import Callable
from itertools import islice
from typing import Any

import pytest
from botocore.exceptions import ClientError

from fakes.kinesis_model import operation_model, violations

Make = Callable[..., str]
ACCOUNT = "arn:aws:kinesis:us-east-1:000000000000"
FIRST = "shardId-000000000000"
LOWER_HALF, UPPER_HALF = "0", str(2**127)


@pytest.fixture
def registered(client: Any, stream: Make) -> Callable[..., tuple[str, str]]:
    """Makes streams with one registered consumer: the stream's name and the consumer's ARN."""

    def make(shards: int = 1) -> tuple[str, str]:
        name = stream(shards)
        answer = client.register_stream_consumer(StreamARN=arn_of(client, name), ConsumerName="planner")
        return name, str(answer["Consumer"]["ConsumerARN"])

    return make


@pytest.fixture
def stream(client: Any, stream: Make) -> Make:
    """As for other tests; a stream with consumers is only deleted if that is enforced."""
    made: list[str] = []

    def make(shards: int = 1) -> str:
        made.append(stream(shards))
        return made[-1]

    yield make
    for name in made:
        for each in client.list_stream_consumers(StreamARN=arn_of(client, name))["Consumers"]:
            client.deregister_stream_consumer(ConsumerARN=each["ConsumerARN"])


def arn_of(client: Any, name: str) -> str:
    return str(client.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]["StreamARN"])


def code_of(call: Callable[..., Any], **request: Any) -> str:
    with pytest.raises(ClientError) as refused:
        call(**request)
    return str(refused.value.response["Error"]["Code"])


def events(answer: dict[str, Any], count: int) -> list[dict[str, Any]]:
    """So many events of a subscription, each held against the service model."""
    shape = operation_model("SubscribeToShard").get_event_stream_output()
    assert shape is not None
    found = []
    for event in islice(answer["EventStream"], count):
        told = event["SubscribeToShardEvent"]
        wrong = violations(shape.members["SubscribeToShardEvent"], told, "event")
        if (
            "ChildShards" in told
        ):  # the model demands it always; at a shard's end there is nothing to go on to
            wrong.remove("event.ContinuationSequenceNumber is missing")
        assert wrong == []
        found.append(told)
    answer["EventStream"].close()
    return found


def subscribe(client: Any, consumer: str, shard: str = FIRST, **position: Any) -> dict[str, Any]:
    asked: dict[str, Any] = client.subscribe_to_shard(
        ConsumerARN=consumer, ShardId=shard, StartingPosition=position or {"Type": "TRIM_HORIZON"}
    )
    return asked


def test_a_consumer_is_registered_described_listed_and_deregistered(client: Any, stream: Make) -> None:
    """By its ARN, or by its name and its stream's; the summary counts it."""
    name = stream()
    arn = arn_of(client, name)
    consumer = client.register_stream_consumer(StreamARN=arn, ConsumerName="planner")["Consumer"]
    assert consumer["ConsumerARN"].startswith(f"{arn}/consumer/planner:")
    by_arn = client.describe_stream_consumer(ConsumerARN=consumer["ConsumerARN"])["ConsumerDescription"]
    by_name = client.describe_stream_consumer(StreamARN=arn, ConsumerName="planner")["ConsumerDescription"]
    assert by_arn == by_name
    assert (by_arn["ConsumerStatus"], by_arn["StreamARN"]) == ("ACTIVE", arn)
    summary = client.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]
    assert summary["ConsumerCount"] == 1
    client.register_stream_consumer(StreamARN=arn, ConsumerName="archiver")
    page = client.list_stream_consumers(StreamARN=arn, MaxResults=1)
    rest = client.list_stream_consumers(StreamARN=arn, NextToken=page["NextToken"])
    names = [each["ConsumerName"] for each in (*page["Consumers"], *rest["Consumers"])]
    assert (names, "NextToken" in rest) == (["archiver", "planner"], False)
    assert code_of(client.delete_stream, StreamName=name) == "ResourceInUseException"
    client.deregister_stream_consumer(StreamARN=arn, ConsumerName="planner")
    gone = code_of(client.describe_stream_consumer, ConsumerARN=consumer["ConsumerARN"])
    assert gone == "ResourceNotFoundException"


def test_a_stream_has_at_most_twenty_consumers_of_different_names(client: Any, stream: Make) -> None:
    """The twenty-first is refused, and so is a name that there is."""
    arn = arn_of(client, stream())
    for number in range(20):
        client.register_stream_consumer(StreamARN=arn, ConsumerName=f"consumer-{number}")
    another = code_of(client.register_stream_consumer, StreamARN=arn, ConsumerName="another")
    again = code_of(client.register_stream_consumer, StreamARN=arn, ConsumerName="consumer-7")
    assert (another, again) == ("LimitExceededException", "ResourceInUseException")


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({}, "InvalidArgumentException"),
        ({"ConsumerName": "planner"}, "InvalidArgumentException"),
        (
            {"ConsumerARN": "arn:aws:kinesis:us-east-1:000000000000:stream/none/consumer/a:1"},
            "ResourceNotFoundException",
        ),
    ],
)
def test_a_consumer_that_is_not_named_or_not_there_is_refused(
    client: Any, asked: dict[str, str], code: str
) -> None:
    """With the error of the service."""
    assert code_of(client.describe_stream_consumer, **asked) == code


def test_records_are_pushed_in_order_and_the_next_subscription_goes_on(
    client: Any, registered: Callable[..., tuple[str, str]]
) -> None:
    """The continuation is behind what was sent; a consumer of another name begins where it wants."""
    name, consumer = registered()
    entries = [{"PartitionKey": f"k{number}", "Data": f"{number}".encode()} for number in range(5)]
    client.put_records(StreamName=name, Records=entries)
    (sent,) = events(subscribe(client, consumer), 1)
    assert [record["Data"] for record in sent["Records"]] == [b"0", b"1", b"2", b"3", b"4"]
    assert (sent["MillisBehindLatest"], "ChildShards" in sent) == (0, False)
    client.put_record(StreamName=name, PartitionKey="k", Data=b"later")
    other = client.register_stream_consumer(StreamARN=arn_of(client, name), ConsumerName="other")["Consumer"]
    position = {"Type": "AFTER_SEQUENCE_NUMBER", "SequenceNumber": sent["ContinuationSequenceNumber"]}
    (rest,) = events(subscribe(client, other["ConsumerARN"], **position), 1)
    assert [record["Data"] for record in rest["Records"]] == [b"later"]


def test_the_end_of_a_shard_names_its_children_and_has_no_continuation(
    client: Any, registered: Callable[..., tuple[str, str]]
) -> None:
    """After its last record a split shard sends one more event, and ends."""
    name, consumer = registered()
    client.put_record(StreamName=name, PartitionKey="k", Data=b"last")
    client.split_shard(StreamName=name, ShardToSplit=FIRST, NewStartingHashKey=UPPER_HALF)
    records, end = events(subscribe(client, consumer), 5)
    assert [record["Data"] for record in records["Records"]] == [b"last"]
    assert ([], "ContinuationSequenceNumber" in end) == (end["Records"], False)
    starts = [child["HashKeyRange"]["StartingHashKey"] for child in end["ChildShards"]]
    assert starts == [LOWER_HALF, UPPER_HALF]
    assert [child["ParentShards"] for child in end["ChildShards"]] == [[FIRST], [FIRST]]


def test_a_second_subscription_within_five_seconds_is_refused(
    client: Any, registered: Callable[..., tuple[str, str]]
) -> None:
    """For the same consumer and shard; another shard's is its own."""
    _, consumer = registered(2)
    again = {"ConsumerARN": consumer, "StartingPosition": {"Type": "LATEST"}}
    opened = [subscribe(client, consumer)]
    assert code_of(client.subscribe_to_shard, ShardId=FIRST, **again) == "ResourceInUseException"
    opened.append(subscribe(client, consumer, "shardId-000000000001"))
    unknown = code_of(client.subscribe_to_shard, ShardId="shardId-000000000009", **again)
    assert unknown == "ResourceNotFoundException"
    for answer in opened:
        answer["EventStream"].close()
