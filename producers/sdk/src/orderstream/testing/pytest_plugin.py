"""Fixtures for the tests of applications; pytest finds them by itself where orderstream is installed."""

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from orderstream.testing import FakeKinesis


@pytest.fixture
def fake_kinesis() -> "FakeKinesis":
    """Give a Kinesis in the process with one stream, ``orders``, of two shards.

    Hand ``fake_kinesis.client()`` to whatever wants a boto3 client of Kinesis; ``fake_kinesis.faults``
    brings trouble, and ``fake_kinesis.user_records("orders")`` shows what was put.
    """
    # Late: pytest loads this module at every start, tests of Kinesis or not.
    from orderstream.testing import FakeKinesis  # noqa: PLC0415

    kinesis = FakeKinesis()
    kinesis.client().create_stream(StreamName="orders", ShardCount=2)
    return kinesis
