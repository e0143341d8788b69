"""The fixture for applications' own tests."""

from orderstream import Producer
from orderstream.testing import FakeKinesis


def test_the_fixture_comes_with_the_package(fake_kinesis: FakeKinesis) -> None:
    """Without an import or a conftest: a stream is there, and a producer may write to it."""
    with Producer("orders", client=fake_kinesis.client()) as producer:
        delivered = producer.put(b"data", "key").result(30)
    (record,) = fake_kinesis.records("orders", delivered.shard_id)
    assert (record.data, record.partition_key) == (b"data", "key")
