"""Answers on a terminal: broken between words, never within a hash key; piped they are one line each."""

import os
import pty
import subprocess
import sys
from contextlib import suppress

KEYS = ("--rate", "900", "--keys", "400")


def on_a_terminal(*arguments: str) -> list[str]:
    """Run a command on a terminal of 80 columns; return its lines."""
    main, other = pty.openpty()
    command = [sys.executable, "-m", "shard_sizing.cli.main", *arguments]
    environment = {**os.environ, "COLUMNS": "80", "TERM": "dumb"}
    shown = b""
    with subprocess.Popen(command, stdout=other, stderr=subprocess.DEVNULL, env=environment) as running:
        os.close(other)
        with suppress(OSError):  # which says that the other end is closed
            while part := os.read(main, 65_536):
                shown += part
    os.close(main)
    assert running.returncode in (0, 2, 3)
    return shown.decode().splitlines()


def test_no_line_is_wider_than_the_terminal() -> None:
    """Sentences, notes and tables fit into 80 columns, and no word is cut in two."""
    lines = on_a_terminal("size", *KEYS, "--consumers", "7")
    assert max(map(len, lines)) <= 80
    words = " ".join(lines).split()
    assert {"GetRecords", "enforced:", "(--poll-seconds"} <= set(words)
