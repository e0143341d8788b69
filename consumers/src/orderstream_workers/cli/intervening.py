"""An operator's work on dead letters: counted, confirmed, and written down with who did it and why."""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import click

from orderstream_workers.cli.layout import printable
from orderstream_workers.cli.options import Command, operator_option, parked_for_option
from orderstream_workers.engine.delivery import Intervention, ParkedRecords, RecordHandler
from orderstream_workers.operations.dead_letters import (
    ListedKey,
    listed,
    no_letter,
    not_parked,
    str_position,
)
from orderstream_workers.operations.errors import NotDoneError
from orderstream_workers.runtime.resources import Resources


@dataclass(frozen=True, slots=True)
class Selected:
    """Which dead letters a command is about, and who is at work.

    Attributes:
        key: Those of this key; None for those of many.
        parked_for: Of many, those whose reason contains this text; empty for all of them.
        yes: Whether the operator need not be asked.
        operator: Who does it.
        reason: Why.
    """

    key: str | None
    parked_for: str
    yes: bool
    operator: str
    reason: str


def selection(command: Command) -> Command:
    """A key, or many, and who does it and why; the command gets them as ``selected``, a ``Selected``."""

    def chosen(*args: Any, every: bool, **given: Any) -> Any:
        selected = Selected(**{name: given.pop(name) for name in Selected.__slots__})
        if (selected.key is None) == (not (every or selected.parked_for)):
            raise click.UsageError("give a KEY, or --all or --parked-for for many of them")
        if not selected.operator.strip():
            raise click.UsageError("--operator must not be empty")
        return command(*args, selected=selected, **given)

    chosen_command: Command = functools.update_wrapper(chosen, command)
    for option in (
        click.option("--reason", default="", help="Why you do it; it is kept with your name."),
        operator_option,
        click.option("--yes", is_flag=True, help="Do not ask."),
        parked_for_option,
        click.option("--all", "every", is_flag=True, help="Every key of the application."),
        click.argument("key", required=False),
    ):
        chosen_command = option(chosen_command)
    return chosen_command


class Intervening:
    """One command's work on an application's dead letters, written down with its operator.

    Args:
        resources: Where they are.
        application: Whose.
        action: What is done.
        selected: Which of them, by whom and why.
    """

    def __init__(
        self,
        resources: Resources,
        application: str,
        action: Literal["redrive", "discard"],
        selected: Selected,
    ) -> None:
        self._resources = resources
        self._application = application
        self._action = action
        self._selected = selected
        self._parked = ParkedRecords(resources.store, application)

    def confirmed(self) -> list[ListedKey]:
        """The keys that are meant, after the operator has seen how many they are."""
        parked_for = self._selected.parked_for
        keys = listed(self._resources, self._application, parked_for)
        if not keys:
            raise NotDoneError(
                f"nothing is parked for {self._application}"
                + (f" with {parked_for!r} in its reason" if parked_for else "")
            )
        behind = sum(key.behind for key in keys)
        what = f"{len(keys)} keys of {self._application}, with {behind} more records behind the first ones"
        confirm(f"{self._action.capitalize()} {what}?", yes=self._selected.yes)
        return keys

    def redriven(self, key: str, handler: RecordHandler) -> int:
        """Carry out what is parked under a key; return how many records."""
        if not self._parked.is_parked(key):
            raise not_parked(self._application, key)
        records = self._parked.records(key)
        first = records[0] if records else None
        self._note(
            key, len(records), str_position(first) if first else "", first.reason if first else "nothing left"
        )
        return self._parked.redrive(key, handler)

    def discarded(self, key: str, *, behind: bool) -> int:
        """Discard the first record of a key, or all that are there now; return how many."""
        records = self._parked.records(key)
        for record in records if behind else records[:1]:
            noted = self._intervention(key, 1, str_position(record), record.reason)
            self._parked.discard_first(key, record.record.position, [noted.write()])
        return len(records if behind else records[:1])

    def letters(self, act: Callable[..., int]) -> int:
        """Deal with dead payments: of one order, or of all that are meant; return how many."""
        key = self._selected.key
        if key is None:
            keys = self.confirmed()
        else:
            keys = [one for one in listed(self._resources, self._application) if one.key == key]
            if not keys:
                raise no_letter(key)
            if self._action == "discard":
                confirm(
                    f"Discard {len(keys)} dead letters of order {printable(key)}?", yes=self._selected.yes
                )
        counts = {one.key: 0 for one in keys}
        for one in keys:
            counts[one.key] += 1
        for order_id, count in counts.items():
            self._note(order_id, count, "", keys[0].reason)
        return act(*counts)

    def _intervention(self, key: str, records: int, position: str, parked_for: str) -> Intervention:
        return Intervention(
            application=self._application,
            partition_key=key,
            action=self._action,
            operator=self._selected.operator,
            reason=self._selected.reason,
            at=self._resources.clock(),
            records=records,
            first_position=position,
            parked_for=parked_for,
        )

    def _note(self, key: str, records: int, position: str, parked_for: str) -> None:
        self._resources.store.transact([self._intervention(key, records, position, parked_for).write()])


def confirm(question: str, *, yes: bool) -> None:
    """Ask, unless the command line has said yes.

    Raises:
        Abort: the answer is no.
    """
    if not yes:
        click.confirm(question, abort=True)
