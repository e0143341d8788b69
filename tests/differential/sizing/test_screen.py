"""The fast player is the plain one: what it leaves out cannot be refused, and it packs the same."""

from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from differential.sizing.packing import Producers, most_packed, pack_of, pack_one_by_one
from differential.sizing.screen import SLOTS, Coming, screened_buckets, screened_windows
from differential.sizing.shard import BYTES, TANK, fixed_window, token_bucket
from differential.sizing.stream import Played, play
from differential.sizing.traffic import Ints, Traffic, factors, sizes

SECONDS = 10


def one_shard(traffic: Traffic, rng: np.random.Generator, producers: Producers | None = None) -> Coming:
    """Draw all that comes to a shard, times and all."""
    bursts = factors(traffic.burst_cv, SECONDS, rng)
    counts = rng.poisson(np.repeat(traffic.rate * bursts / SLOTS, SLOTS))
    size = sizes(traffic, int(counts.sum()), rng)
    return Coming(counts, size, rng.random(size.size), rng, producers)


def times(these: Coming) -> np.ndarray:
    """Return the time of each record."""
    found: np.ndarray = (np.repeat(np.arange(these.counts.size), these.counts) + these.moment) / SLOTS
    return found


@given(
    seed=st.integers(0, 10_000),
    load=st.sampled_from([0.3, 0.7, 0.9, 0.97, 1.02, 1.5]),
    size=st.sampled_from([20, 900, 2_000, 20_000]),
    bytes_cv=st.sampled_from([0.0, 1.0, 3.0]),
    burst_cv=st.sampled_from([0.0, 0.25, 1.0]),
)
@settings(max_examples=40, deadline=None)
def test_what_is_left_out_cannot_be_refused(
    seed: int, load: float, size: int, bytes_cv: float, burst_cv: float
) -> None:
    """Same seconds, same refusals, under every reading, from idle shards to overloaded ones."""
    rng = np.random.default_rng(seed)
    these = one_shard(Traffic(load * min(1_000, BYTES / size), 1, 0, size, bytes_cv, burst_cv), rng)
    shard, at = np.zeros(these.size.size, np.int64), times(these)
    assert screened_windows(these) == play(shard, at, these.size, fixed_window)
    for depth in (BYTES, TANK):
        assert screened_buckets(these, depth) == play(shard, at, these.size, partial(token_bucket, depth))


def test_little_is_played_of_a_shard_that_is_three_quarters_full() -> None:
    """Most records get no time at all, which is what makes the player fast."""
    rng = np.random.default_rng(1)
    counts = rng.poisson(800 / SLOTS, 1_000 * SLOTS)
    these = Coming(counts, np.array([500]), np.full(int(counts.sum()), -1.0), rng)
    screened_buckets(these)
    assert (these.moment >= 0).mean() < 0.2


@given(
    seed=st.integers(0, 10_000),
    producers=st.builds(
        Producers,
        st.integers(1, 8),
        st.sampled_from([0.0, 0.05, 0.3]),
        st.sampled_from([0.005, 0.015, 0.2]),
    ),
    rate=st.sampled_from([5, 300, 3_000]),
    size=st.sampled_from([100, 3_000, 60_000]),
    bytes_cv=st.sampled_from([0.0, 1.5]),
)
@settings(max_examples=40, deadline=None)
def test_packing_all_at_once_is_packing_one_by_one(
    seed: int, producers: Producers, rate: int, size: int, bytes_cv: float
) -> None:
    """The same Kinesis records, their bytes and times; and no more than is taken as the most."""
    rng = np.random.default_rng(seed)
    count = int(rng.poisson(rate * 2))
    at, sent = rng.uniform(0, 2, count), sizes(Traffic(rate, bytes=size, bytes_cv=bytes_cv), count, rng)
    shard, producer = rng.integers(0, 3, count), rng.integers(0, producers.count, count)
    packed = pack_of(shard, producer, at, sent, producers)
    fast = sorted(zip(*(column.tolist() for column in packed), strict=True))
    plain = sorted(pack_one_by_one(shard, producer, at, sent, producers))
    assert [(one[0], one[2]) for one in fast] == [(one[0], one[2]) for one in plain]
    assert [one[1] for one in fast] == pytest.approx([one[1] for one in plain], abs=1e-6)
    most = most_packed(producers)
    for begin in (0.0, 0.7):
        within = [one for one in fast if one[0] == 0 and begin <= one[1] < begin + 1]
        volume = sent[(shard == 0) & (at >= begin - most.late) & (at < begin + 1)].sum()
        assert len(within) <= most.rate + producers.count + volume / most.closing


def test_aggregates_are_played_where_they_may_be_refused() -> None:
    """Of a shard at its limit of bytes, the same seconds throttle as when all of it is packed and played."""
    producers, throttled = Producers(20, 0.1, 0.015), [0, 0]
    for seed in range(6):
        rng = np.random.default_rng(seed)
        these = one_shard(Traffic(1_800, 1, burst_cv=0.6), rng, producers)
        producer = rng.integers(0, producers.count, these.size.size)
        whole = pack_of(np.zeros(these.size.size, np.int64), producer, times(these), these.size, producers)
        same = Coming(these.counts, these.size, these.moment, rng, producers, producer)
        ways = ((screened_windows, fixed_window), (screened_buckets, token_bucket))
        for number, (screened, new_shard) in enumerate(ways):
            found, plain = screened(same), play(*whole, new_shard)
            assert found.seconds == {second for second in plain.seconds if second < SECONDS}
            throttled[number] += found.throttled
    assert all(0 < seconds < 6 * SECONDS for seconds in throttled)


def test_nothing_is_refused_of_nothing() -> None:
    """A shard to which nothing comes."""
    none: Ints = np.zeros(SECONDS * SLOTS, np.int64)
    these = Coming(none, np.zeros(0, np.int64), np.zeros(0), np.random.default_rng(1))
    assert screened_windows(these) == screened_buckets(these) == Played()
