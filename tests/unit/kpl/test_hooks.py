"""Partitioner, interceptors and salts: where an application steps in."""

import threading

import pytest

from fakes.kpl import TinyClient
from orderstream import Delivery, Producer, RecordInvalidError, UserRecord, salted, unsalted

WAIT = 30.0


class Marking:
    """Marks what goes in, and keeps what comes out."""

    def __init__(self, mark: bytes) -> None:
        self.mark = mark
        self.outcomes: list[Delivery] = []

    def on_put(self, record: UserRecord) -> UserRecord:
        return UserRecord(record.partition_key, record.data + self.mark, record.explicit_hash_key)

    def on_outcome(self, delivery: Delivery) -> None:
        self.outcomes.append(delivery)


def test_the_partitioner_chooses_where_nothing_else_does() -> None:
    """An explicit hash key stands; without one the partitioner decides, or leaves it to the key."""
    client = TinyClient(shards=4)
    choose = {"first": 0, "last": 2**128 - 1}
    with Producer("orders", client=client, partitioner=lambda record: choose.get(record.partition_key)) as it:
        assert it.put(b"", "last").result(WAIT).shard_id == "shardId-000000000003"
        assert it.put(b"", "last", 0).result(WAIT).shard_id == "shardId-000000000000"
        assert it.put(b"", "any").result(WAIT).shard_id == "shardId-000000000000"


def test_interceptors_see_records_in_order_and_every_outcome() -> None:
    """Each works on what the one before returned; what is put is what the last one returned."""
    client = TinyClient()
    first, second = Marking(b"1"), Marking(b"2")
    with Producer("orders", client=client, interceptors=[first, second]) as producer:
        delivery = producer.put(b"data ", "key")
        delivery.result(WAIT)
    assert client.payloads == [b"data 12"]
    assert first.outcomes == second.outcomes == [delivery]


def test_what_an_interceptor_returns_is_checked_and_what_it_raises_is_raised() -> None:
    """A hook cannot bring in what Kinesis would refuse; its own error belongs to the caller."""

    class Odd(Marking):
        def on_put(self, record: UserRecord) -> UserRecord:
            if record.data == b"raise":
                raise ZeroDivisionError
            return UserRecord("", record.data)

        def on_outcome(self, delivery: Delivery) -> None:
            raise ZeroDivisionError

    with Producer("orders", client=TinyClient(), interceptors=[Odd(b"")]) as producer:
        with pytest.raises(RecordInvalidError):
            producer.put(b"data", "key")
        with pytest.raises(ZeroDivisionError):
            producer.put(b"raise", "key")


def test_a_failing_hook_stops_no_delivery(caplog: pytest.LogCaptureFixture) -> None:
    """What a hook raises at an outcome is logged; records go on."""

    class Failing(Marking):
        def on_outcome(self, delivery: Delivery) -> None:
            raise ZeroDivisionError

    with Producer("orders", client=TinyClient(), interceptors=[Failing(b"")]) as producer:
        assert producer.put_many([(b"1", "key"), (b"2", "key")])[1].result(WAIT)
    assert "an interceptor failed" in caplog.text


def test_a_salted_key_is_spread_and_found_again() -> None:
    """All parts lead back to the key, which keeps its own marks; others are left alone."""
    parts = {salted("order~1of2", 4) for _ in range(500)}
    assert len(parts) == 4
    assert {unsalted(part) for part in parts} == {"order~1of2"}
    assert unsalted("order-7") == "order-7"
    for ways in (1, 1001):
        with pytest.raises(RecordInvalidError, match="ways"):
            salted("key", ways)


def test_hooks_run_in_the_threads_that_are_documented() -> None:
    """on_put where put was called, on_outcome in the producer's own thread."""
    threads: list[str] = []

    class Where(Marking):
        def on_put(self, record: UserRecord) -> UserRecord:
            threads.append(threading.current_thread().name)
            return record

        def on_outcome(self, delivery: Delivery) -> None:
            threads.append(threading.current_thread().name)

    with Producer("orders", client=TinyClient(), interceptors=[Where(b"")]) as producer:
        producer.put(b"", "key").result(WAIT)
    assert threads == [threading.current_thread().name, "producer-orders"]
