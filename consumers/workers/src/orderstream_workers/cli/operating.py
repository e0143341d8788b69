"""What operators' commands share: the environment that they work on, and how their calls fail."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import click

from orderstream.errors import DependencyError, OrderstreamError
from orderstream_workers.cli.layout import wrapped
from orderstream_workers.cli.target import TargetChoice, choose
from orderstream_workers.runtime.logs import configure_terminal_logging
from orderstream_workers.runtime.resources import Resources


class OperationFailedError(OrderstreamError):
    """A dependency did not do what a command asked. Only the operator can repeat the command.

    Args:
        error: What failed.
        target: What the command works on, with the settings that decide it.
    """

    retryable = True

    def __init__(self, error: DependencyError, target: str) -> None:
        self.error = error
        self.target = target
        # Workers retry and log it; a command does neither.
        said = str(error).removesuffix("; it will be tried again")
        super().__init__(
            f"{said}; this was asked of {target}; correct the setting that names it, or fix the cause, and "
            "run the command again"
        )


@contextmanager
def operated(context: click.Context, choice: TargetChoice) -> Iterator[Resources]:
    """The resources to work on: those that the caller gave as the context's object, or else new ones.

    What they are of is said on standard error.

    Args:
        context: The command's context.
        choice: What the command line says of the target.

    Raises:
        TargetError: it is not clear which environment is meant, or it is not there.
        SettingsError: an environment variable cannot be used, or is missing.
        OperationFailedError: a dependency failed.
    """
    given = context.find_object(Resources)
    if given is not None:
        yield given
        return
    target = choose(choice, os.environ)
    settings = target.enter()
    configure_terminal_logging()
    described = target.described(settings)
    click.echo(wrapped(f"on {described}"), err=True)
    with failing_once(described), Resources(settings) as resources:
        yield resources


@contextmanager
def failing_once(target: str) -> Iterator[None]:
    """Let a dependency's failure end the command with what was asked, of what, and what to do.

    Args:
        target: What the command works on, for a person.

    Raises:
        OperationFailedError: a dependency failed.
    """
    try:
        yield
    except DependencyError as error:
        raise OperationFailedError(error, target) from error
