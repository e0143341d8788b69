"""What a producer refuses before it takes it."""

import pytest

from fakes.kpl import TinyClient
from fakes.producers import WAIT
from orderstream import (
    ConfigError,
    Producer,
    RecordInvalidError,
    RecordTooLargeError,
)
from orderstream.aggregation.codec import MAGIC


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


@pytest.mark.parametrize("stream", [None, "", "bad name!", "x" * 129, 7, "arn:aws:s3:::bucket"], ids=repr)
def test_what_is_no_stream_is_refused_at_once(client: TinyClient, stream: str) -> None:
    """An unset environment variable is the usual reason."""
    with pytest.raises(ConfigError, match="a stream's name"):
        Producer(stream, client=client)


def test_a_configuration_that_is_none_is_refused(client: TinyClient) -> None:
    """Before anything is started."""
    with pytest.raises(ConfigError, match="a ProducerConfig"):
        Producer("orders", client=client, config={"linger": 1})


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
