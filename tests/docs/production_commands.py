"""The production commands that README and operations guide show: all of them, wherever they stand."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from orderstream_workers.cli.main import orderstream

ROOT = Path(__file__).parents[2]
PAGES = ("README.md", "docs/operations.md")

PLAYGROUND = ("local", "demo")
"""Commands that the image does not have."""

PROBE = "python -m orderstream_workers.probe"

_BLOCKS = re.compile(r"^( *)```sh\n(.*?)^\1```", re.DOTALL | re.MULTILINE)
_FENCED = re.compile(r"^ *```.*?^ *```", re.DOTALL | re.MULTILINE)
_QUOTED = re.compile(r"`([^`]+)`")
_PROMPT = re.compile(r"^(?:[A-Z_]+=\S+ +)*(?:\.venv/bin/)?(?=orderstream )")


def documented() -> list[str]:
    """Each whole command, sorted; the playground's are left out.

    Of a block's lines, what begins with ``orderstream``, behind settings, the folder of the environment and
    spaces. Of the prose, what is quoted and is a command, with its first word or without (``dlq list``), and
    the table of processes.
    """
    found = {line for page in PAGES for line in _lines((ROOT / page).read_text())}
    return sorted(line for line in found if line.split()[1] not in PLAYGROUND)


def _lines(text: str) -> Iterator[str]:
    for _, block in _BLOCKS.findall(text):
        for line in block.replace("\\\n", " ").splitlines():
            if _PROMPT.match(line.strip()):
                yield _cleaned(_PROMPT.sub("", line.strip()))
    names = {*orderstream.list_commands(click.Context(orderstream)), *PLAYGROUND}
    for quoted in _QUOTED.findall(_FENCED.sub("", text)):
        line = " ".join(quoted.split())
        words = line.split()
        if words[0] == "orderstream" and len(words) > 1:
            yield _cleaned(line)
        elif words[0] in names and is_whole(words):
            yield _cleaned(f"orderstream {line}")


def _cleaned(line: str) -> str:
    return " ".join(line.partition(" #")[0].split(" ")).strip()


def command_of(words: list[str]) -> tuple[Any, list[str]]:
    """The command that words name, and the words behind it."""
    command: Any = orderstream
    context = click.Context(command)
    rest = list(words)
    while isinstance(command, click.Group) and rest:
        command = command.get_command(context, rest.pop(0))
    return command, rest


def is_whole(words: list[str]) -> bool:
    """Whether words can be run as they stand; what is a mention (``order show``) lacks an argument."""
    command, rest = command_of(words)
    if command is None or isinstance(command, click.Group):
        return False
    try:
        command.make_context(words[0], rest, resilient_parsing=False)
    except click.MissingParameter:
        return False
    return True


def quoted_options() -> set[str]:
    """Every option that the pages quote by itself, or in a command that is no whole one."""
    text = "\n".join(_FENCED.sub("", (ROOT / page).read_text()) for page in PAGES)
    return {
        word.partition("=")[0]
        for quoted in _QUOTED.findall(text)
        for word in _words(quoted)
        if re.match(r"--[a-z]", word) and not quoted.startswith(("aws ", "make ", "docker "))
    }


def _words(quoted: str) -> list[str]:
    try:
        return shlex.split(quoted)
    except ValueError:
        return quoted.split()


def known_options(command: Any = orderstream) -> set[str]:
    """Every option of a command, and of those below it."""
    found = {option for parameter in command.params for option in parameter.opts}
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            found |= known_options(command.get_command(context, name))
    return found | {"--help"}
