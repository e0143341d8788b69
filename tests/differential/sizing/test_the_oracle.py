"""The yardstick itself: its fast ways agree with the plain one, and the plain one with AWS' words."""

from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from differential.sizing.grid import PROMISE, Point, keeps_promise
from differential.sizing.shard import BYTES, HASH_KEYS, RECORDS, TANK, fixed_window, hash_key, token_bucket
from differential.sizing.steady import throttled_share
from differential.sizing.stream import play, play_buckets, play_windows
from differential.sizing.traffic import Traffic, send, shards_of


def test_a_shard_takes_a_thousand_records_a_second() -> None:
    """The record after the thousandth of a second is refused; the next second takes records again."""
    for put in (fixed_window(), token_bucket()):
        assert all(put(1.0, 1) for _ in range(RECORDS))
        assert not put(1.0, 1)
        assert put(2.0, 1)


def test_a_shard_takes_a_million_bytes_a_second() -> None:
    """Bytes count beside records: what does not fit is refused, and takes nothing from what does."""
    for put in (fixed_window(), token_bucket()):
        assert put(1.0, BYTES - 10)
        assert not put(1.0, 11)
        assert put(1.0, 10)


def test_only_a_tank_takes_a_record_of_ten_mebibytes() -> None:
    """After it the tank refills at a megabyte a second, whatever its size."""
    assert not fixed_window()(0.0, TANK)
    assert not token_bucket()(0.0, TANK)
    put = token_bucket(TANK)
    assert put(0.0, TANK)
    assert not put(9.0, 9_000_001)
    assert put(9.0, 9_000_000)


@given(st.text(min_size=1), st.integers(1, 20_000))
def test_a_key_lies_where_its_hash_falls(key: str, shards: int) -> None:
    """Shard i holds the hash keys from i to i + 1 of so many equal parts."""
    [shard] = shards_of(np.array([hash_key(key) >> 64], dtype=np.uint64), shards).tolist()
    assert shard == hash_key(key) * shards // HASH_KEYS


@given(
    seed=st.integers(0, 10_000),
    rate=st.sampled_from([900, 1_500, 3_000]),
    size=st.sampled_from([1, 900, 60_000, 400_000]),
    bytes_cv=st.sampled_from([0.0, 1.0]),
    burst_cv=st.sampled_from([0.0, 0.5]),
    shards=st.integers(1, 5),
)
@settings(max_examples=40, deadline=None)
def test_the_fast_ways_find_what_the_plain_one_finds(
    seed: int, rate: int, size: int, bytes_cv: float, burst_cv: float, shards: int
) -> None:
    """Same throttled seconds, same refused records, under every reading."""
    rng = np.random.default_rng(seed)
    traffic = Traffic(min(rate, rate * 1_000 / size), 20, 0.5, size, bytes_cv, burst_cv)
    sent = send(traffic, 4, rng)
    shard = rng.integers(0, shards, traffic.keys)[sent.key]
    assert play_windows(shard, sent.at, sent.size) == play(shard, sent.at, sent.size, fixed_window)
    for burst in (BYTES, TANK):
        assert play_buckets(shard, sent.at, sent.size, burst) == play(
            shard, sent.at, sent.size, partial(token_bucket, burst)
        )


@pytest.mark.parametrize(("rate", "size", "shards"), [(15, 200_000, 6), (2_700, 500, 3), (60, 50_000, 4)])
def test_the_law_of_a_steady_shard_is_what_a_long_play_finds(rate: float, size: int, shards: int) -> None:
    """Few large records and many small ones, limited by bytes and by records."""
    seconds = 4_000
    sent = send(Traffic(rate, shards, bytes=size), seconds, np.random.default_rng(2))
    played = play_windows(sent.key, sent.at, sent.size).throttled / seconds
    law = throttled_share(np.full(shards, rate / shards), size)
    assert 0.001 < law < 0.999
    assert played == pytest.approx(law, abs=4 * np.sqrt(law * (1 - law) / seconds))


def test_what_looks_leave_open_the_law_decides() -> None:
    """200 KB at 15/s throttle 25 shards in 0.97 of a thousandth, 24 in 1.17: too near for any play."""
    for shards, keeps in ((24, False), (25, True)):
        loads = np.full(shards, 15 / shards)
        assert (throttled_share(loads, 200_000) <= PROMISE) is keeps
    point = Point(Traffic(15, bytes=200_000))
    assert all(keeps_promise(point, 25, placement, "fixed-window") for placement in range(12))


@pytest.mark.parametrize("burst_cv", [0.0, 0.5])
def test_traffic_is_what_it_is_said_to_be(burst_cv: float) -> None:
    """Rate, sizes, their spread, the heaviest key and the bursts come out of what is drawn."""
    traffic = Traffic(500, 1_000, 1.0, 2_000, bytes_cv=1.0, burst_cv=burst_cv)
    sent = send(traffic, 2_000, np.random.default_rng(1))
    seconds = np.bincount(sent.at.astype(np.int64), minlength=2_000)
    assert seconds.mean() == pytest.approx(500, rel=0.02)
    assert np.sqrt(max(0.0, seconds.var() - 500)) / 500 == pytest.approx(burst_cv, abs=0.05)
    assert sent.size.mean() == pytest.approx(2_000, rel=0.02)
    assert sent.size.std() / sent.size.mean() == pytest.approx(1.0, rel=0.05)
    assert (sent.key == 0).mean() == pytest.approx(traffic.shares()[0], rel=0.02)
