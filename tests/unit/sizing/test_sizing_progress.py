"""Progress of long work: for whoever watches, after two seconds, and not where it is not wanted."""

import io
from collections.abc import Callable
from threading import Timer

import pytest
from rich.console import Console

from fakes.sizing_cli import run
from shard_sizing.cli.presentation.progress import SHOWN_AFTER, progress


class Clock(Timer):
    """A timer whose time has come at once, or never comes."""

    def __init__(self, seconds: float, call: Callable[[], None], *, due: bool) -> None:
        assert seconds == SHOWN_AFTER
        super().__init__(seconds, call)
        self._due = due

    def start(self) -> None:
        if self._due:
            self.function()

    def join(self, timeout: float | None = None) -> None:
        """There is no thread."""


@pytest.mark.parametrize(
    ("terminal", "due", "wanted", "shown"),
    [
        (True, True, True, True),
        (True, False, True, False),
        (True, True, False, False),
        (False, True, True, False),
    ],
)
def test_a_bar_is_shown_to_who_waits(terminal: bool, due: bool, wanted: bool, shown: bool) -> None:
    """Only on a terminal, only after two seconds, and not with ``--no-progress``."""
    out = io.StringIO()
    console = Console(file=out, force_terminal=terminal)
    timer = lambda seconds, call: Clock(seconds, call, due=due)  # noqa: E731 - one of the two a test is about
    with progress("placing", 2, shown=wanted, console=console, timer=timer) as step:
        step(1)
    assert ("placing" in out.getvalue()) is shown


@pytest.mark.parametrize("command", ["size", "simulate", "plan"])
def test_every_long_command_takes_no_progress(command: str) -> None:
    """Its answer is the same."""
    rest = {"simulate": ("--shards", "2"), "plan": ("--shards", "2", "--target", "2")}.get(command, ())
    options = (command, "--rate", "500", "--keys", "300", *rest)
    assert run(*options, "--no-progress").stdout == run(*options).stdout
