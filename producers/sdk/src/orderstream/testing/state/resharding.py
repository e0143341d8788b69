"""How ranges of hash keys are divided: pure arithmetic on the 128-bit hash space."""

from collections.abc import Sequence
from dataclasses import dataclass

from orderstream.aggregation import MAX_HASH_KEY
from orderstream.kinesis.shard import HashRange

HASH_SPACE = MAX_HASH_KEY + 1


@dataclass(frozen=True, slots=True)
class Split:
    """Split the open shard that holds a hash key, which becomes the upper child's first.

    Attributes:
        at: That hash key.
    """

    at: int


@dataclass(frozen=True, slots=True)
class Merge:
    """Merge the two open shards that meet at a hash key, the upper one's first.

    Attributes:
        at: That hash key.
    """

    at: int


def uniform_ranges(count: int) -> list[HashRange]:
    """Divide the hash keys into ranges whose sizes differ by at most one."""
    starts = [index * HASH_SPACE // count for index in range(count + 1)]
    return [HashRange(starts[index], starts[index + 1] - 1) for index in range(count)]


def plan_uniform_scaling(current: Sequence[HashRange], target: int) -> list[Split | Merge]:
    """Plan the splits and merges that lead to evenly sized shards.

    As UpdateShardCount does it: first every boundary that is wanted is made, in temporary shards where it has
    to be, then every boundary that is not wanted is removed.

    Args:
        current: The open shards' ranges; they tile the hash keys.
        target: How many shards are wanted, at least 1.

    Returns:
        The steps, in the order in which they are to be taken.
    """
    have = {hash_range.start for hash_range in current}
    want = {hash_range.start for hash_range in uniform_ranges(target)}
    return [*map(Split, sorted(want - have)), *map(Merge, sorted(have - want))]
