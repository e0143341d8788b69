"""Used in a clean environment: what the SDK does without any extra."""

import importlib.resources

from orderstream import EventPublisher, Producer, ProducerConfig
from orderstream.errors import MissingExtraError
from orderstream.testing import FakeKinesis


def main() -> None:
    """Put a record, and find out what is not there."""
    assert importlib.resources.files("orderstream").joinpath("py.typed").is_file()
    kinesis = FakeKinesis()
    kinesis.client().create_stream(StreamName="orders", ShardCount=2)
    config = ProducerConfig(region_name="eu-west-1")
    with Producer("orders", config=config, client=kinesis.client()) as producer:
        assert producer.put(b"placed", "order-42").result(timeout=30).shard_id
        assert "pip install 'orderstream[zstd]'" in refusal_of_compression(producer)


def refusal_of_compression(producer: Producer) -> str:
    """What is said to whoever asks for an extra that is not installed."""
    try:
        EventPublisher(producer, source="shop", compression="zstd")
    except MissingExtraError as error:
        return str(error)
    return ""


main()
