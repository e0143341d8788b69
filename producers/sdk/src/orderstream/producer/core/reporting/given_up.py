"""Keeps a key's order where one of its records is given up: the next ones must not pass it.

The caller learns of the failure later than the core, and may put the record once more::

    put a, put b             a fails for good          reported          put a, put b again
    ----+------------------------+-----------------------+----------------------+---------->
              b waits            | b arrives             | b is a new record
              given up with a    | given up as well      | accepted
"""

from collections.abc import Iterable, Sequence

from orderstream.producer.core.pending import PendingRecord


class GivenUpKeys:
    """The keys of records that were given up and whose failure is not visible to callers yet."""

    __slots__ = ("_reasons",)

    def __init__(self) -> None:
        self._reasons: dict[str, str] = {}

    def __bool__(self) -> bool:
        return bool(self._reasons)

    def add(self, records: Iterable[PendingRecord], reason: str) -> frozenset[str]:
        """Note that records were given up, and why; return their keys."""
        keys = frozenset(record.partition_key for record in records)
        self._reasons.update(dict.fromkeys(keys, reason))
        return keys

    def split(
        self, records: Sequence[PendingRecord]
    ) -> tuple[list[PendingRecord], dict[str, list[PendingRecord]]]:
        """Separate the records that arrive now.

        Returns:
            Those that may pass, and those behind a record that was given up, by its reason; each in order.
        """
        passing: list[PendingRecord] = []
        behind: dict[str, list[PendingRecord]] = {}
        for record in records:
            reason = self._reasons.get(record.partition_key)
            (passing if reason is None else behind.setdefault(reason, [])).append(record)
        return passing, behind

    def reported(self) -> None:
        """All failures are visible to callers by now."""
        self._reasons.clear()
