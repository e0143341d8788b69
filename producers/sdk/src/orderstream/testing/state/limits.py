"""The limits of a shard per second, and of a call.

The figures are those of "Quotas and limits" in the Kinesis Data Streams developer guide.
"""

from dataclasses import dataclass

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The limits the fake keeps.

    Attributes:
        throttling: Whether the limits per second are kept; default True.
        write_records: Records a second into one shard.
        write_bytes: Bytes a second into one shard, data and partition keys.
        reads: GetRecords calls a second on one shard.
        read_bytes: Bytes a second out of one shard.
        record_bytes: Data and partition key of one record.
        put_bytes: Bytes in one PutRecords call.
        get_records: Records in one GetRecords response.
        get_bytes: Bytes in one GetRecords response.
        iterator_seconds: How long an iterator or a paging token is good for.
        open_shards: Open shards of one stream.
        fan_out_consumers: Registered consumers of one stream.
        subscription_seconds: How long a subscription to a shard lasts.
    """

    throttling: bool = True
    write_records: int = 1_000
    write_bytes: int = MIB
    reads: int = 5
    read_bytes: int = 2 * MIB
    record_bytes: int = MIB
    put_bytes: int = 10 * MIB
    get_records: int = 10_000
    get_bytes: int = 10 * MIB
    iterator_seconds: float = 300.0
    open_shards: int = 10_000
    fan_out_consumers: int = 20
    subscription_seconds: float = 300.0


class TokenBucket:
    """A budget per second that holds one second's worth.

    Args:
        rate: Units a second, and the most it holds.
        now: When it was filled, in seconds.
    """

    __slots__ = ("_level", "_rate", "_updated")

    def __init__(self, rate: float, now: float) -> None:
        self._rate = rate
        self._level = rate
        self._updated = now

    def level(self, now: float) -> float:
        """Units left at a time; below zero after a large draw."""
        if now > self._updated:
            self._level = min(self._rate, self._level + (now - self._updated) * self._rate)
            self._updated = now
        return self._level

    def affords(self, amount: float, now: float) -> bool:
        """Whether it can pay. What exceeds a second's worth passes when the bucket is full."""
        return self.level(now) >= min(amount, self._rate)

    def draw(self, amount: float) -> None:
        """Pay, going into debt if need be."""
        self._level -= amount


class ShardBudget:
    """The four limits per second of one shard.

    Args:
        limits: What it may carry.
        now: When the shard was opened, in seconds.
    """

    __slots__ = ("_read_bytes", "_reads", "_write_bytes", "_write_records")

    def __init__(self, limits: Limits, now: float) -> None:
        self._write_records = TokenBucket(limits.write_records, now)
        self._write_bytes = TokenBucket(limits.write_bytes, now)
        self._reads = TokenBucket(limits.reads, now)
        self._read_bytes = TokenBucket(limits.read_bytes, now)

    def write(self, size: int, now: float) -> bool:
        """Take one record of a size in bytes; False if it is over a limit, which costs nothing."""
        if not (self._write_records.affords(1, now) and self._write_bytes.affords(size, now)):
            return False
        self._write_records.draw(1)
        self._write_bytes.draw(size)
        return True

    def read(self, now: float) -> bool:
        """Take one GetRecords call; False if it is over a limit.

        How much it will return is not known yet: a large response puts bytes into debt, so that after 10 MB
        the calls of the next five seconds are refused, as AWS documents it.
        """
        if not self._reads.affords(1, now) or self._read_bytes.level(now) <= 0:
            return False
        self._reads.draw(1)
        return True

    def has_read(self, size: int) -> None:
        """Account for what a GetRecords call returned, in bytes."""
        self._read_bytes.draw(size)
