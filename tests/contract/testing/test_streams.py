"""Streams and shards as such: create, describe, list, reshard, retain."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

HASH_SPACE = 2**128
Make = Callable[..., str]


def refused(code: str, call: Callable[..., Any], **request: Any) -> str:
    """Hold a call to an error and return the error's message."""
    with pytest.raises(ClientError) as caught:
        call(**request)
    assert caught.value.response["Error"]["Code"] == code
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    return str(caught.value.response["Error"]["Message"])


def shard_ids(client: Any, **request: Any) -> list[int]:
    """The numbers of the shards a listing gives."""
    return [
        int(shard["ShardId"].removeprefix("shardId-")) for shard in client.list_shards(**request)["Shards"]
    ]


def test_a_new_stream_is_described(client: Any, stream: Make) -> None:
    """A stream is ACTIVE at once, provisioned, with a day's retention and the shards asked for."""
    name = stream(3)
    description = client.describe_stream(StreamName=name)["StreamDescription"]
    summary = client.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]
    assert description["StreamStatus"] == summary["StreamStatus"] == "ACTIVE"
    assert description["RetentionPeriodHours"] == summary["RetentionPeriodHours"] == 24
    assert description["StreamARN"].endswith(f"stream/{name}")
    assert summary["OpenShardCount"] == len(description["Shards"]) == 3
    assert description["StreamCreationTimestamp"].tzinfo is not None


def test_a_stream_is_found_by_its_arn(client: Any, stream: Make) -> None:
    """StreamARN stands for StreamName."""
    name = stream()
    arn = client.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]["StreamARN"]
    assert client.describe_stream_summary(StreamARN=arn)["StreamDescriptionSummary"]["StreamName"] == name
    assert shard_ids(client, StreamARN=arn) == [0]


def test_a_name_is_given_once(client: Any, stream: Make) -> None:
    """A second stream of one name is refused."""
    refused("ResourceInUseException", client.create_stream, StreamName=stream(), ShardCount=1)


def test_a_deleted_stream_is_gone(client: Any) -> None:
    """Whatever asks for a deleted stream hears that it is not found."""
    client.create_stream(StreamName="brief", ShardCount=1)
    client.delete_stream(StreamName="brief")
    for call in (
        client.describe_stream,
        client.describe_stream_summary,
        client.delete_stream,
        client.list_shards,
    ):
        assert "brief" in refused("ResourceNotFoundException", call, StreamName="brief")


def test_the_boto3_exception_of_an_error_is_raised(client: Any) -> None:
    """Callers can catch an error by ``client.exceptions``."""
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.describe_stream(StreamName="nowhere")


def test_a_request_that_names_no_stream_is_refused(client: Any) -> None:
    """StreamName or StreamARN has to be there."""
    refused("InvalidArgumentException", client.list_shards)


def test_streams_are_listed_in_pages(client: Any, stream: Make) -> None:
    """Every stream is listed once, by name, whatever the size of the page."""
    made = {stream() for _ in range(3)}
    listed: list[str] = []
    page = client.list_streams(Limit=1)
    while True:
        assert len(page["StreamNames"]) == len(page["StreamSummaries"]) == 1
        listed += page["StreamNames"]
        if not page["HasMoreStreams"]:
            break
        page = client.list_streams(Limit=1, NextToken=page["NextToken"])
    assert listed == sorted(listed)
    assert made <= set(listed)
    following = client.list_streams(ExclusiveStartStreamName=listed[0])["StreamNames"]
    assert following == listed[1:]


def test_shards_tile_the_hash_keys(client: Any, stream: Make) -> None:
    """The shards of a stream divide the hash keys evenly and leave no gap."""
    shards = client.list_shards(StreamName=stream(3))["Shards"]
    ranges = [shard["HashKeyRange"] for shard in shards]
    starts = [int(one["StartingHashKey"]) for one in ranges]
    assert starts[0] == 0
    assert [int(one["EndingHashKey"]) + 1 for one in ranges] == [*starts[1:], HASH_SPACE]
    assert all("EndingSequenceNumber" not in shard["SequenceNumberRange"] for shard in shards)


def test_shards_are_listed_in_pages(client: Any, stream: Make) -> None:
    """A page's token carries on where it ended, and stands alone."""
    name = stream(5)
    first = client.list_shards(StreamName=name, MaxResults=2)
    second = client.list_shards(NextToken=first["NextToken"], MaxResults=2)
    third = client.list_shards(NextToken=second["NextToken"], MaxResults=2)
    pages = [[shard["ShardId"][-1] for shard in page["Shards"]] for page in (first, second, third)]
    assert pages == [["0", "1"], ["2", "3"], ["4"]]
    assert "NextToken" not in third
    refused("InvalidArgumentException", client.list_shards, StreamName=name, NextToken=first["NextToken"])
    refused("InvalidArgumentException", client.list_shards, NextToken="no token of ours")
    assert shard_ids(client, StreamName=name, ExclusiveStartShardId="shardId-000000000003") == [4]


def test_described_shards_come_in_pages(client: Any, stream: Make) -> None:
    """DescribeStream pages by the last shard's id."""
    name = stream(3)
    first = client.describe_stream(StreamName=name, Limit=2)["StreamDescription"]
    assert first["HasMoreShards"]
    last = first["Shards"][-1]["ShardId"]
    second = client.describe_stream(StreamName=name, ExclusiveStartShardId=last)["StreamDescription"]
    assert not second["HasMoreShards"]
    assert [shard["ShardId"] for shard in second["Shards"]] == ["shardId-000000000002"]


def test_a_split_makes_two_children(client: Any, stream: Make) -> None:
    """The parent closes, and two children of its range follow it."""
    name = stream()
    middle = str(HASH_SPACE // 2)
    client.split_shard(StreamName=name, ShardToSplit="shardId-000000000000", NewStartingHashKey=middle)
    parent, low, high = client.list_shards(StreamName=name)["Shards"]
    assert int(parent["SequenceNumberRange"]["EndingSequenceNumber"]) < int(
        low["SequenceNumberRange"]["StartingSequenceNumber"]
    )
    assert low["ParentShardId"] == high["ParentShardId"] == parent["ShardId"]
    assert high["HashKeyRange"]["StartingHashKey"] == middle
    assert client.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]["OpenShardCount"] == 2


@pytest.mark.parametrize("at", [0, 1, HASH_SPACE - 1, HASH_SPACE])
def test_a_split_needs_a_boundary_inside(client: Any, stream: Make, at: int) -> None:
    """Kinesis wants more than one hash key above the start, and less than the end."""
    request = {"StreamName": stream(), "ShardToSplit": "shardId-000000000000", "NewStartingHashKey": str(at)}
    refused("InvalidArgumentException", client.split_shard, **request)


def test_a_merge_makes_one_child(client: Any, stream: Make) -> None:
    """Both parents close, and their child takes both ranges."""
    name = stream(2)
    first, second = "shardId-000000000000", "shardId-000000000001"
    client.merge_shards(StreamName=name, ShardToMerge=first, AdjacentShardToMerge=second)
    child = client.list_shards(StreamName=name)["Shards"][2]
    assert (child["ParentShardId"], child["AdjacentParentShardId"]) == (first, second)
    assert child["HashKeyRange"] == {"StartingHashKey": "0", "EndingHashKey": str(HASH_SPACE - 1)}


def test_only_open_neighbours_merge(client: Any, stream: Make) -> None:
    """Shards apart, closed or unknown are refused."""
    name = stream(3)
    ids = [f"shardId-{number:012d}" for number in (0, 1, 2)]
    merge = client.merge_shards
    refused(
        "InvalidArgumentException", merge, StreamName=name, ShardToMerge=ids[0], AdjacentShardToMerge=ids[2]
    )
    refused(
        "InvalidArgumentException", merge, StreamName=name, ShardToMerge=ids[0], AdjacentShardToMerge=ids[0]
    )
    merge(StreamName=name, ShardToMerge=ids[0], AdjacentShardToMerge=ids[1])
    refused(
        "InvalidArgumentException", merge, StreamName=name, ShardToMerge=ids[1], AdjacentShardToMerge=ids[2]
    )
    missing = "shardId-000000000099"
    refused(
        "ResourceNotFoundException", merge, StreamName=name, ShardToMerge=missing, AdjacentShardToMerge=ids[2]
    )


def test_the_count_is_updated_evenly(client: Any, stream: Make) -> None:
    """UNIFORM_SCALING ends with even open shards and says how many there were."""
    name = stream(2)
    request = {"StreamName": name, "ScalingType": "UNIFORM_SCALING"}
    response = client.update_shard_count(TargetShardCount=3, **request)
    assert (response["CurrentShardCount"], response["TargetShardCount"]) == (2, 3)
    opened = client.list_shards(StreamName=name, ShardFilter={"Type": "AT_LATEST"})["Shards"]
    starts = sorted(int(shard["HashKeyRange"]["StartingHashKey"]) for shard in opened)
    assert starts == [0, HASH_SPACE // 3, 2 * HASH_SPACE // 3]
    refused("InvalidArgumentException", client.update_shard_count, TargetShardCount=7, **request)
    refused("InvalidArgumentException", client.update_shard_count, TargetShardCount=1, **request)


def test_shards_are_filtered(client: Any, stream: Make) -> None:
    """Each filter gives the shards that the service model describes; nothing is past retention here."""
    name = stream(2)
    created = client.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"][
        "StreamCreationTimestamp"
    ]
    halves = {"ShardToMerge": "shardId-000000000000", "AdjacentShardToMerge": "shardId-000000000001"}
    client.merge_shards(StreamName=name, **halves)
    filters = {
        "AT_LATEST": [2],
        "AT_TRIM_HORIZON": [0, 1],
        "FROM_TRIM_HORIZON": [0, 1, 2],
    }
    found = {kind: shard_ids(client, StreamName=name, ShardFilter={"Type": kind}) for kind in filters}
    assert found == filters
    after = {"Type": "AFTER_SHARD_ID", "ShardId": "shardId-000000000000"}
    assert shard_ids(client, StreamName=name, ShardFilter=after) == [1, 2]
    at = {"Type": "AT_TIMESTAMP", "Timestamp": created}
    assert shard_ids(client, StreamName=name, ShardFilter=at) == [0, 1]
    since = {"Type": "FROM_TIMESTAMP", "Timestamp": created}
    assert shard_ids(client, StreamName=name, ShardFilter=since) == [0, 1, 2]
    refused(
        "InvalidArgumentException", client.list_shards, StreamName=name, ShardFilter={"Type": "AT_TIMESTAMP"}
    )


def test_retention_is_moved_within_its_bounds(client: Any, stream: Make) -> None:
    """A day to a year; raising does not lower, and lowering does not raise."""
    name = stream()
    raise_it, lower_it = client.increase_stream_retention_period, client.decrease_stream_retention_period
    raise_it(StreamName=name, RetentionPeriodHours=168)
    described = client.describe_stream(StreamName=name)["StreamDescription"]
    assert described["RetentionPeriodHours"] == 168
    refused("InvalidArgumentException", raise_it, StreamName=name, RetentionPeriodHours=100)
    refused("InvalidArgumentException", raise_it, StreamName=name, RetentionPeriodHours=8_761)
    refused("InvalidArgumentException", lower_it, StreamName=name, RetentionPeriodHours=200)
    refused("InvalidArgumentException", lower_it, StreamName=name, RetentionPeriodHours=23)
    lower_it(StreamName=name, RetentionPeriodHours=24)


def test_tags_are_kept(client: Any, stream: Make) -> None:
    """Tags are added, replaced, listed and removed."""
    name = stream()
    client.add_tags_to_stream(StreamName=name, Tags={"team": "orders", "stage": "test"})
    client.add_tags_to_stream(StreamName=name, Tags={"stage": "production"})
    client.remove_tags_from_stream(StreamName=name, TagKeys=["team", "unknown"])
    response = client.list_tags_for_stream(StreamName=name)
    assert response["Tags"] == [{"Key": "stage", "Value": "production"}]
    assert response["HasMoreTags"] is False


def test_an_operation_that_is_not_there_says_so(client: Any, stream: Make) -> None:
    """What the fake cannot do is refused under its name."""
    message = refused("UnknownOperationException", client.describe_account_settings)
    assert "DescribeAccountSettings" in message


def test_limits_count_the_open_shards_of_all_streams(client: Any, stream: Make) -> None:
    """What has been split is closed, and counts no more."""
    before = client.describe_limits()
    name = stream(2)
    shard = client.list_shards(StreamName=name)["Shards"][0]["ShardId"]
    client.split_shard(StreamName=name, ShardToSplit=shard, NewStartingHashKey="1000")
    after = client.describe_limits()
    assert after["OpenShardCount"] - before["OpenShardCount"] == 3
    assert after["ShardLimit"] == before["ShardLimit"]
