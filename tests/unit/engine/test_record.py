"""What a record is keyed by."""

import pytest

from orderstream_consumer.processing.record import Position, possible_key

POSITION = Position(7, 2)


@pytest.mark.parametrize("key", ["a", "ü" * 256, "order-1"])
def test_a_key_that_kinesis_takes_stays_as_it_is(key: str) -> None:
    """1 to 256 characters are a partition key."""
    assert possible_key(key, POSITION) == key


@pytest.mark.parametrize("key", ["k" * 257, "ü" * 10_000])
def test_a_key_that_kinesis_never_took_has_a_stand_in(key: str) -> None:
    """What only a broken aggregate can hold becomes a short digest, the same for the same key."""
    assert possible_key(key, POSITION) == possible_key(key, POSITION) != possible_key(key + "x", POSITION)
    assert len(possible_key(key, POSITION)) == len("sha256:") + 64


def test_a_record_without_a_key_is_in_no_order_with_others() -> None:
    """Each has a key of its own, the same whenever it is read: nothing waits behind it."""
    assert possible_key("", POSITION) == possible_key("", Position(7, 2)) != possible_key("", Position(7, 3))
    assert len(possible_key("", Position(10**56, 10_000))) <= 256
