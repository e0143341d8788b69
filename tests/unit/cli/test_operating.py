"""Where operators' commands find their environment, and how they show what comes from outside."""

import datetime as dt
from pathlib import Path

import pytest
from click.testing import CliRunner

from fakes.operating import NOW
from orderstream_workers.cli.dlq import dlq
from orderstream_workers.cli.operating import age, printable
from orderstream_workers.local.errors import LocalEnvironmentError


def test_without_an_environment_it_says_how_to_name_one(tmp_path: Path) -> None:
    """Nothing up and nothing named is an error that names the ways on, not a call to some AWS."""
    nothing = {"AWS_REGION": None, "AWS_DEFAULT_REGION": None, "AWS_ENDPOINT_URL": None}
    result = CliRunner(env=nothing).invoke(dlq, ["list", "--home", str(tmp_path / "nowhere")])
    assert isinstance(result.exception, LocalEnvironmentError)
    assert "orderstream local up" in str(result.exception)
    assert "AWS_REGION" in str(result.exception)


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(-5, "0s"), (0, "0s"), (59, "59s"), (60, "1m"), (3_725, "1h 2m"), (90_061, "1d 1h")],
)
def test_an_age_has_at_most_two_units(seconds: int, shown: str) -> None:
    """Short enough for a list; a clock that is a little behind shows no negative age."""
    assert age(NOW - dt.timedelta(seconds=seconds), NOW) == shown


def test_text_from_outside_cannot_act_on_a_terminal() -> None:
    """Control characters and line breaks are escaped, other text stays as it is."""
    assert printable("Grüße \x1b[2J\n\u202e") == "Grüße \\x1b[2J\\n\\u202e"
