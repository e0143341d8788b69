"""Reports what becomes of records, once for each, and keeps the order of keys where one is given up."""

from collections.abc import Iterator, Sequence

from orderstream.producer.core.messages import Complete, GiveUp
from orderstream.producer.core.pending import Arrival, PendingRecord
from orderstream.producer.core.reporting.given_up import GivenUpKeys
from orderstream.producer.core.reporting.measuring import Measuring
from orderstream.producer.outcome import Completion, Landed, Rejected


class Outcomes:
    """Collects the outcomes that follow from one input.

    Args:
        measuring: Measures each of them.

    Attributes:
        given_up: The keys of records that were given up and whose failure is not visible to callers yet.
    """

    def __init__(self, measuring: Measuring) -> None:
        self._measuring = measuring
        self._completions: list[Complete] = []
        self._for_good: list[Complete] = []
        self.given_up = GivenUpKeys()

    def landed(
        self, records: Sequence[PendingRecord], completion: Completion, size: int, outcome: Landed, now: float
    ) -> None:
        """Records of ``size`` bytes that travelled together are where consumers find them."""
        self._completions.append(self._complete(records, completion, size, outcome, now))

    def reject(
        self,
        records: Sequence[PendingRecord],
        reason: str,
        now: float,
        *,
        unsent: bool = False,
        expired: bool = False,
    ) -> None:
        """Records are given up, maybe because they waited for too long; the next ones of their keys go on."""
        if expired:
            self._measuring.expired(records)
        self._completions += self._rejection(records, Rejected(reason, unsent=unsent), now)

    def give_up(self, records: Sequence[PendingRecord], reason: str, now: float) -> frozenset[str]:
        """Records are given up for good.

        Returns:
            Their keys: what waits behind them goes with them, by ``give_up_behind``.
        """
        self._for_good += self._rejection(records, Rejected(reason), now)
        return self.given_up.add(records, f"an earlier record of its key was given up: {reason}")

    def give_up_behind(self, records: Sequence[PendingRecord], reason: str, now: float) -> None:
        """Records go with an earlier one of their key."""
        reason = f"an earlier record of its key was given up: {reason}"
        self._for_good += self._rejection(records, Rejected(reason), now)

    def without_given_up(
        self, records: Sequence[PendingRecord], arrival: Arrival, now: float
    ) -> list[PendingRecord]:
        """Give up those that arrive behind a record that was given up; return the others."""
        passing, behind = self.given_up.split(records)
        for reason, late in behind.items():
            for record in late:
                record.arrival = arrival
            self.reject(late, reason, now)
        return passing

    def take(self) -> list[Complete | GiveUp]:
        """Return the commands that report all this, and forget it."""
        commands: list[Complete | GiveUp] = [*self._completions]
        if self._for_good:
            commands.append(GiveUp(self._for_good))
        self._completions, self._for_good = [], []
        return commands

    def _rejection(
        self, records: Sequence[PendingRecord], outcome: Rejected, now: float
    ) -> Iterator[Complete]:
        if records:
            # Not all that travelled with them need share their end.
            completion = Completion()
            for record in records:
                record.completion = completion
            size = sum([record.size for record in records])
            yield self._complete(records, completion, size, outcome, now)

    def _complete(
        self,
        records: Sequence[PendingRecord],
        completion: Completion,
        size: int,
        outcome: Landed | Rejected,
        now: float,
    ) -> Complete:
        self._measuring.completed(records, size, now, acknowledged=isinstance(outcome, Landed))
        return Complete(records, completion, size, outcome)
