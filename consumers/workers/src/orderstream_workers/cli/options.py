"""Options that commands share."""

import datetime as dt
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import click

Command = Callable[..., Any]


_UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


class _Age(click.ParamType[dt.timedelta]):
    """A length of time: a whole number of one unit, such as ``90s``, ``15m``, ``2h``, ``3d``."""

    name = "age"

    def convert(
        self, value: str | dt.timedelta, param: click.Parameter | None, ctx: click.Context | None
    ) -> dt.timedelta:
        if isinstance(value, dt.timedelta):
            return value
        parts = re.fullmatch(r"([0-9]{1,5})([smhd])", value)
        if parts is None:
            self.fail(
                f"{value!r} is no age; give a number and a unit, such as 90s, 15m, 2h or 3d", param, ctx
            )
        return dt.timedelta(**{_UNITS[parts[2]]: int(parts[1])})


AGE: Final = _Age()
"""The type of an option that takes an age."""


def home_option(command: Command) -> Command:
    """``--home``: the folder of the local environment."""
    return click.option(
        "--home",
        type=click.Path(file_okay=False, path_type=Path),
        default=Path(".local"),
        show_default=True,
        envvar="ORDERSTREAM_HOME",
        show_envvar=True,
        help="Folder of the local environment's files.",
    )(command)


def json_option(command: Command) -> Command:
    """``--json``; the command gets it as ``as_data``."""
    return click.option("--json", "as_data", is_flag=True, help="Print JSON, for programs.")(command)


def parked_for_option(command: Command) -> Command:
    """``--parked-for``: of dead letters, those with this reason."""
    return click.option(
        "--parked-for", default="", metavar="TEXT", help="Only keys whose reason contains this text."
    )(command)
