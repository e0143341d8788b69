"""Records: how they are put, and how they are read."""

from collections.abc import Callable
from hashlib import md5
from typing import Any

import pytest
from botocore.exceptions import ClientError

MIB = 1024 * 1024
FIRST = "shardId-000000000000"
Make = Callable[..., str]


def refused(code: str, call: Callable[..., Any], **request: Any) -> str:
    """Hold a call to an error and return the error's message."""
    with pytest.raises(ClientError) as caught:
        call(**request)
    assert caught.value.response["Error"]["Code"] == code
    return str(caught.value.response["Error"]["Message"])


def iterator(client: Any, name: str, kind: str = "TRIM_HORIZON", shard: str = FIRST, **more: Any) -> str:
    request = {"StreamName": name, "ShardId": shard, "ShardIteratorType": kind}
    return str(client.get_shard_iterator(**request, **more)["ShardIterator"])


def read(client: Any, name: str, kind: str, **more: Any) -> list[bytes]:
    """The payloads one GetRecords gives from an iterator."""
    response = client.get_records(ShardIterator=iterator(client, name, kind, **more))
    return [record["Data"] for record in response["Records"]]


def put(client: Any, name: str, *payloads: bytes) -> list[str]:
    """Put payloads one by one and return their sequence numbers."""
    request = {"StreamName": name, "PartitionKey": "order"}
    return [client.put_record(Data=data, **request)["SequenceNumber"] for data in payloads]


def test_a_record_comes_back_as_it_was_put(client: Any, stream: Make) -> None:
    """Payload, partition key, sequence number and arrival are those of the put."""
    name = stream()
    data = bytes(range(256))
    response = client.put_record(StreamName=name, Data=data, PartitionKey="Ærø-7")
    assert response["ShardId"] == FIRST
    (record,) = client.get_records(ShardIterator=iterator(client, name))["Records"]
    assert (record["Data"], record["PartitionKey"]) == (data, "Ærø-7")
    assert record["SequenceNumber"] == response["SequenceNumber"]
    assert len(response["SequenceNumber"]) == 56


@pytest.mark.parametrize("kind", [str, bytearray])
def test_payloads_may_be_whatever_boto3_takes(client: Any, stream: Make, kind: type) -> None:
    """A text is put as UTF-8, a bytearray as its bytes."""
    name = stream()
    data: Any = "Grüße" if kind is str else bytearray("Grüße".encode())
    client.put_records(StreamName=name, Records=[{"Data": data, "PartitionKey": "a"}])
    assert read(client, name, "TRIM_HORIZON") == ["Grüße".encode()]


def test_a_record_goes_where_its_key_belongs(client: Any, stream: Make) -> None:
    """MD5 of the partition key, or the explicit hash key, picks the shard."""
    name = stream(4)
    records: list[dict[str, Any]] = [{"Data": b"x", "PartitionKey": f"order-{n}"} for n in range(20)]
    records.append({"Data": b"x", "PartitionKey": "order-0", "ExplicitHashKey": str(2**128 - 1)})
    response = client.put_records(StreamName=name, Records=records)
    assert response["FailedRecordCount"] == 0
    digests = [md5(record["PartitionKey"].encode()).digest()[0] // 64 for record in records[:-1]]
    assert [int(result["ShardId"][-1]) for result in response["Records"]] == [*digests, 3]


def test_records_are_read_in_order_and_in_pages(client: Any, stream: Make) -> None:
    """Each page carries on after the one before, and the last is not behind."""
    name = stream()
    payloads = [b"%d" % number for number in range(5)]
    put(client, name, *payloads)
    page = client.get_records(ShardIterator=iterator(client, name), Limit=3)
    assert page["MillisBehindLatest"] > 0
    rest = client.get_records(ShardIterator=page["NextShardIterator"], Limit=3)
    assert rest["MillisBehindLatest"] == 0
    assert [record["Data"] for record in page["Records"] + rest["Records"]] == payloads
    assert client.get_records(ShardIterator=rest["NextShardIterator"])["Records"] == []


def test_iterators_start_where_their_type_says(client: Any, stream: Make) -> None:
    """Each of the five types."""
    name = stream()
    numbers = put(client, name, b"a", b"b", b"c")
    assert read(client, name, "TRIM_HORIZON") == [b"a", b"b", b"c"]
    assert read(client, name, "AT_SEQUENCE_NUMBER", StartingSequenceNumber=numbers[1]) == [b"b", b"c"]
    assert read(client, name, "AFTER_SEQUENCE_NUMBER", StartingSequenceNumber=numbers[1]) == [b"c"]
    created = client.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]
    since = created["StreamCreationTimestamp"]
    assert read(client, name, "AT_TIMESTAMP", Timestamp=since) == [b"a", b"b", b"c"]
    latest = iterator(client, name, "LATEST")
    put(client, name, b"d")
    assert [record["Data"] for record in client.get_records(ShardIterator=latest)["Records"]] == [b"d"]


def test_bad_iterators_are_refused(client: Any, stream: Make) -> None:
    """What an iterator needs has to be there and to be ours."""
    name = stream()
    get = client.get_shard_iterator
    request = {"StreamName": name, "ShardId": FIRST}
    for kind in ("AT_SEQUENCE_NUMBER", "AFTER_SEQUENCE_NUMBER", "AT_TIMESTAMP"):
        refused("InvalidArgumentException", get, ShardIteratorType=kind, **request)
    refused(
        "InvalidArgumentException",
        get,
        ShardIteratorType="AT_SEQUENCE_NUMBER",
        StartingSequenceNumber="7",
        **request,
    )
    refused("ValidationException", get, ShardIteratorType="SOMEWHERE", **request)
    missing = {"StreamName": name, "ShardId": "shardId-000000000009"}
    refused("ResourceNotFoundException", get, ShardIteratorType="LATEST", **missing)
    refused("InvalidArgumentException", client.get_records, ShardIterator="AAAA")
    refused("ValidationException", client.get_records, ShardIterator=iterator(client, name), Limit=10_001)


def test_an_iterator_has_what_its_type_needs_and_nothing_else(client: Any, stream: Make) -> None:
    """A sequence number beside LATEST, or a time to come, is refused."""
    name = stream()
    (number,) = put(client, name, b"a")
    get = client.get_shard_iterator
    request = {"StreamName": name, "ShardId": FIRST}
    for kind in ("LATEST", "TRIM_HORIZON"):
        beside: dict[str, Any]
        for beside in ({"StartingSequenceNumber": number}, {"Timestamp": 0}):
            wrong = {"ShardIteratorType": kind, **beside, **request}
            assert next(iter(beside)) in refused("InvalidArgumentException", get, **wrong)
    future = {"ShardIteratorType": "AT_TIMESTAMP", "Timestamp": "2100-01-01T00:00:00Z"}
    assert "greater than" in refused("InvalidArgumentException", get, **future, **request)
    past = {"ShardIteratorType": "AT_TIMESTAMP", "Timestamp": "2001-01-01T00:00:00+02:00"}
    assert get(**past, **request)["ShardIterator"]


def test_sequence_numbers_are_those_of_one_stream(client: Any) -> None:
    """A checkpoint of an earlier stream of the same name is refused, not taken for a position in this one."""
    client.create_stream(StreamName="again", ShardCount=1)
    (old,) = put(client, "again", b"a")
    client.delete_stream(StreamName="again")
    client.create_stream(StreamName="again", ShardCount=1)
    _, new = put(client, "again", b"a", b"b")
    request = {"StreamName": "again", "ShardId": FIRST, "ShardIteratorType": "AFTER_SEQUENCE_NUMBER"}
    get = client.get_shard_iterator
    message = refused("InvalidArgumentException", get, StartingSequenceNumber=old, **request)
    assert "did not come from this stream" in message
    get(StartingSequenceNumber=new, **request)
    ordered = {"StreamName": "again", "Data": b"c", "PartitionKey": "k"}
    client.put_record(SequenceNumberForOrdering=new, **ordered)
    for number in (old, "7", str(int(new) + 1_000)):
        refused("InvalidArgumentException", client.put_record, SequenceNumberForOrdering=number, **ordered)
    client.delete_stream(StreamName="again")


def test_a_token_stands_alone(client: Any, stream: Make) -> None:
    """Whatever else names or narrows the listing is refused by its name; a page size is not."""
    name = stream(3)
    page = client.list_shards(StreamName=name, MaxResults=1)
    arn = client.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]["StreamARN"]
    for member, value in {
        "StreamName": name,
        "StreamARN": arn,
        "ShardFilter": {"Type": "AT_LATEST"},
        "ExclusiveStartShardId": FIRST,
        "StreamCreationTimestamp": 1,
    }.items():
        more = {"NextToken": page["NextToken"], member: value}
        assert member in refused("InvalidArgumentException", client.list_shards, **more)
    assert len(client.list_shards(NextToken=page["NextToken"], MaxResults=2)["Shards"]) == 2


def test_an_iterator_dies_with_its_stream(client: Any) -> None:
    """A new stream of the same name does not take over the old one's iterators."""
    client.create_stream(StreamName="reborn", ShardCount=1)
    old = iterator(client, "reborn")
    client.delete_stream(StreamName="reborn")
    refused("ResourceNotFoundException", client.get_records, ShardIterator=old)
    client.create_stream(StreamName="reborn", ShardCount=1)
    refused("InvalidArgumentException", client.get_records, ShardIterator=old)
    client.delete_stream(StreamName="reborn")


def test_a_closed_shard_ends_in_its_children(client: Any, stream: Make) -> None:
    """With its last record a closed shard names its children and has no further iterator."""
    name = stream()
    put(client, name, b"a", b"b")
    client.split_shard(StreamName=name, ShardToSplit=FIRST, NewStartingHashKey=str(2**127))
    page = client.get_records(ShardIterator=iterator(client, name), Limit=1)
    assert "ChildShards" not in page
    end = client.get_records(ShardIterator=page["NextShardIterator"], Limit=1)
    assert [record["Data"] for record in end["Records"]] == [b"b"]
    assert end.get("NextShardIterator") is None
    assert [child["ShardId"][-1] for child in end["ChildShards"]] == ["1", "2"]
    assert all(child["ParentShards"] == [FIRST] for child in end["ChildShards"])
    empty = client.get_records(ShardIterator=iterator(client, name, "LATEST"))
    assert (empty["Records"], len(empty["ChildShards"])) == ([], 2)


def test_a_merged_child_names_both_parents(client: Any, stream: Make) -> None:
    """Whoever reads either parent to its end learns of the one child and of both its parents."""
    name = stream(2)
    second = "shardId-000000000001"
    client.merge_shards(StreamName=name, ShardToMerge=FIRST, AdjacentShardToMerge=second)
    for parent in (FIRST, second):
        response = client.get_records(ShardIterator=iterator(client, name, shard=parent))
        (child,) = response["ChildShards"]
        assert sorted(child["ParentShards"]) == [FIRST, second]


def test_records_have_a_largest_size(client: Any, stream: Make) -> None:
    """Data and partition key together may have 1 MiB."""
    name = stream()
    request = {"StreamName": name, "PartitionKey": "key"}
    refused("ValidationException", client.put_record, Data=bytes(MIB - 2), **request)
    client.put_record(Data=bytes(MIB - 3), **request)


def test_requests_have_a_largest_size(client: Any, stream: Make) -> None:
    """500 records and 10 MiB fit into a PutRecords, and none at all does not."""
    name = stream()
    small, large = {"Data": b"", "PartitionKey": "a"}, {"Data": bytes(MIB - 1), "PartitionKey": "a"}
    assert client.put_records(StreamName=name, Records=[small] * 500)["FailedRecordCount"] == 0
    refused("ValidationException", client.put_records, StreamName=name, Records=[small] * 501)
    refused(
        "ValidationException",
        client.put_records,
        StreamName=name,
        Records=[large, small, {**large, "Data": bytes(MIB)}],
    )
    refused("InvalidArgumentException", client.put_records, StreamName=name, Records=[large] * 10 + [small])


def test_keys_have_bounds(client: Any, stream: Make) -> None:
    """A partition key has at most 256 characters, a hash key at most 128 bits."""
    name = stream()
    request = {"StreamName": name, "Data": b""}
    client.put_record(PartitionKey="é" * 256, **request)
    refused("ValidationException", client.put_record, PartitionKey="é" * 257, **request)
    refused(
        "InvalidArgumentException",
        client.put_record,
        PartitionKey="a",
        ExplicitHashKey=str(2**128),
        **request,
    )
    for key in ("-1", "007", "1.0", "", "\u0661"):
        message = refused(
            "ValidationException", client.put_record, PartitionKey="a", ExplicitHashKey=key, **request
        )
        assert "'explicitHashKey'" in message


def test_a_full_shard_refuses(client: Any, stream: Make) -> None:
    """Past a shard's second, PutRecords fails record by record and PutRecord as a call."""
    name = stream()
    large = {"Data": bytes(MIB - 1), "PartitionKey": "a"}
    response = client.put_records(StreamName=name, Records=[large] * 3)
    assert response["FailedRecordCount"] == 2
    first, *others = response["Records"]
    assert "SequenceNumber" in first
    assert {other["ErrorCode"] for other in others} == {"ProvisionedThroughputExceededException"}
    assert all(FIRST in other["ErrorMessage"] for other in others)
    refused("ProvisionedThroughputExceededException", client.put_record, StreamName=name, **large)


def test_a_shard_is_read_so_often(client: Any, stream: Make) -> None:
    """A burst of GetRecords on one shard ends in a refusal."""
    start = iterator(client, stream())

    def read_often() -> None:
        for _ in range(50):
            client.get_records(ShardIterator=start)

    with pytest.raises(client.exceptions.ProvisionedThroughputExceededException):
        read_often()
