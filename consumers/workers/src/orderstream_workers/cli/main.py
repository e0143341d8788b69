"""The ``orderstream`` command: each subcommand is a module that is imported only when it is asked for.

A worker's container should not pay, in memory and in seconds, for what only the demo needs. What does not
belong to production plugs in by the entry point ``orderstream.commands``.
"""

import logging
import sys
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import Final

import click

from orderstream.errors import OrderstreamError
from orderstream_workers.cli.layout import printable, wrapped

logger = logging.getLogger(__name__)

_COMMANDS: Final = {
    "api": ("orderstream_workers.cli.processes.api", "api"),
    "dlq": ("orderstream_workers.cli.dlq", "dlq"),
    "order": ("orderstream_workers.cli.order", "order"),
    "provision": ("orderstream_workers.cli.provision", "provision"),
    "payment-worker": ("orderstream_workers.cli.processes.payment_worker", "payment_worker"),
    "read-model": ("orderstream_workers.cli.read_model", "read_model"),
    "saga": ("orderstream_workers.cli.saga", "saga"),
    "shipping": ("orderstream_workers.cli.goods.shipping", "shipping"),
    "status": ("orderstream_workers.cli.status", "status"),
    "stock": ("orderstream_workers.cli.goods.stock", "stock"),
    "worker": ("orderstream_workers.cli.processes.worker", "worker"),
}

_PLUGGED: Final = "orderstream.commands"


_ELSEWHERE: Final = {"demo": "orderstream-playground", "local": "orderstream-playground"}
"""Commands that other distributions of ours bring."""


class CommandNotInstalledError(OrderstreamError):
    """A command is known, and the distribution that brings it is not installed.

    Args:
        command: The command.
        distribution: The distribution.
    """

    def __init__(self, command: str, distribution: str) -> None:
        self.command = command
        self.distribution = distribution
        super().__init__(
            f"`orderstream {command}` is not installed here: install {distribution}, from where "
            "orderstream-workers itself came"
        )


class _LazyGroup(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return sorted({*_COMMANDS, *(plugged.name for plugged in _plugged())})

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
                plug: click.Command = plugged.load()
                return plug
        if cmd_name in _ELSEWHERE:
            raise CommandNotInstalledError(cmd_name, _ELSEWHERE[cmd_name])
        return None


def _plugged() -> list[EntryPoint]:
    return sorted(entry_points(group=_PLUGGED), key=lambda point: point.name)


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
        from orderstream_workers.runtime.logs import logs_are_lines  # noqa: PLC0415 - only then

        if logs_are_lines():
            logger.critical("process ends by an error", extra={"error": error})
            sys.exit(1)
        # It may quote what came from outside.
        said = "\n".join(map(printable, str(error).splitlines()))
        click.echo(wrapped(f"orderstream: {said}"), err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
