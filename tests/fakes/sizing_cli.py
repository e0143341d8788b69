"""The ``shard-sizing`` command without a process of its own."""

import io
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass

from shard_sizing.cli.main import main


@dataclass(frozen=True, slots=True)
class Done:
    """What a command left behind."""

    exit_code: int
    stdout: str
    stderr: str


def run(*arguments: str) -> Done:
    """Run one command as its console script would; a traceback is not caught, so it fails the test."""
    out, err = io.StringIO(), io.StringIO()
    code: object = None
    with redirect_stdout(out), redirect_stderr(err):
        try:
            main(arguments)
        except SystemExit as stop:
            code = stop.code
    return Done(code if isinstance(code, int) else 0, out.getvalue(), err.getvalue())
