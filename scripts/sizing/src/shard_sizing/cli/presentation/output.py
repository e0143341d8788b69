"""How a result is shown: JSON for programs; for people a plain sentence, then tables, then notes."""

import textwrap
from collections.abc import Iterable, Sequence
from typing import Final

import click
import msgspec
from rich.console import Console
from rich.table import Table as RichTable
from rich.text import Text

from shard_sizing.cli.parameters.options import Shared
from shard_sizing.cli.presentation.plots import save
from shard_sizing.cli.presentation.report import write_report
from shard_sizing.cli.presentation.sheet import Sheet, Table

_BULLET: Final = "- "
_EMPTY: Final = "(empty)"
_KEPT: Final = 2  # characters of a common beginning that are kept, so that the rest is read as an end


class _Console(Console):
    """A console that leaves a closed pipe to the command: rich would end with the status of wrong input."""

    def on_broken_pipe(self) -> None:
        raise BrokenPipeError


def counted(number: int, what: str) -> str:
    """Return a number of things: ``1 shard``, ``2 shards``."""
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"


def short_ids(ids: Sequence[str]) -> list[str]:
    """Return ids without the beginning that all of them share: ``…07`` for ``shardId-000000000007``."""
    if len(set(ids)) < 2:
        return list(ids)
    shared = len(_common_beginning(ids))
    # Digits stay whole where a run of zeros is all that they share.
    return [f"…{each[max(0, min(shared, len(each) - _KEPT)) :]}" if shared > _KEPT else each for each in ids]


def _common_beginning(names: Sequence[str]) -> str:
    first, last = min(names), max(names)
    length = next(
        (i for i, pair in enumerate(zip(first, last, strict=False)) if pair[0] != pair[1]), len(first)
    )
    return first[:length]


def present(answer: msgspec.Struct, sheet: Sheet, shared: Shared) -> None:
    """Show a result as the shared options ask for it: on the terminal, as a plot, as a report.

    Raises:
        InputError: No matplotlib for a plot, or a file that cannot be one.
    """
    write_files(answer, sheet, shared)
    if shared.as_json:
        show_json(answer)
    else:
        show_sheet(sheet)


def write_files(answer: msgspec.Struct, sheet: Sheet, shared: Shared) -> None:
    """Write the plot and the report, where they are asked for.

    Raises:
        InputError: No matplotlib for a plot, or a file that cannot be written.
    """
    if shared.plot is not None and sheet.picture is not None:
        save(sheet.picture, shared.plot)
    if shared.report is not None:
        write_report(shared.report, answer, sheet)


def show_json(answer: msgspec.Struct) -> None:
    """Print a result as JSON."""
    click.echo(msgspec.json.format(msgspec.json.encode(answer)).decode())


def show_sheet(sheet: Sheet) -> None:
    """Print a result for people."""
    show_text(sheet.sentence)
    for table in sheet.tables:
        if table.title:
            show_text(table.title)
        _show_rows(table.columns, table.rows)
    for note in sheet.notes:
        show_text(note if note.startswith(" ") else f"{_BULLET}{note}")
    if sheet.source:
        show_text(sheet.source)


def show_table(
    sentence: str, columns: Sequence[str], rows: Iterable[Sequence[str]], source: str = ""
) -> None:
    """Print a sentence, a table below it, and where the figures come from."""
    show_sheet(Sheet(sentence, (Table(columns, tuple(rows)),), source=source))


def show_text(text: str, *, err: bool = False) -> None:
    """Print a text: on a terminal broken between words, else and where it is a call in one line.

    Args:
        text: What to print.
        err: Whether it goes to standard error, as everything except the result does.
    """
    console = _Console(stderr=err)
    if not console.is_terminal or text.startswith(" "):
        click.echo(text, err=err)
        return
    for line in text.splitlines():
        hanging = " " * len(_BULLET) if line.startswith(_BULLET) else ""
        filled = textwrap.fill(
            line,
            console.width,
            subsequent_indent=hanging,
            break_long_words=False,
            break_on_hyphens=False,
        )
        click.echo(filled, err=err)


def _show_rows(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    table = RichTable()
    for column in columns:
        table.add_column(column, overflow="fold")  # what is cut off is lost; what is folded can be read
    for row in rows:
        table.add_row(*(Text(cell or _EMPTY) for cell in row))  # a key is no markup
    _Console(soft_wrap=False).print(table)
