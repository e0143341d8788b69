"""Options that commands share."""

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
