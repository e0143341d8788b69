"""``orderstream local logs``: what the logs of a local environment say."""

import re
import textwrap
from pathlib import Path
from typing import Final

import click
from rich.console import Console
from rich.table import Table

from orderstream_playground.local.environment import EnvironmentOptions, Layout
from orderstream_playground.local.errors import LocalEnvironmentError
from orderstream_playground.local.logs.reading import Row, answer, asked, lines_in
from orderstream_workers.cli.layout import printable
from orderstream_workers.cli.options import home_option
from orderstream_workers.runtime.topology.log_queries import ORDER, QUERIES, TRACE, LogQuery

_BY_NAME: Final = {query.name: query for query in QUERIES}
_OPTIONS: Final = {ORDER: "--order", TRACE: "--trace"}


@click.command("logs", short_help="Ask the logs of all processes.")
@click.argument("query", required=False, type=click.Choice(sorted(_BY_NAME)), metavar="[QUERY]")
@click.option("--order", help="The order that is asked for.")
@click.option("--trace", help="The trace that is asked for.")
@home_option
def logs_command(*, home: Path, query: str | None, order: str | None, trace: str | None) -> None:
    """Ask the logs of all processes one of the queries that CloudWatch Logs Insights has too.

    Without QUERY, the queries are listed.
    """
    console = Console()
    if query is None:
        _list(console)
        return
    given = {ORDER: order, TRACE: trace}
    found = _BY_NAME[query]
    for placeholder, value in given.items():
        if (placeholder in found.placeholders) != (value is not None):
            verb = "needs" if value is None else "takes no"
            raise click.UsageError(f"{query} {verb} {_OPTIONS[placeholder]}")
    folder = Layout(home, EnvironmentOptions()).logs
    if not folder.is_dir():
        raise LocalEnvironmentError(f"no logs in {home}; start an environment with `orderstream local up`")
    values = {name: value for name, value in given.items() if value is not None}
    columns, rows = answer(asked(found, values), lines_in(folder))
    if not rows:
        console.print("nothing")
        return
    _show(console, found, columns, rows)


def _list(console: Console) -> None:
    table = Table("query", "what it asks", box=None, pad_edge=False)
    for query in QUERIES:
        options = " ".join(f"{_OPTIONS[each]} ..." for each in query.placeholders)
        table.add_row(f"{query.name} {options}".strip(), query.question)
    console.print(table)


def _show(console: Console, query: LogQuery, columns: list[str], rows: list[Row]) -> None:
    """A line for each row, with what it is or what it is grouped by; the rest is below it."""
    first = query.by or _FIRST
    trace_id = None
    for row in rows:
        said = {name: _cell(value) for name, value in zip(columns, row, strict=True) if value is not None}
        head = [said.pop(name) for name in first if name in said]
        if said.get("level") in _USUAL:
            del said["level"]
        if trace_id == (trace_id := said.get("trace_id")):
            said.pop("trace_id", None)  # an order has one, most of the time
        console.print("  ".join(head), style="bold", highlight=False, markup=False, soft_wrap=True)
        for line in _wrapped([f"{name} {value}" for name, value in said.items()], console.width - 4):
            console.print(f"    {line}", highlight=False, markup=False, soft_wrap=True)


def _wrapped(said: list[str], columns: int) -> list[str]:
    """Lines of what is said; what fits into a line is not broken over two."""
    whole = [text.replace(" ", _JOINED) if len(text) < columns else text for text in said]
    lines = textwrap.wrap(", ".join(whole), columns, break_long_words=False, break_on_hyphens=False)
    return [line.replace(_JOINED, " ") for line in lines]


_JOINED: Final = "\N{NO-BREAK SPACE}"

_FIRST: Final = ("timestamp", "application", "message")
"""What each line that is found begins with."""

_USUAL: Final = {"DEBUG", "INFO"}
"""Levels that need not be said."""

_TIME: Final = re.compile(r"\d{4}-\d{2}-\d{2}T(\d{2}:\d{2}:\d{2}\.\d{3})\d{3}\+00:00")


def _cell(value: str | float) -> str:
    if isinstance(value, float):
        return f"{value:g}"
    return printable(_TIME.sub(r"\1", str(value)))
