"""The ``shard-sizing`` command. Exit 0 fits, 2 does not, 3 infeasible, 1 wrong input, 141 a closed pipe."""

import os
import signal
import sys
from collections.abc import Sequence
from typing import Final

import click

from orderstream.errors import OrderstreamError
from shard_sizing.cli.compare import compare
from shard_sizing.cli.hotkeys import hotkeys
from shard_sizing.cli.measure import measure
from shard_sizing.cli.parameters.notes import note
from shard_sizing.cli.plan import plan
from shard_sizing.cli.sample import sample
from shard_sizing.cli.simulate import simulate
from shard_sizing.cli.size import size
from shard_sizing.cli.whatif import whatif
from shard_sizing.cli.workers import workers

_CLOSED_PIPE: Final = 128 + signal.SIGPIPE
"""What a shell reports of a program that ends by a closed pipe: not a verdict."""


class _ClosedPipeError(Exception):
    """The output's reader is gone. Not an OSError: for those click ends with the status of wrong input."""


class _Commands(click.Group):
    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(self.commands)  # in the order of use

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except BrokenPipeError as error:
            raise _ClosedPipeError from error


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="orderstream-sizing")
def shard_sizing() -> None:
    """Capacity planning for Kinesis Data Streams that knows keys, bursts and aggregation.

    Begin with a profile: sample makes one of a file of events, measure of a live stream. Or make a workload
    up (--rate). The other commands plan for it. Only measure, and simulate and plan with --stream, call AWS;
    only plan --apply changes shards.

    Exit status: 0 it fits, 2 it does not, 3 no number of shards is enough, 1 wrong input.
    """


for _command in (sample, measure, size, hotkeys, simulate, plan, workers, compare, whatif):
    shard_sizing.add_command(_command)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command; wrong input is one clear sentence and exit status 1.

    Args:
        arguments: What follows the command's name; by default those of this process.

    Raises:
        SystemExit: Always, with the command's exit status.
    """
    try:
        given = sys.argv[1:] if arguments is None else list(arguments)
        verdict = shard_sizing(given or ["--help"], standalone_mode=False, obj=given)
        sys.stdout.flush()  # here a closed pipe is still caught
        sys.exit(verdict)
    except click.ClickException as error:
        note(f"shard-sizing: {error.format_message()}")
    except OrderstreamError as error:
        note(f"shard-sizing: {error}")
    except (BrokenPipeError, _ClosedPipeError):
        # The reader has closed the pipe, as ``head`` does; the interpreter must not write to it again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(_CLOSED_PIPE)
    except OSError as error:
        note(f"shard-sizing: {error.filename or 'input or output'}: {error.strerror or error}")
    except click.Abort:
        note("shard-sizing: interrupted; nothing more was done")
    sys.exit(1)


if __name__ == "__main__":
    main()
