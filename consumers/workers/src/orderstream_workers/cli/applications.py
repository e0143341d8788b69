"""The applications' names on the command line.

They are looked up when a command runs: a folder of the environment may hold more of them, and the command's
own options choose the environment.
"""

import click

from orderstream_workers.runtime.discovery import application_names
from orderstream_workers.runtime.settings import Settings


class ApplicationCommand(click.Command):
    """A command of which the help lists the applications."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the names below everything else."""
        self.epilog = f"Applications: {', '.join(application_names(Settings.from_environment()))}."
        super().format_epilog(ctx, formatter)


class ApplicationGroup(ApplicationCommand, click.Group):
    """Commands of which the help lists the applications."""


def known(name: str, settings: Settings, *more: str) -> str:
    """An application's name, as the user has given it.

    Args:
        name: What was given.
        settings: Say which applications there are.
        more: What may be named besides.

    Raises:
        BadParameter: there is none of that name.
        TopologyError: they cannot be found.
    """
    names = (*application_names(settings), *more)
    if name not in names:
        raise click.BadParameter(f"{name!r} is not one of {', '.join(names)}.", param_hint="APPLICATION")
    return name
