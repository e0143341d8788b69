"""An operator's work on dead letters, written down with who does it and why."""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Literal

from orderstream_consumer.delivery import Intervention, ParkedRecords, RecordHandler
from orderstream_workers.operations.dead_letters import ListedKey, not_parked
from orderstream_workers.runtime.resources import Resources

Action = Literal["redrive", "discard"]


class Intervening:
    """One operator's work on an application's dead letters.

    Args:
        resources: Where they are.
        application: Whose.
        action: What is done.
        operator: Who does it; at least one visible character.
        reason: Why; may be empty.
    """

    def __init__(
        self, resources: Resources, application: str, action: Action, *, operator: str, reason: str
    ) -> None:
        self._resources = resources
        self._application = application
        self._action = action
        self._operator = operator
        self._reason = reason
        self._parked = ParkedRecords(resources.store, application)

    def redriven(self, key: str, handler: RecordHandler) -> int:
        """Carry out what is parked under a key; return how many records.

        Raises:
            NotDoneError: nothing is parked under it.
            OrderstreamError: see ``ParkedRecords.redrive``.
        """
        if not self._parked.is_parked(key):
            raise not_parked(self._application, key)
        records = self._parked.records(key)
        first = records[0] if records else None
        self._note(
            key,
            len(records),
            str(first.record.position) if first else "",
            first.reason if first else "nothing left",
        )
        return self._parked.redrive(key, handler)

    def discarded(self, key: str, *, behind: bool) -> int:
        """Discard the first record of a key, or all that are there now; return how many.

        Raises:
            OrderstreamError: see ``ParkedRecords.discard_first``.
        """
        records = self._parked.records(key)
        for record in records if behind else records[:1]:
            noted = self._intervention(key, 1, str(record.record.position), record.reason)
            self._parked.discard_first(key, record.record.position, [noted.write()])
        return len(records if behind else records[:1])

    def letters(self, letters: Sequence[ListedKey], act: Callable[..., int]) -> int:
        """Deal with dead payments; return how many.

        Args:
            letters: The dead letters that are meant, at least one.
            act: Takes the ids of their orders, and returns how many letters it has handled.

        Raises:
            DependencyError: the store or the queue did not respond; do it again.
        """
        counts = Counter(one.key for one in letters)
        for order_id, count in counts.items():
            self._note(order_id, count, "", letters[0].reason)
        return act(*counts)

    def _intervention(self, key: str, records: int, position: str, parked_for: str) -> Intervention:
        return Intervention(
            application=self._application,
            partition_key=key,
            action=self._action,
            operator=self._operator,
            reason=self._reason,
            at=self._resources.clock(),
            records=records,
            first_position=position,
            parked_for=parked_for,
        )

    def _note(self, key: str, records: int, position: str, parked_for: str) -> None:
        self._resources.store.transact([self._intervention(key, records, position, parked_for).write()])
