"""The ``orderstream`` command: each subcommand is a module that is imported only when it is asked for.

A worker's container should not pay, in memory and in seconds, for what only the demo needs. What does not
belong to production plugs in by the entry point ``orderstream.commands``; it is listed only where what it
needs is installed.
"""

import sys
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import Final

import click

from orderstream.errors import OrderstreamError
from orderstream_workers.cli.layout import printable, wrapped

_COMMANDS: Final = {
    "api": ("orderstream_workers.cli.api", "api"),
    "dlq": ("orderstream_workers.cli.dlq", "dlq"),
    "order": ("orderstream_workers.cli.order", "order"),
    "provision": ("orderstream_workers.cli.provision", "provision"),
    "payment-worker": ("orderstream_workers.cli.payment_worker", "payment_worker"),
    "saga": ("orderstream_workers.cli.saga", "saga"),
    "status": ("orderstream_workers.cli.status", "status"),
    "stock": ("orderstream_workers.cli.stock", "stock"),
    "worker": ("orderstream_workers.cli.worker", "worker"),
}

_PLUGGED: Final = "orderstream.commands"


class CommandNotInstalledError(OrderstreamError):
    """A command is known, and what it needs is not installed.

    Args:
        command: The command.
        missing: The module that is not there.
        extras: The extras of ``orderstream-workers`` that bring it.
    """

    def __init__(self, command: str, missing: str, extras: str) -> None:
        self.command = command
        self.missing = missing
        self.extras = extras
        super().__init__(
            f"`orderstream {command}` needs {missing}, which is not installed here: install "
            f"orderstream-workers with its extra {extras!r}, from where orderstream-workers itself came"
        )


class _LazyGroup(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return sorted({*_COMMANDS, *(plugged.name for plugged in _plugged() if _is_installed(plugged))})

    def get_command(
        self,
        ctx: click.Context,  # noqa: ARG002 - click's signature
        cmd_name: str,
    ) -> click.Command | None:
        if cmd_name in _COMMANDS:
            module, name = _COMMANDS[cmd_name]
            command: click.Command = getattr(import_module(module), name)
            return command
        for plugged in _plugged():
            if plugged.name == cmd_name:
                return _loaded(plugged)
        return None


def _plugged() -> list[EntryPoint]:
    return sorted(entry_points(group=_PLUGGED), key=lambda point: point.name)


def _loaded(point: EntryPoint) -> click.Command:
    try:
        command: click.Command = point.load()
    except ModuleNotFoundError as error:
        raise CommandNotInstalledError(point.name, str(error.name), ",".join(point.extras)) from error
    return command


def _is_installed(point: EntryPoint) -> bool:
    try:
        _loaded(point)
    except CommandNotInstalledError:
        return False
    return True


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="orderstream-workers")
def orderstream() -> None:
    """Orderstream: an order pipeline on Kinesis Data Streams.

    Exit status: 0 when it is done, 1 when it is not, with one sentence why, 2 for a mistake on
    the command line.
    """


def main() -> None:
    """Run the command; an error of ours is one clear sentence and exit status 1."""
    try:
        orderstream()
    except OrderstreamError as error:
        # It may quote what came from outside.
        said = "\n".join(map(printable, str(error).splitlines()))
        click.echo(wrapped(f"orderstream: {said}"), err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
