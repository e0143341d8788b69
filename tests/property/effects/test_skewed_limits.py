"""Hosts whose clocks are wrong share a limit: nobody waits for them, and nobody exceeds the rate alone."""

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from orderstream_consumer.limits import StoredRateLimiter
from orderstream_consumer.testing import MemoryStore

RATE = 5.0


class Hosts:
    """One limiter a host, each with a clock that is off by so many seconds."""

    def __init__(self, skews: list[float], burst: int) -> None:
        self.time = 1_700_000_000.0
        store = MemoryStore()
        self.limiters = [
            StoredRateLimiter(
                store,
                name="api",
                rate=RATE,
                burst=burst,
                now=lambda skew=skew: self.time + skew,
                sleep=lambda _: None,
            )
            for skew in skews
        ]


@settings(deadline=None)
@given(
    skews=st.lists(
        st.sampled_from([0.0, 0.0, 0.3, -0.3, 45.0, -45.0, 3600.0, -3600.0]), min_size=1, max_size=4
    ),
    burst=st.integers(1, 5),
    asks=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 400), st.integers(1, 8)), max_size=40),
)
def test_no_clock_stops_the_others_or_lifts_the_limit(
    skews: list[float], burst: int, asks: list[tuple[int, int, int]]
) -> None:
    """Each waits a burst and a second at most; each keeps to the rate, with good clocks all together."""
    hosts, begin = Hosts(skews, burst), 1_700_000_000.0
    granted: Counter[int] = Counter()
    for chosen, milliseconds, wanted in asks:
        host = chosen % len(skews)
        hosts.time += milliseconds / 1000
        permits = hosts.limiters[host].take(wanted)
        assert permits.wait <= burst / RATE + 1
        granted[host] += permits.granted
        allowed = burst + (hosts.time - begin) * RATE + 1e-6
        assert granted[host] <= allowed
        if max(map(abs, skews)) < 1:
            assert granted.total() <= allowed + 2 * RATE


def test_a_host_an_hour_ahead_makes_nobody_wait() -> None:
    """It takes its permits; the next host gets its own at once instead of in an hour."""
    hosts = Hosts([3600.0, 0.0], burst=1)
    assert hosts.limiters[0].take(1).granted == 1
    assert hosts.limiters[1].take(1).granted == 1
    assert hosts.limiters[1].take(1).wait <= 1 / RATE
