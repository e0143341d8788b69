"""How a producer ends: flushed, closed, left, or with its process."""

import subprocess
import sys
import threading
from collections import Counter

import pytest

from fakes.kpl import TinyClient
from fakes.producers import WAIT, producer_on
from orderstream import (
    Delivery,
    DeliveryFailedError,
    HeldUpError,
    Producer,
    ProducerClosedError,
    UnsentRecordsError,
)


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


def test_what_cannot_leave_at_exit_is_counted_after_five_seconds() -> None:
    """The exit is held up no longer, and the warning tells the loss."""
    script = """
from time import monotonic
import atexit
from fakes.kpl import TinyClient
from orderstream import Producer
from orderstream.producer.threads import shell
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
