"""The ``orderstream`` command: each subcommand is a module that is imported only when it is asked for.

A worker's container should not pay, in memory and in seconds, for what only the demo needs.
"""

import sys
from importlib import import_module
from typing import Final

import click

from orderstream.errors import OrderstreamError

_COMMANDS: Final = {
    "api": ("orderstream_workers.cli.api", "api"),
    "demo": ("orderstream_workers.cli.demo", "demo"),
    "dlq": ("orderstream_workers.cli.dlq", "dlq"),
    "local": ("orderstream_workers.cli.local", "local"),
    "order": ("orderstream_workers.cli.order", "order"),
    "provision": ("orderstream_workers.cli.provision", "provision"),
    "payment-worker": ("orderstream_workers.cli.payment_worker", "payment_worker"),
    "saga": ("orderstream_workers.cli.saga", "saga"),
    "worker": ("orderstream_workers.cli.worker", "worker"),
}


class _LazyGroup(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return sorted(_COMMANDS)

    def get_command(
        self,
        ctx: click.Context,  # noqa: ARG002 - click's signature
        cmd_name: str,
    ) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module, name = _COMMANDS[cmd_name]
        command: click.Command = getattr(import_module(module), name)
        return command


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="orderstream-workers")
def orderstream() -> None:
    """Orderstream: an order pipeline on Kinesis Data Streams."""


def main() -> None:
    """Run the command; an error of ours is one clear sentence and exit status 1."""
    try:
        orderstream()
    except OrderstreamError as error:
        click.echo(f"orderstream: {error}", err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
