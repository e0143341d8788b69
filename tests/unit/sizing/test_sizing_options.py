"""Words and options: one name for one thing, each with help, none accepted that is ignored."""

import os
import shlex
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import click
import msgspec
import pytest

from fakes.sizing_cli import run
from shard_sizing.cli.main import shard_sizing
from shard_sizing.cli.parameters.help_pages import Command
from shard_sizing.model.workload.profile import HotKey, synthetic

COMMANDS = shard_sizing.commands
OPTIONS = [
    (name, option)
    for name, command in sorted(COMMANDS.items())
    for option in command.params
    if isinstance(option, click.Option)
]


@pytest.mark.parametrize(("command", "option"), OPTIONS, ids=lambda each: getattr(each, "name", each))
def test_every_option_says_what_it_is(command: str, option: click.Option) -> None:
    """Help of at least a few words, ended as a sentence."""
    assert option.help, f"{command} {option.opts}"
    assert option.help.endswith((".", ")")), option.help


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_the_list_of_commands_has_whole_sentences(name: str) -> None:
    """At 80 columns nothing of it is cut off."""
    told = COMMANDS[name].get_short_help_str(62)
    assert told.endswith("."), told
    assert not told.endswith("..."), told


EXAMPLES = [
    (name, example)
    for name, command in sorted(COMMANDS.items())
    if isinstance(command, Command)
    for example in command.examples
]


@pytest.mark.parametrize(("name", "example"), EXAMPLES)
def test_every_example_of_the_help_is_a_command_line(name: str, example: str) -> None:
    """Each command has some; they are read without a fault, and fit into 80 columns."""
    assert len(f"  shard-sizing {name} {example}") <= 80
    arguments = shlex.split(example.partition(" <")[0])
    assert COMMANDS[name].make_context(name, arguments).params
    assert {each for each, _ in EXAMPLES} == set(COMMANDS)


def test_help_has_headings_and_a_commands_own_options_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a command needs is not below thirty options that it shares with others."""
    monkeypatch.setenv("COLUMNS", "80")
    lines = run("plan", "--help").stdout.splitlines()
    headings = [line for line in lines if line.endswith(":") and not line.startswith(" ")]
    assert headings == [
        "Options:",
        "Workload:",
        "Producers that aggregate:",
        "Salted keys:",
        "Readers:",
        "Answer:",
        "Examples:",
    ]
    where = {
        word: next(i for i, line in enumerate(lines) if line.startswith(f"  {word} "))
        for word in ("--target", "--rate")
    }
    assert where["--target"] < where["--rate"]
    assert max(map(len, lines)) <= 80


def test_one_thing_has_one_name() -> None:
    """Shards are never leases or current, consumers never readers; shared options are explained alike."""
    names = {opt for _, option in OPTIONS for opt in option.opts}
    assert not names & {"--leases", "--current", "--readers", "--applications", "--retention", "--outage"}
    for shared in ("--json", "--seed", "--region", "--limits", "--prices", "--plot", "--report", "--rate"):
        assert len({option.help for _, option in OPTIONS if shared in option.opts}) == 1, shared


@pytest.mark.parametrize(
    "arguments",
    [
        ("workers", "--rate", "9", "--milliseconds", "1", "--shards", "1", "--seed", "2"),
        ("hotkeys", "profile.json", "--prices", "prices.toml"),
        ("hotkeys", "profile.json", "--seed", "2"),
        ("plan", "--rate", "9", "--shards", "1", "--target", "2", "--prices", "prices.toml"),
        ("sample", "events.csv", "--region", "us-east-1"),
        ("measure", "orders", "--seed", "2"),
    ],
)
def test_an_option_that_would_be_ignored_is_refused(arguments: tuple[str, ...]) -> None:
    """Nobody is left to believe that a seed or a price file made a difference."""
    done = run(*arguments)
    assert (done.exit_code, "No such option" in done.stderr) == (1, True), done.stderr


MADE_UP = ("--rate", "9", "--keys", "50")


@pytest.mark.parametrize(
    ("arguments", "refused"),
    [
        (("size", *MADE_UP, "--efo", "--poll-seconds", "2"), "--poll-seconds"),
        (("size", *MADE_UP, "--consumers", "0", "--efo"), "--efo"),
        (
            ("plan", *MADE_UP, "--shards", "1", "--target", "2", "--consumers", "0", "--catch-up", "2"),
            "--catch-up",
        ),
        (("size", *MADE_UP, "--peak", "20", "--at", "mean"), "--peak"),
        (("size", *MADE_UP, "--burst-cv", "0.5", "--at", "max-second"), "--burst-cv"),
        (("size", *MADE_UP, "--growth-by", "more-keys"), "--growth-by"),
        (("simulate", *MADE_UP, "--shards", "1", "--region", "eu-west-1"), "--region"),
        (("measure", "orders", "--from", "2026-11-29T12:00", "--seconds", "5"), "--seconds"),
        (("measure", "orders", "--prices", "prices.toml"), "--prices"),
        (("sample", "events.csv", "--key", "k", "--timestamp", "t", "--seed", "2"), "--seed"),
        (("sample", "made-up.toml", "--key", "k"), "--key"),
    ],
)
def test_an_option_that_another_one_makes_useless_is_refused(
    arguments: tuple[str, ...], refused: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a sentence that begins with it, before anything is read or computed."""
    monkeypatch.chdir(tmp_path)
    Path("prices.toml").write_bytes(files("orderstream.aws.billing").joinpath("prices.toml").read_bytes())
    done = run(*arguments)
    assert (done.exit_code, f": {refused} " in done.stderr) == (1, True), done.stderr


@pytest.mark.parametrize("option", ["--bytes", "--bytes-cv", "--keys", "--zipf", "--peak"])
def test_figures_of_a_made_up_workload_are_refused_beside_a_profile(option: str, tmp_path: Path) -> None:
    """A profile has its own, and they would be ignored."""
    profile = tmp_path / "profile.json"
    profile.write_bytes(msgspec.json.encode(synthetic(90, 500, 0.0, 0.0)))
    done = run("workers", str(profile), "--milliseconds", "1", "--shards", "1", option, "3")
    assert (done.exit_code, option in done.stderr) == (1, True), done.stderr


@pytest.mark.parametrize("rate", ["5k", "5,000", "ten"])
def test_what_is_no_number_is_told_so(rate: str) -> None:
    """In the words of who typed it, not of the library that reads it."""
    done = run("size", "--rate", rate)
    assert (done.exit_code, f"{rate!r} is not a valid number" in done.stderr) == (1, True), done.stderr


def test_shards_over_the_quota_of_a_region_are_said() -> None:
    """The number is right and yet cannot be had there on the day of a launch."""
    asked = ("size", "--rate", "1500000", "--keys", "10000000", "--region")
    there, here = (run(*asked, region).stdout for region in ("ap-south-1", "us-east-1"))
    assert "are over the usual quota of ap-south-1, 1,000" in there
    assert "usual quota" not in here


def test_the_command_alone_shows_what_there_is() -> None:
    """Help on the output, exit 0, and every command with its sentence."""
    done = run()
    assert done.exit_code == 0
    assert done.stdout.startswith("Usage:")
    assert all(name in done.stdout for name in COMMANDS)


def test_a_closed_pipe_ends_it_without_a_word() -> None:
    """What a reader like head does is no wrong input: nothing is said, and the status is a closed pipe's."""
    command = [sys.executable, "-m", "shard_sizing.cli.main", "workers", "--rate", "9", "--milliseconds", "1"]
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = subprocess.run(
            [*command, "--shards", "4"], stdout=writing, stderr=subprocess.PIPE, check=False, timeout=60
        )
    finally:
        os.close(writing)
    assert (done.stderr, done.returncode) == (b"", 141)


def test_tables_are_whole_at_80_columns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No line of a table is wider, and no cell is cut: a long key is folded, an empty one is named."""
    monkeypatch.setenv("COLUMNS", "80")
    key = "customer-" + "0123456789" * 24
    keys = (HotKey(key, 0.2, 0.2), HotKey("", 0.1, 0.1), HotKey("[red]a[/red]", 0.1, 0.1))
    profile = tmp_path / "profile.json"
    profile.write_bytes(
        msgspec.json.encode(msgspec.structs.replace(synthetic(90, 500, 0.0, 0.0), hot_keys=keys))
    )
    done = run("hotkeys", str(profile))
    table = [line for line in done.stdout.splitlines() if line.startswith(("\u2502", "\u2503"))]
    assert max(map(len, table)) <= 80
    cells = "".join(line.split("\u2502")[1].strip() for line in table if line.startswith("\u2502"))
    assert cells == f"{key}(empty)[red]a[/red]"
