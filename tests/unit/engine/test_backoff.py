"""Pauses after failures."""

import pytest

from orderstream_consumer.processing.backoff import Backoff


@pytest.mark.parametrize(
    ("earlier", "shortest", "longest"), [(0, 0.25, 0.5), (1, 0.5, 1.0), (3, 2.0, 4.0), (9_999, 4.0, 8.0)]
)
def test_pauses_double_up_to_a_bound(earlier: int, shortest: float, longest: float) -> None:
    """Half of each is waited in any case, the other half is jitter; no number of failures overflows."""
    backoff = Backoff(first=0.5, longest=8.0)
    assert backoff.pause(earlier, 0.0) == shortest
    assert backoff.pause(earlier, 1.0) == longest


def test_full_jitter_waits_nothing_at_least() -> None:
    """Those who met come back at any time, some of them at once."""
    assert Backoff(first=0.5, longest=8.0, least=0.0).pause(2, 0.0) == 0.0
