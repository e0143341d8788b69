"""Which environment an operator's command works on: the local one of a folder, or the one that AWS_* names.

::

                         no flag          --local, --home DIR     --aws
    local only           local            local                   what AWS_* says
    AWS_* or others only AWS              "no environment in DIR"  AWS
    both                 refused          local                   AWS
    neither              refused          refused                 refused by the first call

A local environment counts even if it has ended without ``local down``: it is refused as stale, not passed
over, so that a command never changes sides because of a reboot.
"""

import functools
import os
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal
from urllib.parse import urlsplit

import click
import msgspec
from click.core import ParameterSource

from orderstream.errors import OrderstreamError
from orderstream_workers.cli.options import home_option
from orderstream_workers.runtime.clients import account, region
from orderstream_workers.runtime.isolation import isolated
from orderstream_workers.runtime.settings import Settings

Command = Callable[..., Any]

_AWS_NAMES: Final = (
    "AWS_ACCESS_KEY_ID",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_DEFAULT_REGION",
    "AWS_PROFILE",
    "AWS_REGION",
    "AWS_ROLE_ARN",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
)
"""Each says where AWS is or who we are there; ``AWS_ENDPOINT_URL*`` do as well."""

_SHAPE_A_LOCAL_ONE: Final = frozenset(
    f"ORDERSTREAM_{name}"
    for name in ("HOME", "BASE_PORT", "ENGINE", "COMPRESSION", "LOG_LEVEL", "OPERATOR_TOKEN")
)
"""These are set for ``local up`` too, and name no environment."""


class TargetError(OrderstreamError):
    """It is not clear, or not true, what a command is to work on.

    Args:
        reason: What is wrong, and what to do.
    """

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class _Process(msgspec.Struct, frozen=True):
    name: str
    pid: int
    port: int


class LocalRecord(msgspec.Struct, frozen=True):
    """What ``local up`` writes down, as far as an operator's command needs it.

    Attributes:
        environment: The variables that point a process at the environment.
        processes: What was started.
    """

    environment: dict[str, str] = {}
    processes: tuple[_Process, ...] = ()


@dataclass(frozen=True, slots=True)
class TargetChoice:
    """What the command line says of the target.

    Attributes:
        home: Folder of the local environment.
        wanted: What a flag has decided; None if none has.
    """

    home: Path
    wanted: Literal["local", "aws"] | None = None


@dataclass(frozen=True, slots=True)
class Target:
    """What a command works on.

    Attributes:
        kind: A local environment, or what the variables name.
        home: Folder of the local environment.
        variables: The environment variables to work with.
    """

    kind: Literal["local", "aws"]
    home: Path
    variables: Mapping[str, str] = field(repr=False)

    def enter(self) -> Settings:
        """Make the variables this process's own: boto3 reads its endpoints from them.

        Returns:
            The settings that they hold.

        Raises:
            SettingsError: one of them cannot be used.
        """
        if self.kind == "local":
            os.environ.clear()
            os.environ.update(self.variables)
        return Settings.from_environment(self.variables)

    def described(self, settings: Settings) -> str:
        """Name it for a person: account, region, endpoint and prefix, or the folder. After ``enter``.

        Raises:
            SettingsError: no region is set.
        """
        if self.kind == "local":
            return f"the local environment in {self.home}"
        return aws_described(settings, self.variables)


def aws_described(settings: Settings, variables: Mapping[str, str]) -> str:
    """Name what AWS_* and ORDERSTREAM_* point at: account, region, endpoints, prefix.

    Raises:
        SettingsError: no region is set.
    """
    names = sorted(name for name in variables if name.startswith("AWS_ENDPOINT_URL") and variables[name])
    endpoints = ", ".join(f"{name}={variables[name]}" for name in names) or "AWS's own"
    return (
        f"AWS account {account()}, region {region()}, endpoints: {endpoints}, "
        f"ORDERSTREAM_TABLE_PREFIX={settings.table_prefix}"
    )


def target_options(command: Command) -> Command:
    """``--local``, ``--aws`` and ``--home``; the command gets them as ``target``, a ``TargetChoice``."""

    def chosen(*args: Any, home: Path, local: bool, aws: bool, **more: Any) -> Any:
        source = click.get_current_context().get_parameter_source("home")
        local = local or source is ParameterSource.COMMANDLINE
        if local and aws:
            raise click.UsageError("--aws contradicts --local and --home: choose one")
        wanted: Literal["local", "aws"] | None = "local" if local else "aws" if aws else None
        return command(*args, target=TargetChoice(home, wanted), **more)

    chosen_command: Command = functools.update_wrapper(chosen, command)
    for option in (
        home_option,
        click.option("--aws", is_flag=True, help="Work on what AWS_* and ORDERSTREAM_* name."),
        click.option("--local", is_flag=True, help="Work on the local environment of --home."),
    ):
        chosen_command = option(chosen_command)
    return chosen_command


def choose(choice: TargetChoice, environment: Mapping[str, str], *, also: str = "AWS_REGION") -> Target:
    """Decide what a command works on.

    Args:
        choice: What the command line says.
        environment: The environment variables of this process.
        also: The variable to name in the error if neither is there.

    Raises:
        TargetError: both kinds are given and nothing decides, or the one that is wanted is not there.
    """
    record = None if choice.wanted == "aws" else _read(choice.home)
    naming = _naming(environment)
    if choice.wanted is None and record is not None and naming:
        raise TargetError(
            f"there is a local environment in {choice.home}, and {', '.join(naming)} "
            f"name{'s' if len(naming) == 1 else ''} another one; say which with --local or --aws"
        )
    if choice.wanted == "aws" or (record is None and choice.wanted is None and naming):
        return Target("aws", choice.home, environment)
    if record is None:
        nothing_there = f"no environment is up in {choice.home}"
        if choice.wanted == "local":
            raise TargetError(f"{nothing_there}; start one with `orderstream local up`")
        raise TargetError(
            f"no environment is named: set the workers' environment variables, {also} among them, or, on a "
            f"developer's machine, start one with `orderstream local up` ({nothing_there})"
        )
    _check_alive(choice.home, record)
    return Target("local", choice.home, isolated(environment, record.environment))


def _naming(environment: Mapping[str, str]) -> list[str]:
    return sorted(
        name
        for name, value in environment.items()
        if value
        and (
            name in _AWS_NAMES
            or name.startswith("AWS_ENDPOINT_URL")
            or (name.startswith("ORDERSTREAM_") and name not in _SHAPE_A_LOCAL_ONE)
        )
    )


def _read(home: Path) -> LocalRecord | None:
    file = home / "state.json"
    try:
        record = msgspec.json.decode(file.read_bytes(), type=LocalRecord)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.DecodeError) as error:
        raise TargetError(
            f"{file} says what runs there and cannot be read ({error}); delete the folder {home} if nothing "
            "does, or say --aws"
        ) from error
    return record


def _check_alive(home: Path, record: LocalRecord) -> None:
    """A state file outlives a reboot, so what it names has to be there: the emulators that are asked."""
    urls = {value for name, value in record.environment.items() if name.startswith("AWS_ENDPOINT_URL")}
    ports = {urlsplit(url).port for url in urls}
    asked = [process for process in record.processes if process.port in ports]
    ended = [process.name for process in asked if not _is_up(process)]
    if ended or not asked:
        raise TargetError(
            f"the environment in {home} is not up any more, although it was not stopped: "
            f"{' and '.join(ended) or 'its emulators'} ended; clean up with `orderstream local down`, then "
            "start it with `orderstream local up`, or say --aws"
        )


def _is_up(process: _Process) -> bool:
    try:
        os.kill(process.pid, 0)
        with socket.create_connection(("127.0.0.1", process.port), timeout=2):
            return True
    except OSError:
        return False
