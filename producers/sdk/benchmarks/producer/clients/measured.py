"""What every client shares: it warms up, says BEGIN, does its work, says END; its parent measures."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def measured() -> Iterator[None]:
    """Frame the measured part; each word waits for a response, so nothing runs while counters are read."""
    _say("BEGIN")
    yield
    _say("END")


def _say(word: str) -> None:
    print(word, flush=True)
    sys.stdin.readline()
