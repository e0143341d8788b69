"""Options that commands share."""

import getpass
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

Command = Callable[..., Any]


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


def operator_option(command: Command) -> Command:
    """``--operator``: who does it, by default the user's name."""
    return click.option(
        "--operator", default=_this_user, show_default="the user's name", help="Who does it; it is kept."
    )(command)


def _this_user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user need not have a name
        return f"uid {os.getuid()}"
