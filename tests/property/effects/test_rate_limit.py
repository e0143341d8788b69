"""GCRA: in no stretch of time are there more permits than the rate and the burst allow."""

from hypothesis import given
from hypothesis import strategies as st

from orderstream_consumer.limits import gcra


@given(
    interval=st.integers(1, 500_000),
    burst=st.integers(1, 20),
    asks=st.lists(st.tuples(st.integers(0, 1_000_000), st.integers(1, 30)), max_size=40),
)
def test_no_window_holds_more_than_the_limit(interval: int, burst: int, asks: list[tuple[int, int]]) -> None:
    """Over any window the permits are at most the burst and one per whole interval of it."""
    tat, now = 0, 1_700_000_000_000_000
    grants: list[tuple[int, int]] = []
    for pause, wanted in asks:
        now += pause
        tat, permits = gcra(tat, now, wanted, interval, burst)
        assert 0 <= permits.granted <= wanted
        grants.append((now, permits.granted))
    for first, (start, _) in enumerate(grants):
        total = 0
        for end, granted in grants[first:]:
            total += granted
            assert total <= burst + (end - start) // interval


@given(
    interval=st.integers(1, 500_000),
    burst=st.integers(1, 20),
    taken=st.integers(1, 20),
    wanted=st.integers(1, 30),
)
def test_the_wait_is_exact(interval: int, burst: int, taken: int, wanted: int) -> None:
    """Whoever waits as long as it was told gets a permit, and a microsecond earlier it gets none."""
    now = 1_700_000_000_000_000
    tat, _ = gcra(0, now, burst, interval, burst)
    refused_tat, refused = gcra(tat, now, wanted, interval, burst)
    assert (refused_tat, refused.granted) == (tat, 0)
    assert refused.wait > 0
    due = now + round(refused.wait * 1_000_000)
    assert gcra(tat, due - 1, wanted, interval, burst)[1].granted == 0
    assert gcra(tat, due, wanted, interval, burst)[1].granted >= 1


@given(
    skews=st.lists(st.integers(-20_000, 20_000), min_size=1, max_size=40),
    burst=st.integers(1, 5),
)
def test_clocks_that_differ_cost_no_more_than_their_difference(skews: list[int], burst: int) -> None:
    """Containers whose clocks are off by at most d give out at most what 2d more of time would allow."""
    interval, start = 5_000, 1_700_000_000_000_000
    tat, total = 0, 0
    for step, skew in enumerate(skews):
        now = start + step * 1_000
        tat, permits = gcra(tat, now + skew, 30, interval, burst)
        total += permits.granted
        assert total <= burst + (now - start + 40_000) // interval
