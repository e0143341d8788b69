"""``orderstream local logs``: what the logs of a local environment say."""

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
    """Counts as a table; lines as lines, with what is known of each behind it."""
    if query.figures:
        known = [index for index in range(len(columns)) if any(row[index] is not None for row in rows)]
        table = Table(*(columns[index] for index in known), box=None, pad_edge=False)
        for row in rows:
            table.add_row(*(_cell(row[index]) for index in known))
        console.print(table)
        return
    for row in rows:
        said = dict(zip(columns, row, strict=True))
        first = [
            _cell(said.pop(name))[11:23] if name == "timestamp" else _cell(said.pop(name)) for name in _FIRST
        ]
        level = said.pop("level", None)
        alarming = level if level not in {None, "DEBUG", "INFO"} else None
        more = [f"{name}: {_cell(value)}" for name, value in said.items() if value is not None]
        console.print(
            "  ".join((*first, *([str(alarming)] if alarming else []))), highlight=False, markup=False
        )
        if more:
            console.print(f"    {', '.join(more)}", style="dim", highlight=False, markup=False)


_FIRST: Final = ("timestamp", "application", "message")
"""What each line that is found begins with."""


def _cell(value: str | float | None) -> str:
    if value is None:
        return ""
    return f"{value:g}" if isinstance(value, float) else printable(str(value))
