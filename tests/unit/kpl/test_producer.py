"""The threaded shell, over a client that keeps everything in memory."""

import threading

import pytest

from fakes.kpl import TinyClient, client_error
from fakes.producers import WAIT, producer_on
from orderstream import (
    BufferFullError,
    Delivery,
    DeliveryFailedError,
    Producer,
    UserRecord,
    WaitInCallbackError,
)

ROOM_FOR_ONE = {"record_max_bytes": 300_000, "buffered_bytes": 300_000}


def test_a_record_is_delivered_and_tells_where(client: TinyClient, producer: Producer) -> None:
    """Put hands back a handle whose result is the record's position in the stream."""
    delivered = producer.put(b"data", "key").result(WAIT)
    taken = client.kinesis.log[int(delivered.sequence_number)]
    assert taken.shard_id == delivered.shard_id
    assert taken.user_records[delivered.subsequence_number][0] == b"data"
    assert len(delivered.attempts) == 1


def test_an_explicit_hash_key_decides_the_shard(client: TinyClient, producer: Producer) -> None:
    """The partition key keeps its meaning, the shard comes from the hash key."""
    assert producer.put(b"data", "key", explicit_hash_key=0).result(WAIT).shard_id == "shardId-000000000000"
    assert producer.put(b"data", "key", 2**128 - 1).result(WAIT).shard_id == "shardId-000000000003"


def test_many_records_from_many_threads_all_arrive_in_order(client: TinyClient, producer: Producer) -> None:
    """Each thread's records of one key appear in the order it put them."""

    def put(thread: int) -> None:
        producer.put_many((b"%d %d" % (thread, number), f"key-{thread}") for number in range(500))

    threads = [threading.Thread(target=put, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(WAIT)
    assert producer.flush(WAIT) == 0
    assert len(client.payloads) == 4000
    for thread_number in range(8):
        mine = [data for data in client.payloads if data.startswith(b"%d " % thread_number)]
        assert mine == [b"%d %d" % (thread_number, number) for number in range(500)]


def test_a_failed_call_is_made_again(client: TinyClient, producer: Producer) -> None:
    """The caller sees one delivery, with both attempts."""
    client.failures = [client_error("InternalFailure", 500)]
    delivered = producer.put(b"data", "key").result(WAIT)
    assert [attempt.error_code for attempt in delivered.attempts] == ["InternalFailure", None]


def test_a_permanent_failure_fails_the_delivery(client: TinyClient, producer: Producer) -> None:
    """What cannot succeed is told to whoever waits."""
    client.failures = [client_error("AccessDeniedException")]
    delivery = producer.put(b"data", "key")
    with pytest.raises(DeliveryFailedError, match="AccessDenied") as caught:
        delivery.result(WAIT)
    assert len(caught.value.attempts) == 1


def test_a_full_buffer_raises_if_configured(client: TinyClient) -> None:
    """Back-pressure as an error, with room again after the acknowledgement."""
    with producer_on(client, when_full="raise", **ROOM_FOR_ONE) as producer:
        client.gate.clear()
        delivery = producer.put(bytes(200_000), "key")
        with pytest.raises(BufferFullError):
            producer.put(bytes(200_000), "key")
        client.gate.set()
        delivery.result(WAIT)
        assert producer.flush(WAIT) == 0
        producer.put(bytes(200_000), "key").result(WAIT)


def test_a_full_buffer_blocks_by_default(client: TinyClient) -> None:
    """The caller waits for room and loses nothing."""
    limits = {**ROOM_FOR_ONE, "bytes_per_second_per_shard": 1e9}
    with producer_on(client, **limits) as producer:
        deliveries = producer.put_many((bytes(200_000), f"key-{number}") for number in range(10))
    assert all(delivery.exception() is None for delivery in deliveries)


def test_a_callback_may_put_again(client: TinyClient, producer: Producer) -> None:
    """Callbacks run in the producer's thread, and may hand it more."""
    following: list[Delivery] = []
    done = threading.Event()

    def put_next(delivery: Delivery) -> None:
        following.append(producer.put(b"second", "key"))
        done.set()

    producer.put(b"first", "key").add_done_callback(put_next)
    assert done.wait(WAIT)
    following[0].result(WAIT)
    assert client.payloads == [b"first", b"second"]


def test_many_may_have_hash_keys_and_what_was_handed_back_may_be_put_again(
    client: TinyClient, producer: Producer
) -> None:
    """put_many takes what put takes, and what close returns."""
    records = [(b"1", "key", 2**128 - 1), (b"2", "key", None), UserRecord("key", b"3", 0)]
    deliveries = producer.put_many(records)
    assert [delivery.record for delivery in deliveries] == [
        UserRecord("key", b"1", 2**128 - 1),
        UserRecord("key", b"2"),
        UserRecord("key", b"3", 0),
    ]
    assert deliveries[0].result(WAIT).shard_id == "shardId-000000000003"
    assert deliveries[2].result(WAIT).shard_id == "shardId-000000000000"


def test_a_producer_says_which_stream_and_what_waits(client: TinyClient, producer: Producer) -> None:
    """Its representation is for people who debug."""
    assert repr(producer) == "<Producer for stream orders, records that wait: 0 (0 of 33554432 bytes)>"
    producer.close()
    assert repr(producer) == "<Producer for stream orders, closed>"


def test_a_callback_that_would_wait_for_its_own_thread_gets_an_error(
    client: TinyClient, producer: Producer
) -> None:
    """Flush, close and the result of another delivery raise where they would wait forever."""
    refused: list[str] = []
    done = threading.Event()

    def wait_for_everything(_: Delivery) -> None:
        for operation in (producer.flush, producer.close, producer.put(b"more", "key").result):
            try:
                operation(WAIT)
            except WaitInCallbackError as error:
                refused.append(error.operation)
        done.set()

    producer.put(b"data", "key").add_done_callback(wait_for_everything)
    assert done.wait(WAIT)
    assert refused == ["flush", "close", "result"]
    assert producer.flush(WAIT) == 0


def test_records_beyond_a_mebibyte_pass_where_the_stream_allows_them() -> None:
    """With the one setting raised, a record of 10 MiB goes out alone; its neighbours travel together."""
    client = TinyClient()
    limits = {"record_max_bytes": 10 * 2**20}
    with producer_on(client, **limits, buffered_bytes=64 * 2**20, bytes_per_second_per_shard=1e9) as producer:
        large = bytes(10 * 2**20 - 3)
        deliveries = producer.put_many([(b"1", "key"), (b"2", "key"), (large, "key"), (b"3", "key")])
    assert client.payloads == [b"1", b"2", large, b"3"]
    assert all(delivery.exception() is None for delivery in deliveries)
