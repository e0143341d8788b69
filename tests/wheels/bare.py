"""Used in a clean environment: what the SDK does without any extra."""

import importlib.resources
import subprocess
import sys

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
        assert "'orderstream[zstd]'" in refusal_of_compression(producer)
        assert [record.data for record in kinesis.user_records("orders")] == [b"placed"]
    assert "'orderstream[testing]'" in refusal_to_serve()


def refusal_of_compression(producer: Producer) -> str:
    """What is said to whoever asks for an extra that is not installed."""
    try:
        EventPublisher(producer, source="shop", compression="zstd")
    except MissingExtraError as error:
        return str(error)
    return ""


def refusal_to_serve() -> str:
    """What the served fake says where nothing is installed to serve with."""
    command = [sys.executable, "-I", "-m", "orderstream.testing.server", "--port", "1"]
    return subprocess.run(command, capture_output=True, text=True, check=False).stderr


main()
