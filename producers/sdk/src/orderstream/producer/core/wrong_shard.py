"""Records that landed in another shard than predicted: the shard map shows whether consumers will drop them.

::

    landed elsewhere ──> waiting ──> a map read after the record was sealed knows the shard ──> judged
                            └──────> its deadline passes, the map is denied, the producer closes ───> taken
"""

from collections.abc import Iterator, Mapping
from math import inf

from orderstream.kinesis.shard import HashRange
from orderstream.producer.core.kinesis_record import KinesisRecord


class WrongShards:
    """Judges the records that landed elsewhere, and keeps those that wait for a map.

    Attributes:
        map_version: How many shard maps were adopted so far.
    """

    def __init__(self) -> None:
        self.map_version = 0
        self._ranges: Mapping[str, HashRange] = {}
        self._waiting: list[KinesisRecord] = []

    def __bool__(self) -> bool:
        """Whether records wait for a map."""
        return bool(self._waiting)

    def __iter__(self) -> Iterator[KinesisRecord]:
        """The waiting records, in the order in which they landed."""
        return iter(self._waiting)

    def add(self, record: KinesisRecord) -> None:
        """Let a record wait for the next map."""
        self._waiting.append(record)

    def adopt(self, ranges: Mapping[str, HashRange]) -> list[KinesisRecord]:
        """Take the next shard map.

        Args:
            ranges: The hash keys of every shard ever seen, by shard id.

        Returns:
            The records that can be judged now; they wait no more.
        """
        self.map_version += 1
        self._ranges = ranges
        ready = [record for record in self._waiting if self.can_judge(record)]
        self._waiting = [record for record in self._waiting if not self.can_judge(record)]
        return ready

    def can_judge(self, record: KinesisRecord) -> bool:
        """Whether the shard map was read after the record was sealed and knows where it landed."""
        assert record.landed is not None
        return self.map_version > record.map_version and record.landed.shard_id in self._ranges

    def is_wrong(self, record: KinesisRecord) -> bool:
        """Whether consumers will drop a record for the shard in which it landed.

        KCL's AggregatorUtil discards an aggregate whole if one user record's hash key lies outside the shard.
        """
        assert record.landed is not None
        covers = self._ranges[record.landed.shard_id].covers
        return record.aggregated and not all(covers(user.hash_key) for user in record.user_records)

    def take_all(self) -> list[KinesisRecord]:
        """Take the waiting records: they are not judged any more."""
        waiting, self._waiting = self._waiting, []
        return waiting

    def take_expired(self, put_before: float) -> list[KinesisRecord]:
        """Take the waiting records of which every user record was put by then.

        The user records of an aggregate landed together and are judged together: the youngest's time counts.
        """
        expired = [record for record in self._waiting if _last_put(record) <= put_before]
        self._waiting = [record for record in self._waiting if _last_put(record) > put_before]
        return expired

    def oldest_put(self) -> float:
        """When the first of them expires, as the time of a put; infinity if none waits."""
        return min(map(_last_put, self._waiting), default=inf)


def _last_put(record: KinesisRecord) -> float:
    return max(user.arrival.put_at for user in record.user_records)
