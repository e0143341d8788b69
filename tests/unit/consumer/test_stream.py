"""A stream is named by its name or its ARN, and an ARN is kept to."""

import pytest

from orderstream.testing import FakeKinesis
from orderstream_consumer import OtherStreamError
from orderstream_consumer.consumer.stream import ConsumedName


def test_an_arn_gives_name_and_region() -> None:
    """So it can be consumed without a further setting."""
    named = ConsumedName.of("arn:aws:kinesis:eu-west-1:123456789012:stream/orders")
    assert (named.name, named.region) == ("orders", "eu-west-1")


def test_a_stream_of_another_account_is_refused() -> None:
    """The client would read another stream of that name with our leases."""
    client = FakeKinesis(account="000000000000", region="us-east-1").client()
    client.create_stream(StreamName="orders", ShardCount=1)
    mine = ConsumedName.of("arn:aws:kinesis:us-east-1:000000000000:stream/orders")
    assert mine.identity(client, ordered=True).arn == mine.arn
    other = ConsumedName.of("arn:aws:kinesis:us-east-1:999999999999:stream/orders")
    with pytest.raises(OtherStreamError, match="999999999999"):
        other.identity(client, ordered=True)
