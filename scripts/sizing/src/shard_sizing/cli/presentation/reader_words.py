"""How the readers of a stream fare, in words."""

from collections.abc import Iterator

from shard_sizing.model.capacity.readers import catch_up_times
from shard_sizing.model.percent import percent


def reader_words(used: float) -> Iterator[str]:
    """Yield what the busiest shard's readers use of its read limit, and how long they are behind an outage.

    Args:
        used: Share of the read limit that they need to keep up; 0 without readers, who need no word.
    """
    if used:
        again = f"takes {catch_up_times(used):.1f} times the outage" if used < 1 else "never ends"
        yield f"Readers of the busiest shard use {percent(used)} of its read limit; catching up {again}."
