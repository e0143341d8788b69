"""What a profile holds: peaks, the daily shape, sizes and shares, each against counts made by hand."""

from collections import Counter
from itertools import islice
from math import ceil

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shard_sizing.errors import InputError
from shard_sizing.model.sampling.heavy_keys import HeavyKeys
from shard_sizing.model.sampling.sampler import Event, sample
from shard_sizing.model.sampling.synthetic import Synthetic, events
from shard_sizing.model.workload.peaks import PEAK_NAMES
from shard_sizing.model.workload.profile import grown, rate_at, resized, synthetic
from shard_sizing.model.workload.shares import MOST_KEYS, byte_shares, key_counts, record_shares
from shard_sizing.model.workload.zipf import zipf_shares


def test_the_busiest_second_minute_and_hour_are_known() -> None:
    """Two hours at 1 a second, one minute of them at 11, one second of that at 111."""
    drawn: list[Event] = [("a", float(second), 100) for second in range(7_200)]
    drawn += [("b", 3_600 + second + 0.5, 100) for second in range(60) for _ in range(10)]
    drawn += [("c", 3_630.5, 100)] * 100
    profile = sample(drawn)
    assert rate_at(profile, "mean") == pytest.approx(7_900 / 7_200)
    assert rate_at(profile, "max-second") == 111
    assert rate_at(profile, "max-minute") == pytest.approx((660 + 100) / 60)
    assert rate_at(profile, "max-hour") == pytest.approx(4_300 / 3_600)
    assert rate_at(profile, "p50-minute") == 1
    assert [rate_at(grown(profile, 3), name) for name in PEAK_NAMES] == pytest.approx(
        [3 * rate_at(profile, name) for name in PEAK_NAMES]
    )


def test_a_rate_that_the_times_cannot_show_is_refused() -> None:
    """Times in whole minutes tell nothing of seconds, whole hours nothing of minutes; the message says so."""
    by_minute = sample(("a", 60.0 * i, 100) for i in range(500))
    assert by_minute.peaks.second is None
    assert rate_at(by_minute, "max-minute") == pytest.approx(1 / 60)
    with pytest.raises(InputError, match="does not know the rate by second; use --at max-minute"):
        rate_at(by_minute, "p99-second")
    by_day = sample(("a", 86_400.0 * i, 100) for i in range(5))
    with pytest.raises(InputError, match="use --at mean"):
        rate_at(by_day, "p99.9-minute")
    with pytest.raises(InputError, match="no such rate; known are mean, p99-second"):
        rate_at(by_minute, "busiest")


def test_the_shape_of_the_day_is_known_from_a_whole_day_on() -> None:
    """Ten records a second from 09:00 to 10:00, one otherwise, over two days and a half."""
    begin, length = 18_000 * 86_400 + 6 * 3_600, 60 * 3_600
    seconds = np.arange(begin, begin + length)
    busy = seconds // 3_600 % 24 == 9
    times = np.repeat(seconds, np.where(busy, 10, 1))
    profile = sample(("a", float(at), 100) for at in times)
    assert profile.daily is not None
    mean = times.size / length
    assert profile.daily[9] == pytest.approx(10 / mean, rel=1e-3)
    assert profile.daily[:9] + profile.daily[10:] == pytest.approx([1 / mean] * 23, rel=1e-3)
    assert sample(islice((("a", float(at), 100) for at in times), 1_000)).daily is None


@pytest.mark.parametrize("burst_cv", [0.0, 0.4])
def test_the_shape_of_the_day_is_no_burstiness(burst_cv: float) -> None:
    """The rate swings from 0.1 to 1.9 of its mean over the day; bursts are what remains within minutes."""
    rng = np.random.default_rng(5)
    seconds = np.arange(86_400)
    sigma = np.sqrt(np.log1p(burst_cv**2))
    daily = 3 * (1 + 0.9 * np.sin(seconds / 86_400 * 2 * np.pi))
    bursts = rng.lognormal(-(sigma**2) / 2, sigma, seconds.size)
    times = np.repeat(seconds, rng.poisson(daily * bursts)) + 0.5
    profile = sample(("a", at, 100) for at in times.tolist())
    assert profile.burst_cv == pytest.approx(burst_cv, abs=0.03)
    assert rate_at(profile, "max-hour") == pytest.approx(5.7, rel=0.05)


def test_chance_alone_is_no_burstiness_at_low_rates() -> None:
    """At one record a second chance is as large as the mean: what it explains is not called a burst."""
    found = [sample(events(Synthetic(rate=1, seconds=300, keys=9), seed)).burst_cv for seed in range(20)]
    assert found.count(0.0) >= 18


@given(st.lists(st.integers(0, 3_000_000), min_size=1, max_size=150))
@settings(max_examples=30, deadline=None)
def test_sizes_keep_their_mean_and_their_units(sizes: list[int]) -> None:
    """The histogram has the true mean; units are summed from true sizes, at most 64 atoms are kept."""
    profile = sample(("a", float(i), size) for i, size in enumerate(sizes))
    mean = sum(sizes) / len(sizes)
    assert sum(share for _, share in profile.sizes) == pytest.approx(1)
    assert sum(size * share for size, share in profile.sizes) == pytest.approx(mean)
    assert len(profile.sizes) <= 64
    assert profile.kib_units == pytest.approx(sum(max(1, ceil(s / 1_024)) for s in sizes) / len(sizes))
    assert profile.put_units == pytest.approx(sum(max(1, ceil(s / 25_000)) for s in sizes) / len(sizes))
    assert profile.max_bytes == max(sizes)


@pytest.mark.parametrize("cv", [0.25, 1.0, 2.0, 3.8])
def test_few_large_records_keep_their_weight(cv: float) -> None:
    """Most of the spread is in the few largest of lognormal sizes: no atom averages it away."""
    atoms, shares = map(np.array, zip(*synthetic(100, 2_000, 0.0, 0.0, bytes_cv=cv).sizes, strict=True))
    assert np.sqrt(atoms**2 @ shares - 2_000**2) / 2_000 == pytest.approx(cv, rel=0.01)


def test_made_up_sizes_scatter_as_asked() -> None:
    """A lognormal of 900 B and CV 1.5 bills 1.5 KiB a record, where its mean alone says one."""
    profile = synthetic(100, 900, 0.0, 0.0, bytes_cv=1.5)
    atoms, shares = map(np.array, zip(*profile.sizes, strict=True))
    assert atoms @ shares == pytest.approx(900)
    assert np.sqrt(atoms**2 @ shares - 900**2) / 900 == pytest.approx(1.5, rel=0.01)
    assert profile.kib_units == pytest.approx(1.45, abs=0.1)
    assert synthetic(100, 900, 0.0, 0.0).sizes == ((900.0, 1.0),)
    half = resized(profile, 0.5)
    assert (half.record_bytes, half.kib_units < profile.kib_units) == (pytest.approx(450), True)


@given(st.integers(5, 60), st.integers(1, 4_000), st.integers(0, 2**31))
@settings(max_examples=30, deadline=None)
def test_counts_of_keys_are_certain_and_their_errors_bounded(capacity: int, keys: int, seed: int) -> None:
    """After evictions a count is never too high, and with its error never too low."""
    rng = np.random.default_rng(seed)
    drawn = rng.choice(keys, 3_000, p=zipf_shares(keys, float(rng.uniform(0, 1.5))))
    sizes = rng.integers(0, 5_000, drawn.size)
    table = HeavyKeys(capacity)
    for part in np.array_split(np.arange(drawn.size), 40):
        table.add([f"key-{i}" for i in drawn[part]], part.astype(float), sizes[part])
    records = Counter(f"key-{i}" for i in drawn)
    volume: Counter[str] = Counter()
    for key, size in zip(drawn.tolist(), sizes.tolist(), strict=True):
        volume[f"key-{key}"] += size
    for by, true in (("records", records), ("bytes", volume)):
        found = {heavy.key: heavy for heavy in table.top(by, 10**6)}  # type: ignore[arg-type]
        bound = true.total() / capacity
        for heavy in found.values():
            counted = heavy.records if by == "records" else heavy.bytes
            assert counted <= true[heavy.key] <= counted + heavy.error
            assert heavy.error <= bound
        assert {key for key, count in true.items() if count > bound} <= found.keys()
    assert table.exact == (len(records) <= 6 * capacity)


def test_all_keys_are_listed_where_they_are_known() -> None:
    """A profile of few keys lists each with its exact shares, and they are what is placed."""
    drawn: list[Event] = [(f"key-{i % 7 % 4}", i / 10, 100 * (1 + i % 7 % 4)) for i in range(7_000)]
    profile = sample(drawn)
    assert [(key.key, key.record_share) for key in profile.key_list[:2]] == [
        ("key-0", pytest.approx(2 / 7)),
        ("key-1", pytest.approx(2 / 7)),
    ]
    assert record_shares(profile) == pytest.approx([2 / 7, 2 / 7, 2 / 7, 1 / 7])
    assert byte_shares(profile) == pytest.approx([2 / 16, 4 / 16, 6 / 16, 4 / 16])
    assert [key.key for key in profile.known_keys()] == [key.key for key in profile.key_list]


def test_a_key_heavy_in_bytes_only_is_in_both_lists_of_shares() -> None:
    """One record in a thousand holds most bytes: it is placed, by records and by bytes, in one order."""
    drawn: list[Event] = [(f"key-{i % 40_000}", i / 1_000, 100) for i in range(160_000)]
    drawn += [("large", 7.0 + i, 1_000_000) for i in range(30)]
    profile = sample(drawn, capacity=500)
    names = [key.key for key in profile.known_keys()]
    assert profile.key_list == ()
    at = names.index("large")
    assert byte_shares(profile)[at] == pytest.approx(30e6 / 46e6, rel=0.01)
    assert record_shares(profile)[at] < 1e-3


@pytest.mark.parametrize("exponent", [0.0, 0.8, 1.1])
def test_more_keys_than_can_be_placed_are_grouped_and_not_forgotten(exponent: float) -> None:
    """The whole load stays, and the heaviest of a million keys has the share of one of a million."""
    keys = 5 * MOST_KEYS
    profile = synthetic(1, 500, exponent, 0.0, keys=keys)
    shares, counts = record_shares(profile), key_counts(profile)
    law = np.arange(1, keys + 1) ** -exponent
    law /= law.sum()
    assert (counts.sum(), shares @ counts) == (keys, pytest.approx(1.0))
    assert shares[0] == pytest.approx(law[0], rel=1e-4)
    firsts = np.cumsum(counts) - counts
    assert shares * counts == pytest.approx(np.add.reduceat(law, firsts), rel=1e-3)
    assert shares.size < 30_000
