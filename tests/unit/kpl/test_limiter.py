from hypothesis import given, settings
from hypothesis import strategies as st

from orderstream.producer.core.limiter import ShardLimiter, TokenBucket


def test_a_quiet_shard_takes_a_burst_and_then_the_rate() -> None:
    """A quarter of a second's records go out at once, the next one when a token has flowed in."""
    limiter = ShardLimiter(100, 1e9, burst=0.25)
    for _ in range(25):
        assert limiter.ready_at("shard", 5.0) == 5.0
        limiter.take("shard", 1, 5.0)
    assert limiter.ready_at("shard", 5.0) == 5.01


def test_bytes_are_limited_like_records() -> None:
    """A record larger than the burst passes, and its debt is waited off."""
    limiter = ShardLimiter(1e9, 1000, burst=0.25)
    limiter.take("shard", 1250, 0.0)
    assert limiter.ready_at("shard", 0.0) == 1.001


def test_shards_do_not_share_their_limits() -> None:
    """One hot shard leaves the others free."""
    limiter = ShardLimiter(1, 1e9)
    limiter.take("hot", 1, 0.0)
    assert limiter.ready_at("hot", 0.0) > 0.0
    assert limiter.ready_at("other", 0.0) == 0.0


def test_forgotten_shards_start_afresh() -> None:
    """After a reshard only the open shards are remembered."""
    limiter = ShardLimiter(1, 1e9)
    limiter.take("gone", 1, 0.0)
    limiter.take("kept", 1, 0.0)
    limiter.keep_only({"kept"})
    assert limiter.ready_at("gone", 0.0) == 0.0
    assert limiter.ready_at("kept", 0.0) > 0.0


@given(st.lists(st.tuples(st.floats(0, 2), st.integers(1, 400)), min_size=1, max_size=60))
@settings(max_examples=100)
def test_no_more_than_the_rate_passes(units: list[tuple[float, int]]) -> None:
    """Whatever the pace, the sum stays below burst plus rate times time plus the last unit."""
    rate, burst = 100.0, 0.5
    bucket = TokenBucket(rate, burst, 0.0)
    now = spent = 0.0
    for pause, tokens in units:
        now = bucket.ready_at(now + pause)
        bucket.take(tokens, now)
        assert spent <= rate * burst + rate * now + 1e-6
        spent += tokens


def test_a_clock_that_stands_still_or_steps_back_gives_no_tokens() -> None:
    """Time that does not pass fills nothing."""
    bucket = TokenBucket(10, 0.1, 100.0)
    bucket.take(1, 100.0)
    assert bucket.ready_at(99.0) > 99.0
