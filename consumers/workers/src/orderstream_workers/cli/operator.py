"""Who is at work: by a token where there is one, else by the word of the person at the keyboard.

An operator who runs a command has the AWS rights to do the same without it. So a name on the command line is
taken as it is; a token makes the name that is kept one that the issuer vouches for.
"""

import functools
import getpass
import os
from dataclasses import dataclass, field
from typing import Any, Final

import click

from orderstream_orders.callers import OPERATE, Caller
from orderstream_orders.callers.token import verify
from orderstream_workers.cli.options import Command
from orderstream_workers.operations.errors import NotDoneError
from orderstream_workers.runtime.http.callers import issuer_keys, token_policy
from orderstream_workers.runtime.resources import Resources

TOKEN_VARIABLE: Final = "ORDERSTREAM_OPERATOR_TOKEN"  # noqa: S105 - the variable's name
"""Holds the operator's token."""


@dataclass(frozen=True, slots=True)
class Operator:
    """Who is at work, as the command line says.

    Attributes:
        said: The name that was given, or the user's own.
        token: A token of the issuer; None without one.
    """

    said: str
    token: str | None = field(default=None, repr=False)

    def name(self, resources: Resources) -> str:
        """The name to keep.

        Args:
            resources: Have the settings that tokens are verified by.

        Raises:
            NotDoneError: the token is not valid, or does not grant ``orders:operate``.
            SettingsError: the settings do not say whose tokens are taken.
            DependencyError: the issuer's keys cannot be had.
        """
        if self.token is None:
            return self.said
        policy = token_policy(resources.settings)
        keys = issuer_keys(resources.settings, resources.close_later)
        keys.refresh_if_due()
        keys.ask()
        found = verify(self.token, keys.good(), policy, resources.clock())
        if not isinstance(found, Caller):
            raise NotDoneError(
                f"the token in {TOKEN_VARIABLE} is not valid: {found}; ask the issuer for a new one"
            )
        if OPERATE not in found.scopes:
            raise NotDoneError(
                f"the token in {TOKEN_VARIABLE} does not grant {OPERATE}; ask the issuer for one"
            )
        return found.name


def operator_option(command: Command) -> Command:
    """``--operator``, or a token in the environment; the command gets them as an ``Operator``."""

    def acting(*args: Any, operator: str | None, operator_token: str | None, **more: Any) -> Any:
        if operator is not None and operator_token:
            raise click.UsageError(f"--operator contradicts {TOKEN_VARIABLE}, whose token says who you are")
        said = _this_user() if operator is None else operator
        if not said.strip():
            raise click.UsageError("--operator must not be empty")
        return command(*args, operator=Operator(said, operator_token or None), **more)

    acting_command: Command = functools.update_wrapper(acting, command)
    for option in (
        click.option("--operator", help="Who does it; it is kept.  [default: the user's name]"),
        click.option(
            "--operator-token",
            envvar=TOKEN_VARIABLE,
            show_envvar=True,
            hidden=True,  # on a command line every user of the machine would see it
        ),
    ):
        acting_command = option(acting_command)
    return acting_command


def _this_user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user need not have a name
        return f"uid {os.getuid()}"
