"""The threaded shell, over a client that keeps everything in memory."""

import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator

import pytest

from fakes.kpl import TinyClient, client_error
from orderstream import (
    BufferFullError,
    ConfigError,
    Delivery,
    DeliveryFailedError,
    HeldUpError,
    Producer,
    ProducerClosedError,
    ProducerConfig,
    RecordInvalidError,
    RecordTooLargeError,
    UnsentRecordsError,
    UserRecord,
    WaitInCallbackError,
)
from orderstream.kpl.codec import MAGIC

WAIT = 30.0

ROOM_FOR_ONE = {"record_max_bytes": 300_000, "buffered_bytes": 300_000}


def producer_on(client: TinyClient, **settings: object) -> Producer:
    return Producer("orders", client=client, config=ProducerConfig(**settings))


@pytest.fixture
def client() -> TinyClient:
    return TinyClient(shards=4)


@pytest.fixture
def producer(client: TinyClient) -> Iterator[Producer]:
    with producer_on(client) as producer:
        yield producer


def test_a_record_is_delivered_and_tells_where(client: TinyClient, producer: Producer) -> None:
    """Put hands back a handle whose result is the record's place in the stream."""
    delivered = producer.put(b"data", "key").result(WAIT)
    taken = client.kinesis.log[int(delivered.sequence_number)]
    assert taken.shard_id == delivered.shard_id
    assert taken.user_records[delivered.subsequence_number][0] == b"data"
    assert len(delivered.attempts) == 1


def test_an_explicit_hash_key_decides_the_shard(client: TinyClient, producer: Producer) -> None:
    """The partition key keeps its meaning, the place comes from the hash key."""
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


def test_flush_returns_what_is_still_on_its_way(client: TinyClient, producer: Producer) -> None:
    """A deadline that passes leaves the records where they are; a later flush sees them through."""
    client.gate.clear()
    delivery = producer.put(b"data", "key")
    assert producer.flush(timeout=0.0) == 1
    assert not delivery.done()
    client.gate.set()
    assert producer.flush(WAIT) == 0
    assert delivery.done()


def test_close_hands_back_what_was_not_acknowledged(client: TinyClient) -> None:
    """Payload and keys come back, and their deliveries fail: nothing is left open."""
    producer = producer_on(client)
    client.gate.clear()
    deliveries = producer.put_many([(b"1", "key"), (b"2", "key")])
    unsent = producer.close(timeout=0.0)
    assert [(record.data, record.partition_key) for record in unsent] == [(b"1", "key"), (b"2", "key")]
    assert all(isinstance(delivery.exception(WAIT), DeliveryFailedError) for delivery in deliveries)
    assert producer.close() == unsent
    client.gate.set()


def test_a_closed_producer_takes_nothing(client: TinyClient) -> None:
    """Put after close is an error of its own kind."""
    producer = producer_on(client)
    assert producer.close(WAIT) == ()
    with pytest.raises(ProducerClosedError):
        producer.put(b"data", "key")


def test_closing_while_others_put_leaves_nothing_open(client: TinyClient) -> None:
    """Whoever got a delivery gets its outcome, whoever came too late an error: the books balance."""
    producer = producer_on(client, buffered_bytes=2**20)
    deliveries: list[Delivery] = []

    def put_until_closed() -> None:
        try:
            while True:
                deliveries.append(producer.put(bytes(100), "key"))
        except ProducerClosedError:
            closed.append(1)

    closed: list[int] = []
    threads = [threading.Thread(target=put_until_closed) for _ in range(4)]
    for thread in threads:
        thread.start()
    producer.put(b"first", "key").result(WAIT)
    unsent = producer.close(timeout=0.0)
    for thread in threads:
        thread.join(WAIT)
    assert len(closed) == 4
    failed = [delivery for delivery in deliveries if delivery.exception(WAIT)]
    assert Counter(unsent) == Counter(delivery.record for delivery in failed)


def put_and_leave(producer: Producer, error: Exception | None = None) -> None:
    with producer:
        producer.put(b"data", "key")
        if error:
            raise error


def test_leaving_the_block_with_records_unsent_is_an_error(client: TinyClient) -> None:
    """Silence would look like delivery."""
    client.gate.clear()
    with pytest.raises(UnsentRecordsError) as caught:
        put_and_leave(producer_on(client, close_timeout=0.0))
    assert caught.value.count == 1
    client.gate.set()


def test_leaving_the_block_waits_for_the_acknowledgements(client: TinyClient) -> None:
    """The with block ends when all is delivered."""
    with producer_on(client, linger=60) as producer:
        delivery = producer.put(b"data", "key")
    assert delivery.done()


def test_an_error_in_the_block_is_not_hidden(client: TinyClient) -> None:
    """The application's own error comes first."""
    client.gate.clear()
    with pytest.raises(ZeroDivisionError):
        put_and_leave(producer_on(client, close_timeout=0.0), ZeroDivisionError())
    client.gate.set()


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


@pytest.mark.parametrize(
    ("data", "key", "hash_key", "field"),
    [
        (b"", "", None, "partition_key"),
        (b"", "k" * 257, None, "partition_key"),
        (b"", "\ud800", None, "partition_key"),
        (b"", "k", -1, "explicit_hash_key"),
        (b"", "k", 2**128, "explicit_hash_key"),
        ("text", "k", None, "data"),
        (b"", 42, None, "partition_key"),
        (b"", b"k", None, "partition_key"),
        (b"", None, None, "partition_key"),
        (b"", "k", "5", "explicit_hash_key"),
        (b"", "k", True, "explicit_hash_key"),
        (b"", "k", 5.0, "explicit_hash_key"),
    ],
)
def test_a_record_kinesis_could_not_take_is_refused_at_once(
    producer: Producer, data: bytes, key: str, hash_key: int | None, field: str
) -> None:
    """One bad record must not fail the request it would travel in."""
    with pytest.raises(RecordInvalidError) as caught:
        producer.put(data, key, hash_key)
    assert caught.value.field == field
    with pytest.raises(RecordInvalidError):
        producer.put_many([(data, key, hash_key)])


@pytest.mark.parametrize(
    ("data", "key", "text"),
    [
        (b"", 42, "it must be text of 1 to 256 characters, not a value of type int"),
        (b"", "k" * 257, "it must be 1 to 256 characters long, not 257"),
        ({}, "k", "it must be bytes, not a value of type dict"),
    ],
)
def test_a_refusal_says_what_was_found(producer: Producer, data: bytes, key: str, text: str) -> None:
    """The type, or the length; never the content, which may be personal."""
    with pytest.raises(RecordInvalidError, match=text):
        producer.put(data, key)


@pytest.mark.parametrize(
    ("record", "found"),
    [
        (None, "a value of type NoneType"),
        (7, "a value of type int"),
        (b"data", "a value of type bytes"),
        ((b"data",), "a tuple of 1"),
        ((b"data", "key", 0, 0), "a tuple of 4"),
        ({"data": b""}, "a value of type dict"),
    ],
    ids=repr,
)
def test_what_is_no_record_is_refused_by_its_form(producer: Producer, record: object, found: str) -> None:
    """Those before it are on their way, and none of them is lost."""
    with pytest.raises(RecordInvalidError, match=f"not {found}$"):
        producer.put_many([(b"before", "key"), record])
    assert producer.flush(WAIT) == 0


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


@pytest.mark.parametrize("stream", [None, "", "bad name!", "x" * 129, 7, "arn:aws:s3:::bucket"], ids=repr)
def test_what_is_no_stream_is_refused_at_once(client: TinyClient, stream: str) -> None:
    """An unset environment variable is the usual reason."""
    with pytest.raises(ConfigError, match="a stream's name"):
        Producer(stream, client=client)


def test_a_configuration_that_is_none_is_refused(client: TinyClient) -> None:
    """Before anything is started."""
    with pytest.raises(ConfigError, match="a ProducerConfig"):
        Producer("orders", client=client, config={"linger": 1})


def test_a_producer_says_which_stream_and_what_waits(client: TinyClient, producer: Producer) -> None:
    """Its representation is for people who debug."""
    assert repr(producer) == "<Producer for stream orders, records that wait: 0 (0 of 33554432 bytes)>"
    producer.close()
    assert repr(producer) == "<Producer for stream orders, closed>"


def test_closing_has_an_end_though_a_callback_does_not_return(client: TinyClient) -> None:
    """The error names the cause, nothing is lost, and a later close hands over what is left."""
    producer = producer_on(client, connect_timeout=0.05, read_timeout=0.05)
    stuck, go_on = threading.Event(), threading.Event()

    def hold_up(_: Delivery) -> None:
        stuck.set()
        go_on.wait(WAIT)

    client.gate.clear()
    producer.put(b"data", "key").add_done_callback(hold_up)
    client.gate.set()
    assert stuck.wait(WAIT)
    with pytest.raises(HeldUpError, match="a delivery callback"):
        producer.close(timeout=0.0)
    go_on.set()
    assert producer.close(WAIT) == ()


def test_an_aggregate_that_could_not_be_wrapped_is_refused(producer: Producer) -> None:
    """Sent as it is, consumers would open it: near the largest record there is no room for a wrapping."""
    with pytest.raises(RecordTooLargeError):
        producer.put(MAGIC + bytes(2**20 - 20), "key")
    producer.put(bytes(2**20 - 20), "key").result(WAIT)
    producer.put(MAGIC + bytes(2**20 - 200), "key").result(WAIT)


def test_a_record_over_the_limit_is_refused_at_once(producer: Producer) -> None:
    """Payload and key count together, to the byte."""
    producer.put(bytes(2**20 - 3), "key").result(WAIT)
    with pytest.raises(RecordTooLargeError) as caught:
        producer.put(bytes(2**20 - 2), "key")
    assert (caught.value.size, caught.value.limit) == (2**20 + 1, 2**20)


def test_a_producer_nobody_closed_is_flushed_at_exit() -> None:
    """A script that forgets to close still delivers, and is told."""
    script = """
from fakes.kpl import TinyClient
from orderstream import Producer, ProducerConfig
import atexit
client = TinyClient()
atexit.register(lambda: print(client.payloads))
Producer("orders", client=client, config=ProducerConfig(linger=60)).put(b"data", "key")
"""
    ended = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        timeout=WAIT,
        env={"PYTHONPATH": ":".join(sys.path)},
    )
    assert ended.stdout == "[b'data']\n"
    assert "UnclosedProducerWarning: the producer of orders was flushed at exit" in ended.stderr
    assert "0 records were lost" in ended.stderr


def test_a_callback_that_would_wait_for_its_own_thread_gets_an_error(
    client: TinyClient, producer: Producer
) -> None:
    """Flush, close and the result of another delivery raise where they would wait for ever."""
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


def test_what_cannot_leave_at_exit_is_counted_after_five_seconds() -> None:
    """The exit is held up no longer, and the warning tells the loss."""
    script = """
from time import monotonic
import atexit
from fakes.kpl import TinyClient
from orderstream import Producer
from orderstream.kpl import shell
client = TinyClient()
client.gate.clear()
began = monotonic()
atexit.register(lambda: print(shell.AT_EXIT_TIMEOUT, monotonic() - began < 25))
Producer("orders", client=client).put_many([(b"data", "key")] * 3)
"""
    ended = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        timeout=WAIT,
        env={"PYTHONPATH": ":".join(sys.path)},
    )
    assert ended.stdout == "5.0 True\n"
    assert "3 records were lost" in ended.stderr
