"""The producer through a real boto3 client and a real connection."""

from collections.abc import Iterator

import pytest

from fakes.kpl import TinyClient, client_error
from fakes.kpl_http import TinyServer, served
from orderstream import DeliveryFailedError, Producer, ProducerConfig

WAIT = 30.0


@pytest.fixture
def server() -> Iterator[TinyServer]:
    with served(TinyClient(shards=4)) as server:
        yield server


@pytest.fixture
def producer(server: TinyServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Producer]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    config = ProducerConfig(region_name="eu-west-1", endpoint_url=server.url, retry_base_delay=0.01)
    with Producer("orders", config=config) as producer:
        yield producer


def put_and_flush(producer: Producer, total: int) -> None:
    for number in range(total):
        producer.put(b"%d" % number, f"order-{number % 40}")
    assert producer.flush(WAIT) == 0


def test_records_arrive_over_the_wire(server: TinyServer, producer: Producer) -> None:
    """Payload and keys survive boto3's encoding, and the outcome names the position."""
    delivered = producer.put(b"\x00\xff", "schlüssel").result(WAIT)
    taken = server.client.kinesis.log[int(delivered.sequence_number)]
    assert (taken.shard_id, taken.user_records[0][0]) == (delivered.shard_id, b"\x00\xff")
    put_and_flush(producer, 1000)
    assert len(server.client.payloads) == 1001
    assert all(taken.visible for taken in server.client.kinesis.log)


def test_a_lost_response_is_asked_for_again_without_delay(server: TinyServer, producer: Producer) -> None:
    """A connection closed after the request was taken costs a duplicate, never a record."""
    server.responses_to_lose = 2
    delivered = producer.put(b"data", "key").result(WAIT)
    assert [attempt.error_code for attempt in delivered.attempts] == [
        "ConnectionClosedError",
        "ConnectionClosedError",
        None,
    ]
    assert server.client.payloads == [b"data"] * 3


def test_errors_of_kinesis_are_understood(server: TinyServer, producer: Producer) -> None:
    """A failure of the service is retried by the producer, not by boto3; a refusal is final."""
    server.client.failures = [client_error("InternalFailure", 500), client_error("AccessDeniedException")]
    delivery = producer.put(b"data", "key")
    with pytest.raises(DeliveryFailedError) as caught:
        delivery.result(WAIT)
    assert [attempt.error_code for attempt in caught.value.attempts] == [
        "InternalFailure",
        "AccessDeniedException",
    ]
    assert len(server.client.put_requests) == 2
    assert producer.put(b"data", "key").result(WAIT)


def test_a_split_under_way_drops_nothing(server: TinyServer, producer: Producer) -> None:
    """Aggregates that straddle new shards are sent again until consumers can see every record."""
    for turn in range(5):
        shard = server.client.kinesis.open[turn]
        put_and_flush(producer, 400)
        server.client.kinesis.split(shard, sum(shard.hash_range) // 2)
        put_and_flush(producer, 400)
    visible = [data for taken in server.client.kinesis.log if taken.visible for data, _ in taken.user_records]
    assert sorted(visible) == sorted([b"%d" % number for number in range(400)] * 10)
