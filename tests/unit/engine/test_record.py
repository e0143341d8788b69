"""What a record is keyed by."""

import pytest

from orderstream_workers.engine.record import possible_key


@pytest.mark.parametrize("key", ["a", "ü" * 256, "order-1"])
def test_a_key_that_kinesis_takes_stays_as_it_is(key: str) -> None:
    """1 to 256 characters are a partition key."""
    assert possible_key(key) == key


@pytest.mark.parametrize("key", ["", "k" * 257, "ü" * 10_000])
def test_a_key_that_kinesis_never_took_has_a_stand_in(key: str) -> None:
    """What only a broken aggregate can hold becomes a short digest, the same for the same key."""
    assert possible_key(key) == possible_key(key) != possible_key(key + "x")
    assert len(possible_key(key)) == len("sha256:") + 64
