"""Which dead letters a command is about: one key or many, counted and confirmed, with who does it and why."""

import functools
from dataclasses import dataclass
from typing import Any

import click

from orderstream_workers.cli.layout import printable
from orderstream_workers.cli.operator import Operator, operator_option
from orderstream_workers.cli.options import Command, parked_for_option
from orderstream_workers.operations.dead_letters import PAYMENT_WORKER, ListedKey, listed, no_letter
from orderstream_workers.operations.errors import NotDoneError
from orderstream_workers.operations.intervening import Action
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
    operator: Operator
    reason: str


def selection(command: Command) -> Command:
    """A key, or many, and who does it and why; the command gets them as ``selected``, a ``Selected``."""

    def chosen(*args: Any, every: bool, **given: Any) -> Any:
        selected = Selected(**{name: given.pop(name) for name in Selected.__slots__})
        if (selected.key is None) == (not (every or selected.parked_for)):
            raise click.UsageError("give a KEY, or --all or --parked-for for many of them")
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


def confirmed(resources: Resources, application: str, action: Action, selected: Selected) -> list[ListedKey]:
    """The keys that are meant of many, after the operator has seen how many they are.

    Raises:
        NotDoneError: there are none.
        Abort: the operator says no.
    """
    keys = listed(resources, application, selected.parked_for)
    if not keys:
        raise NotDoneError(
            f"nothing is parked for {application}"
            + (f" with {selected.parked_for!r} in its reason" if selected.parked_for else "")
        )
    behind = sum(key.behind for key in keys)
    what = f"{len(keys)} keys of {application}, with {behind} more records behind the first ones"
    confirm(f"{action.capitalize()} {what}?", yes=selected.yes)
    return keys


def confirmed_letters(resources: Resources, action: Action, selected: Selected) -> list[ListedKey]:
    """The dead payments that are meant: of one order, or of many; raises as ``confirmed`` does."""
    if selected.key is None:
        return confirmed(resources, PAYMENT_WORKER, action, selected)
    letters = [one for one in listed(resources, PAYMENT_WORKER) if one.key == selected.key]
    if not letters:
        raise no_letter(selected.key)
    if action == "discard":
        confirm(f"Discard {len(letters)} dead letters of order {printable(selected.key)}?", yes=selected.yes)
    return letters


def confirm(question: str, *, yes: bool) -> None:
    """Ask, unless the command line has said yes.

    Raises:
        Abort: the operator declines.
    """
    if not yes:
        click.confirm(question, abort=True)
