"""Seeded histories of the shipped worker; a failing one names its seed."""

import pytest

from fakes.engine_world.history import play

SEEDS = 2000
BLOCK = 50


@pytest.mark.parametrize("first", range(0, SEEDS, BLOCK))
def test_nothing_is_lost_out_of_order_or_checkpointed_ahead(first: int) -> None:
    """Each record at least once, first effects per key in order, no checkpoint ahead of what is undone.

    While workers are killed, frozen, stopped and started, shards split and merge, and calls are refused,
    slow, late or lose their answers. Afterwards, in peace, everything is delivered, parked records are
    redriven in
    order, the shards are shared evenly, and a drained application leaves no lease behind.
    """
    for seed in range(first, first + BLOCK):
        play(seed)
