"""What `--help` shows to somebody who has never seen the command."""

from collections.abc import Iterator

import click
import pytest

from orderstream_workers.cli.main import orderstream

COLUMNS = 80 - 2
"""What click uses of a terminal of 80 columns."""


def commands(command: click.Command, context: click.Context) -> Iterator[tuple[str, click.Context]]:
    """Every command with its context, depth first."""
    yield context.command_path, context
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            assert below is not None
            yield from commands(below, click.Context(below, info_name=name, parent=context))


def pages() -> dict[str, str]:
    root = click.Context(orderstream, info_name="orderstream", terminal_width=COLUMNS)
    return {path: context.get_help() for path, context in commands(orderstream, root)}


@pytest.fixture(scope="module", name="shown")
def shown_pages() -> dict[str, str]:
    return pages()


def test_no_description_of_a_command_is_cut(shown: dict[str, str]) -> None:
    """In 80 columns, the list of commands has a whole sentence for each of them."""
    lines = [(path, line) for path, page in shown.items() for line in page.splitlines()]
    assert [one for one in lines if one[1].startswith("  ") and one[1].endswith("...")] == []


def test_a_usage_line_names_arguments_and_lists_no_choices(shown: dict[str, str]) -> None:
    """`APPLICATION` instead of nine names, which a line of 80 columns breaks in the middle of a word."""
    usages = {path: page.partition("\n\n")[0] for path, page in shown.items()}
    assert [usage for usage in usages.values() if "|" in usage] == []
    assert usages["orderstream dlq redrive"] == "Usage: orderstream dlq redrive [OPTIONS] APPLICATION [KEY]"


@pytest.mark.parametrize("path", ["orderstream worker", "orderstream dlq"])
def test_the_applications_are_listed(shown: dict[str, str], path: str) -> None:
    """The help has the name of every application that a command line may name."""
    assert all(name in shown[path].replace("\n", " ") for name in ("stock-monitor", "inventory", "saga"))
