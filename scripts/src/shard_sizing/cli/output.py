"""How an answer is shown: JSON for programs; for people a plain sentence, then a table."""

from collections.abc import Iterable, Sequence

import click
import msgspec
from rich.console import Console
from rich.table import Table


def counted(number: int, what: str) -> str:
    """Return a number of things: ``1 shard``, ``2 shards``."""
    return f"{number:,} {what}" if number == 1 else f"{number:,} {what}s"


def show_json(answer: msgspec.Struct) -> None:
    """Print an answer as JSON."""
    click.echo(msgspec.json.format(msgspec.json.encode(answer)).decode())


def show_table(
    sentence: str, columns: Sequence[str], rows: Iterable[Sequence[str]], source: str = ""
) -> None:
    """Print a sentence, a table below it, and where the figures come from."""
    click.echo(sentence)
    table = Table(*columns)
    for row in rows:
        table.add_row(*row)
    Console(soft_wrap=False).print(table)
    if source:
        click.echo(source)
