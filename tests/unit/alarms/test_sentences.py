"""What an alarm's mail tells an operator to type is a command that the command line takes."""

import re

import click
import pytest

from docs.production_commands import is_whole
from orderstream_workers.runtime.discovery import topology
from orderstream_workers.runtime.settings import Settings
from orderstream_workers.runtime.topology.alarms import alarms

TYPED = {
    (each.name, line)
    for each in alarms(topology(Settings()))
    for quoted in re.findall(r"`([^`]*)`", each.says)
    if (line := " ".join(quoted.split())).startswith("orderstream ")
}


@pytest.mark.parametrize("line", sorted({line for _, line in TYPED}))
def test_a_mails_command_can_be_typed_as_it_stands(line: str) -> None:
    """At night nobody looks up how a command is called today, or which argument it lacks."""
    assert is_whole(line.split()[1:])


def test_the_sentences_are_read() -> None:
    """Were commands quoted otherwise one day, the test above would hold of nothing."""
    assert {"saga-parked", "payments-dead-letters", "stock-negative"} <= {name for name, _ in TYPED}


@pytest.mark.parametrize("line", ["saga late", "stock show"])
def test_a_command_that_is_none_is_found_out(line: str) -> None:
    """An unknown word, an argument that is missing."""
    assert not is_whole(line.split())


def test_an_option_that_is_none_is_found_out() -> None:
    """Renamed options are what mails forget."""
    with pytest.raises(click.NoSuchOption):
        is_whole(["saga", "list", "--tardy"])
