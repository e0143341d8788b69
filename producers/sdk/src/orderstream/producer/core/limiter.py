"""Keeps each shard within its write limits, so that Kinesis need not refuse."""


class TokenBucket:
    """Tokens flow in at a rate; spending may overdraw, and the debt is waited off.

    Overdrawing lets a unit larger than the bucket through without knowing sizes beforehand; over any longer
    time no more than the rate passes.

    Args:
        rate: Tokens a second.
        burst: How many tokens an idle bucket holds, in seconds of the rate.
        now: The time, in seconds.
    """

    __slots__ = ("_at", "_balance", "_capacity", "_rate")

    def __init__(self, rate: float, burst: float, now: float) -> None:
        self._rate = rate
        self._capacity = max(1.0, rate * burst)
        self._balance = self._capacity
        self._at = now

    def take(self, tokens: float, now: float) -> None:
        """Spend tokens, into debt if need be."""
        self._refill(now)
        self._balance -= tokens

    def ready_at(self, now: float) -> float:
        """Return when there is at least one token; ``now`` if there is one already."""
        self._refill(now)
        return now if self._balance >= 1 else now + (1 - self._balance) / self._rate

    def _refill(self, now: float) -> None:
        self._balance = min(self._capacity, self._balance + max(0.0, now - self._at) * self._rate)
        self._at = now


class ShardLimiter:
    """The record and byte limits of each shard, created on first use.

    Args:
        records_per_second: Kinesis records a shard takes each second.
        bytes_per_second: Bytes a shard takes each second, partition keys included.
        burst: How much of a second's limit may go out at once after a quiet time.
    """

    def __init__(self, records_per_second: float, bytes_per_second: float, burst: float = 0.25) -> None:
        self._rates = (records_per_second, bytes_per_second)
        self._burst = burst
        self._shards: dict[str, tuple[TokenBucket, TokenBucket]] = {}

    def ready_at(self, shard_id: str, now: float) -> float:
        """Return when the shard may get its next Kinesis record: ``now`` or later, in seconds."""
        records, size = self._buckets(shard_id, now)
        return max(records.ready_at(now), size.ready_at(now))

    def take(self, shard_id: str, size: int, now: float) -> None:
        """Count one Kinesis record of ``size`` bytes against the shard."""
        records, volume = self._buckets(shard_id, now)
        records.take(1, now)
        volume.take(size, now)

    def keep_only(self, shard_ids: set[str]) -> None:
        """Forget every other shard."""
        self._shards = {shard: buckets for shard, buckets in self._shards.items() if shard in shard_ids}

    def _buckets(self, shard_id: str, now: float) -> tuple[TokenBucket, TokenBucket]:
        buckets = self._shards.get(shard_id)
        if buckets is None:
            records, size = (TokenBucket(rate, self._burst, now) for rate in self._rates)
            buckets = self._shards[shard_id] = (records, size)
        return buckets
