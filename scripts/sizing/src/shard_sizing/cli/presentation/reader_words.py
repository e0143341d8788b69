"""How the readers of a stream fare, in words."""

from collections.abc import Iterator
from typing import Final

from shard_sizing.model.capacity.readers import catch_up_times
from shard_sizing.model.percent import percent

_LEAST: Final = 0.1  # times an outage: less needs no figure


def reader_words(used: float) -> Iterator[str]:
    """Yield what the busiest shard's readers use of its read limit, and how long they are behind an outage.

    Args:
        used: Share of the read limit that they need to keep up; 0 without readers, who need no word.
    """
    if used:
        share = percent(used)
        yield f"Readers of the busiest shard use {share} of its read limit; catching up {_again(used)}."


def _again(used: float) -> str:
    if used >= 1:
        return "never ends"
    times = catch_up_times(used)
    return (
        f"takes {times:.1f} times the outage" if times >= _LEAST else "takes less than a tenth of the outage"
    )
