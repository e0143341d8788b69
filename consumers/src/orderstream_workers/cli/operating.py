"""What operators' commands share: the environment that they work on, and how they show things."""

import datetime as dt
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import click

from orderstream_workers.local.environment import Layout
from orderstream_workers.local.errors import LocalEnvironmentError
from orderstream_workers.local.lifecycle import read_state
from orderstream_workers.runtime.logs import configure_logging
from orderstream_workers.runtime.resources import Resources
from orderstream_workers.runtime.settings import Settings

_NAMED_BY: Final = ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL")
"""One of these is set wherever our processes run outside a local environment."""


@contextmanager
def operated(context: click.Context, home: Path) -> Iterator[Resources]:
    """The resources to work on: those that the caller gave as the context's object, or else new ones.

    They are of the local environment if one is up, else of what the environment variables name.

    Args:
        context: The command's context.
        home: Folder of the local environment.

    Raises:
        LocalEnvironmentError: there is neither.
        SettingsError: an environment variable cannot be used.
    """
    given = context.find_object(Resources)
    if given is not None:
        yield given
        return
    state = read_state(home)
    if state is not None:
        # boto3 reads its endpoints from here.
        os.environ.update(Layout(home, state.options).environment)
    elif not any(os.environ.get(name) for name in _NAMED_BY):
        raise LocalEnvironmentError(
            f"no environment is up in {home}; start one with `orderstream local up`, "
            "or name another one by the workers' environment variables, AWS_REGION among them"
        )
    settings = Settings.from_environment()
    configure_logging(settings.log_level, "operator")
    with Resources(settings) as resources:
        yield resources


def age(since: dt.datetime, now: dt.datetime) -> str:
    """How long ago, in the two largest units: ``"2d 3h"``, ``"5m 10s"``; never below ``"0s"``."""
    seconds = max(int((now - since).total_seconds()), 0)
    parts: list[str] = []
    for unit, length in (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)):
        count, seconds = divmod(seconds, length)
        if count or (unit == "s" and not parts):
            parts.append(f"{count}{unit}")
    return " ".join(parts[:2])


def printable(text: str) -> str:
    """Text from outside, safe for a terminal: whatever is no printable character is escaped."""
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode()
        for character in text
    )
