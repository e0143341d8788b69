"""What the producer's two calls make of odd responses: they are made again, unless Kinesis itself refuses."""

from collections.abc import Iterator

import pytest

from hostile.responses import Odd, Wire, members, outages
from hostile.server import HostileServer
from orderstream import ProducerConfig
from orderstream.producer.core.kinesis_record import KinesisRecord
from orderstream.producer.core.messages import MapFailed, RequestFailed, SendPutRecords
from orderstream.producer.outcome import Completion, Failure
from orderstream.producer.requests.sender import Sender
from orderstream.producer.requests.target import Target, kinesis_client

ENTRY = KinesisRecord([], b"data", "key", None, aggregated=False, user_bytes=7, completion=Completion())
ODD = (*outages(Wire.JSON), *members(Wire.JSON, "Records", "Shards", "NextToken"))
# urllib3 leaves the sockets of some broken responses to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

FINAL = ("AccessDenied", "OptInRequired")
"""Kinesis' own statements that another call cannot change."""


@pytest.fixture(scope="module")
def server() -> Iterator[HostileServer]:
    with HostileServer() as server:
        yield server


@pytest.fixture(scope="module")
def sender(server: HostileServer) -> Iterator[Sender]:
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("AWS_ACCESS_KEY_ID", "testing")
        environment.setenv("AWS_SECRET_ACCESS_KEY", "testing")
        config = ProducerConfig(region_name="eu-west-1", endpoint_url=server.url, read_timeout=0.5)
        client = kinesis_client(config)
        yield Sender(client, Target("orders", client))
        client.close()


@pytest.mark.parametrize("odd", ODD, ids=str)
def test_each_call_comes_back_as_an_input_and_loses_nothing(
    server: HostileServer, sender: Sender, odd: Odd
) -> None:
    """No response ends the thread that reads it, and none but a refusal of Kinesis' own gives a record up."""
    server.say(odd)
    put = sender.put_records(SendPutRecords(1, [ENTRY]))
    listed = sender.list_shards()
    failure = put.failure if isinstance(put, RequestFailed) else put.results[0]
    assert isinstance(failure, Failure)
    assert failure.retryable is not odd.name.startswith(FINAL)
    if isinstance(listed, MapFailed):
        assert listed.failure.retryable is not odd.name.startswith(FINAL)
    else:
        # An empty list is a list; without shards there is no map, and it is asked for again.
        assert listed.shards == []
