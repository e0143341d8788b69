"""What can be set for a stream, and what cannot: tags, mode, record size, distribution, encryption."""

from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import pytest
from botocore.exceptions import ClientError

Make = Callable[..., str]
FIRST = "shardId-000000000000"
_numbers = count(1)


def refused(code: str, call: Callable[..., Any], **request: Any) -> str:
    """Hold a call to an error and return the error's message."""
    with pytest.raises(ClientError) as caught:
        call(**request)
    assert caught.value.response["Error"]["Code"] == code
    return str(caught.value.response["Error"]["Message"])


def summary(client: Any, name: str) -> dict[str, Any]:
    found: dict[str, Any] = client.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]
    return found


def read(client: Any, name: str, shard: str = FIRST) -> list[dict[str, Any]]:
    start = client.get_shard_iterator(StreamName=name, ShardId=shard, ShardIteratorType="TRIM_HORIZON")
    found: list[dict[str, Any]] = client.get_records(ShardIterator=start["ShardIterator"])["Records"]
    return found


@pytest.fixture
def created(client: Any) -> Iterator[Make]:
    """Makes streams of any kind under fresh names and deletes them at the end."""
    made: list[str] = []

    def make(**settings: Any) -> str:
        name = f"settings-{next(_numbers)}"
        client.create_stream(StreamName=name, **settings)
        made.append(name)
        return name

    yield make
    for name in made:
        client.delete_stream(StreamName=name)


def test_tags_of_a_resource_are_those_of_its_stream(client: Any, created: Make) -> None:
    """They are given at its creation, by name or by ARN, and are listed alike."""
    name = created(ShardCount=1, Tags={"team": "orders"})
    arn = summary(client, name)["StreamARN"]
    client.tag_resource(ResourceARN=arn, Tags={"stage": "test"})
    both = [{"Key": "stage", "Value": "test"}, {"Key": "team", "Value": "orders"}]
    assert client.list_tags_for_resource(ResourceARN=arn)["Tags"] == both
    assert client.list_tags_for_stream(StreamName=name)["Tags"] == both
    client.untag_resource(ResourceARN=arn, TagKeys=["team"])
    assert client.list_tags_for_stream(StreamARN=arn)["Tags"] == both[:1]


def test_a_stream_has_fifty_tags(client: Any, created: Make) -> None:
    """One more is refused, at its creation and later, and so is a character that tags cannot have."""
    name = created(ShardCount=1, Tags={f"k{number}": "v" for number in range(50)})
    refused("InvalidArgumentException", client.add_tags_to_stream, StreamName=name, Tags={"k50": "v"})
    client.add_tags_to_stream(StreamName=name, Tags={"k49": "other"})
    refused("InvalidArgumentException", client.add_tags_to_stream, StreamName=name, Tags={"k49": "a*b"})
    page = client.list_tags_for_stream(StreamName=name, Limit=30)
    rest = client.list_tags_for_stream(StreamName=name, ExclusiveStartTagKey=page["Tags"][-1]["Key"])
    assert (len(page["Tags"]), page["HasMoreTags"]) == (30, True)
    assert (len(rest["Tags"]), rest["HasMoreTags"]) == (20, False)
    many = {f"k{number}": "v" for number in range(60)}
    refused("InvalidArgumentException", client.create_stream, StreamName="t", ShardCount=1, Tags=many)
    refused("ResourceNotFoundException", client.describe_stream, StreamName="t")


def test_a_stream_on_demand_says_so(client: Any, created: Make) -> None:
    """It begins with four shards, is not resharded by hand, and counts apart."""
    before = client.describe_limits()
    name = created(StreamModeDetails={"StreamMode": "ON_DEMAND"})
    assert summary(client, name)["StreamModeDetails"] == {"StreamMode": "ON_DEMAND"}
    assert summary(client, name)["OpenShardCount"] == 4
    listed = client.list_streams(ExclusiveStartStreamName=name[:-1])["StreamSummaries"]
    assert {"StreamMode": "ON_DEMAND"} in [one["StreamModeDetails"] for one in listed]
    after = client.describe_limits()
    assert after["OnDemandStreamCount"] == before["OnDemandStreamCount"] + 1
    assert after["OpenShardCount"] == before["OpenShardCount"]
    scale = {"TargetShardCount": 2, "ScalingType": "UNIFORM_SCALING"}
    assert "ON_DEMAND" in refused("ValidationException", client.update_shard_count, StreamName=name, **scale)
    split = {"ShardToSplit": FIRST, "NewStartingHashKey": "1000"}
    refused("ValidationException", client.split_shard, StreamName=name, **split)
    arn = summary(client, name)["StreamARN"]
    client.update_stream_mode(StreamARN=arn, StreamModeDetails={"StreamMode": "PROVISIONED"})
    client.split_shard(StreamName=name, **split)
    client.update_stream_mode(StreamARN=arn, StreamModeDetails={"StreamMode": "ON_DEMAND"})
    assert summary(client, name)["StreamModeDetails"] == {"StreamMode": "ON_DEMAND"}


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"ShardCount": 1, "StreamModeDetails": {"StreamMode": "ON_DEMAND"}},
        {"ShardCount": 1, "RecordDistributionStrategy": "AUTO"},
        {"ShardCount": 1, "WarmThroughputMiBps": 10},
    ],
)
def test_settings_that_do_not_go_together_are_refused(client: Any, settings: dict[str, Any]) -> None:
    """And so is what the fake does not have; no stream is made."""
    refused("InvalidArgumentException", client.create_stream, StreamName="refused", **settings)
    refused("ResourceNotFoundException", client.describe_stream, StreamName="refused")


def test_records_are_as_large_as_the_stream_is_set_to(client: Any, created: Make) -> None:
    """One MiB unless it is set, ten at most."""
    name = created(ShardCount=1, MaxRecordSizeInKiB=2048)
    assert summary(client, name)["MaxRecordSizeInKiB"] == 2048
    put = {"StreamName": name, "PartitionKey": "k"}
    client.put_record(Data=bytes(2048 * 1024 - 1), **put)
    refused("ValidationException", client.put_record, Data=bytes(2048 * 1024), **put)
    arn = summary(client, name)["StreamARN"]
    client.update_max_record_size(StreamARN=arn, MaxRecordSizeInKiB=1024)
    refused("ValidationException", client.put_record, Data=bytes(1024 * 1024), **put)
    resize = client.update_max_record_size
    refused("ValidationException", resize, StreamARN=arn, MaxRecordSizeInKiB=10_241)


def test_a_stream_may_distribute_records_itself(client: Any, created: Make) -> None:
    """Keys and hash keys decide nothing then; a record has the key that it was given, or none."""
    name = created(StreamModeDetails={"StreamMode": "ON_DEMAND"}, RecordDistributionStrategy="AUTO")
    assert summary(client, name)["RecordDistributionStrategy"] == "AUTO"
    records: list[dict[str, Any]] = [{"Data": b"%d" % n, "PartitionKey": "k"} for n in range(4)]
    records += [{"Data": b"%d" % n} for n in range(4, 8)]
    response = client.put_records(StreamName=name, Records=records)
    assert len({one["ShardId"] for one in response["Records"]}) == 4
    shards = [shard["ShardId"] for shard in client.list_shards(StreamName=name)["Shards"]]
    found = {one["Data"]: one.get("PartitionKey") for shard in shards for one in read(client, name, shard)}
    assert found == {b"%d" % n: "k" if n < 4 else None for n in range(8)}
    arn = summary(client, name)["StreamARN"]
    update = client.update_stream_record_distribution_strategy
    update(StreamARN=arn, RecordDistributionStrategy="USER_PARTITION_KEY")
    message = refused("ValidationException", client.put_records, StreamName=name, Records=records)
    assert "records.5.member.partitionKey" in message


def test_a_provisioned_stream_distributes_by_key(client: Any, stream: Make) -> None:
    """AUTO needs a stream on demand, and a key is not optional without it."""
    name = stream()
    arn = summary(client, name)["StreamARN"]
    update = client.update_stream_record_distribution_strategy
    refused("InvalidArgumentException", update, StreamARN=arn, RecordDistributionStrategy="AUTO")
    assert "'partitionKey'" in refused("ValidationException", client.put_record, StreamName=name, Data=b"")


def test_encryption_shows_where_aws_shows_it(client: Any, stream: Make) -> None:
    """Answers and records have the member only while the stream is encrypted, its description always."""
    name = stream()
    put = {"StreamName": name, "PartitionKey": "k"}
    records = [{"Data": b"2", "PartitionKey": "k"}]
    assert "EncryptionType" not in client.put_record(Data=b"1", **put)
    assert "EncryptionType" not in client.put_records(StreamName=name, Records=records)
    assert summary(client, name)["EncryptionType"] == "NONE"
    kms = {"StreamName": name, "EncryptionType": "KMS", "KeyId": "alias/aws/kinesis"}
    client.start_stream_encryption(**kms)
    client.start_stream_encryption(**{**kms, "KeyId": "alias/other"})
    described = client.describe_stream(StreamName=name)["StreamDescription"]
    assert (described["EncryptionType"], described["KeyId"]) == ("KMS", "alias/other")
    assert client.put_record(Data=b"3", **put)["EncryptionType"] == "KMS"
    assert client.put_records(StreamName=name, Records=records)["EncryptionType"] == "KMS"
    client.stop_stream_encryption(**kms)
    assert "EncryptionType" not in client.put_record(Data=b"5", **put)
    assert [one.get("EncryptionType") for one in read(client, name)] == [None, None, "KMS", "KMS", None]
    refused("InvalidArgumentException", client.start_stream_encryption, **{**kms, "EncryptionType": "NONE"})


def test_a_name_and_an_arn_have_to_be_of_one_stream(client: Any, stream: Make) -> None:
    """One that does not match, another account's, and one of no stream are refused."""
    name = stream()
    arn = summary(client, name)["StreamARN"]
    client.describe_stream(StreamName=name, StreamARN=arn)
    refused("InvalidArgumentException", client.describe_stream, StreamName="other", StreamARN=arn)
    elsewhere = arn.replace(":000000000000:", ":123456789012:")
    refused("ResourceNotFoundException", client.describe_stream, StreamARN=elsewhere)
    refused("ValidationException", client.describe_stream, StreamARN="stream/orders")


def test_a_time_of_creation_has_to_be_the_streams(client: Any, stream: Make) -> None:
    """It tells a stream from an earlier one of its name."""
    name = stream()
    created = summary(client, name)["StreamCreationTimestamp"]
    assert client.list_shards(StreamName=name, StreamCreationTimestamp=created)["Shards"]
    refused("InvalidArgumentException", client.list_shards, StreamName=name, StreamCreationTimestamp=1)
