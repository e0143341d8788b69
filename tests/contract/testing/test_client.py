"""What a boto3 client is beside its calls: the same in the process and over HTTP."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError, OperationNotPageableError, ParamValidationError

Make = Callable[..., str]


def test_its_paginators_page(client: Any, stream: Make) -> None:
    """ListStreams and DescribeStream are walked page by page, and cut to a number of items."""
    name = stream(5)
    pages = list(
        client.get_paginator("describe_stream").paginate(StreamName=name, PaginationConfig={"PageSize": 2})
    )
    assert [len(page["StreamDescription"]["Shards"]) for page in pages] == [2, 2, 1]
    described = client.get_paginator("describe_stream").paginate(
        StreamName=name, PaginationConfig={"PageSize": 2, "MaxItems": 3}
    )
    assert len(described.build_full_result()["StreamDescription"]["Shards"]) == 3
    listed = client.get_paginator("list_streams").paginate(PaginationConfig={"PageSize": 1})
    assert name in listed.build_full_result()["StreamNames"]


def test_botocores_paginator_of_shards_fails_beyond_a_page(client: Any, stream: Make) -> None:
    """It sends the stream beside the token, which Kinesis refuses: whoever lists shards pages by hand."""
    pages = client.get_paginator("list_shards").paginate(
        StreamName=stream(2), PaginationConfig={"PageSize": 1}
    )
    with pytest.raises(client.exceptions.InvalidArgumentException, match="StreamName"):
        list(pages)
    whole = client.get_paginator("list_shards").paginate(StreamName=stream(2))
    assert [len(page["Shards"]) for page in whole] == [2]


def test_it_tells_what_can_be_paged(client: Any) -> None:
    """As the service model says."""
    assert client.can_paginate("list_shards")
    assert not client.can_paginate("put_record")
    with pytest.raises(OperationNotPageableError):
        client.get_paginator("put_record")


def test_its_waiters_wait(client: Any, stream: Make) -> None:
    """A stream that is there, and one that is not, are waited for at once."""
    assert {"stream_exists", "stream_not_exists"} <= set(client.waiter_names)
    client.get_waiter("stream_exists").wait(StreamName=stream())
    client.get_waiter("stream_not_exists").wait(StreamName="nowhere")


def test_it_knows_where_it_is(client: Any) -> None:
    """Service, region, and the service model."""
    assert client.meta.region_name == "us-east-1"
    assert client.meta.service_model.service_name == "kinesis"
    assert client.meta.method_to_api_mapping["put_records"] == "PutRecords"


@pytest.mark.parametrize(
    ("method", "parameters", "told"),
    [
        ("put_record", {"StreamName": "s", "PartitionKey": "k"}, "Missing required parameter"),
        ("put_record", {"StreamName": "s", "Data": b"", "PartitionKey": 5}, "Invalid type for parameter"),
        ("put_record", {"StreamName": "s", "Data": b"", "PartitionKey": ""}, "valid min length: 1"),
        ("put_record", {"StreamName": "s", "Data": b"", "PartitonKey": "k"}, "Unknown parameter in input"),
        ("put_records", {"StreamName": "s", "Records": [{"Data": 1}]}, "Records[0].Data"),
        ("create_stream", {"StreamName": "s", "ShardCount": "1"}, "Invalid type for parameter ShardCount"),
        ("get_records", {"ShardIterator": "s", "Limit": 0}, "valid min value: 1"),
        ("list_shards", {"StreamName": None}, "value: None"),
    ],
)
def test_botocore_refuses_before_anything_is_sent(
    client: Any, method: str, parameters: dict[str, Any], told: str
) -> None:
    """Missing, unknown and mistyped parameters end in botocore's own report."""
    with pytest.raises(ParamValidationError) as refused:
        getattr(client, method)(**parameters)
    assert told in str(refused.value)


def test_what_is_no_method_is_none(client: Any) -> None:
    """Neither an operation of another service nor a positional argument."""
    with pytest.raises(AttributeError):
        client.get_item  # noqa: B018 - the attribute itself is asked for
    with pytest.raises(AttributeError):
        client.exceptions.NoSuchException  # noqa: B018 - as above
    with pytest.raises(TypeError, match="keyword"):
        client._client.list_streams(5)


def test_each_modelled_error_is_an_exception_of_its_own(client: Any) -> None:
    """And all are ClientErrors with operation, code and status."""
    with pytest.raises(client.exceptions.ResourceNotFoundException) as caught:
        client.list_shards(StreamName="nowhere")
    assert isinstance(caught.value, ClientError)
    assert caught.value.operation_name == "ListShards"
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400


@pytest.mark.parametrize(
    ("method", "parameters"),
    [
        ("list_channels", {}),
        ("describe_account_settings", {}),
    ],
)
def test_what_the_fake_does_not_have_is_refused_by_name(
    client: Any, method: str, parameters: dict[str, Any]
) -> None:
    """An operation of Kinesis that is missing says so, and does nothing in silence."""
    with pytest.raises(ClientError, match="is not supported by this fake") as refused:
        getattr(client, method)(**parameters)
    assert refused.value.response["Error"]["Code"] == "UnknownOperationException"


@pytest.mark.parametrize("name", ["bad name!", "n" * 129, "ümlaut", "a/b"])
def test_names_are_held_to_their_pattern(client: Any, name: str) -> None:
    """Letters, digits, dots, dashes and underscores, 128 at most."""
    with pytest.raises(ClientError, match="'streamName' failed to satisfy constraint") as refused:
        client.create_stream(StreamName=name, ShardCount=1)
    assert refused.value.response["Error"]["Code"] == "ValidationException"


def test_every_violation_is_named(client: Any) -> None:
    """One message counts and names them all."""
    with pytest.raises(ClientError, match="2 validation errors detected") as refused:
        client.put_records(
            StreamName="s",
            Records=[
                {"Data": b"", "PartitionKey": "k" * 257},
                {"Data": b"", "PartitionKey": "k"},
                {"Data": b"", "PartitionKey": "k", "ExplicitHashKey": "x"},
            ],
        )
    message = refused.value.response["Error"]["Message"]
    assert "records.1.member.partitionKey" in message
    assert "records.3.member.explicitHashKey" in message
