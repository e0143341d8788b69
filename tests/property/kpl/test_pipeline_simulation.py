"""Two thousand seeded histories of the producer's core; a failing one names its seed."""

import pytest

from fakes.kpl_simulation import play

SEEDS = 2000
BLOCK = 50


@pytest.mark.parametrize("first", range(0, SEEDS, BLOCK))
def test_nothing_is_lost_misrouted_reported_twice_or_out_of_order(first: int) -> None:
    """Whatever Kinesis does for thirty seconds, once it is well all records are in, each reported once."""
    for seed in range(first, first + BLOCK):
        play(seed)
