"""Answers on a terminal: broken between words, never within a hash key; piped they are one line each."""

import os
import pty
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest

KEYS = ("--rate", "900", "--keys", "400")


ORDERS = Path(__file__).parents[3] / "data" / "online-retail-2010-12.csv.gz"


def on_a_terminal(*arguments: str, errors: bool = False) -> list[str]:
    """Run a command on a terminal of 80 columns; return its lines, or those of its error stream."""
    main, other = pty.openpty()
    command = [sys.executable, "-m", "shard_sizing.cli.main", *arguments]
    environment = {**os.environ, "COLUMNS": "80", "TERM": "dumb"}
    shown = b""
    streams = (subprocess.DEVNULL, other) if errors else (other, subprocess.DEVNULL)
    with subprocess.Popen(command, stdout=streams[0], stderr=streams[1], env=environment) as running:
        os.close(other)
        with suppress(OSError):  # which says that the other end is closed
            while part := os.read(main, 65_536):
                shown += part
    os.close(main)
    assert (running.returncode == 1) is errors
    return shown.decode().splitlines()


def test_no_line_is_wider_than_the_terminal() -> None:
    """Sentences, notes and tables fit into 80 columns, and no word is cut in two."""
    lines = on_a_terminal("size", *KEYS, "--consumers", "7")
    assert max(map(len, lines)) <= 80
    words = " ".join(lines).split()
    assert {"GetRecords", "enforced:", "(--poll-seconds"} <= set(words)


def test_the_sentence_of_a_sample_is_broken_between_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says the interval of the fit, which was cut in the middle of a number."""
    monkeypatch.chdir(tmp_path)  # a path is one word, and no terminal has room for that of a test's folder
    columns = ("--key", "StockCode", "--timestamp", "InvoiceDate")
    lines = on_a_terminal("sample", str(ORDERS), *columns, "--out", "sku.json")
    assert max(map(len, lines)) <= 80
    assert {"42,481", "(0.49", "0.9)"} <= set(" ".join(lines).split())


def test_what_is_wrong_with_the_input_is_broken_between_words() -> None:
    """An error is the line that is read most."""
    lines = on_a_terminal("compare", "--rate", "9", "--region", "eu-west-9", errors=True)
    assert max(map(len, lines)) <= 80
    assert {"shard-sizing:", "us-east-1,", "known"} <= set(" ".join(lines).split())
