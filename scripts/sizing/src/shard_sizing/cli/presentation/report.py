"""A result as one self-contained HTML file: verdict, picture, tables, and the same as JSON."""

import datetime as dt
import shlex
from collections.abc import Iterable
from html import escape
from pathlib import Path
from string import Template
from typing import Final

import click
import msgspec

from shard_sizing.cli.presentation.plots import drawn
from shard_sizing.cli.presentation.sheet import Sheet, Table
from shard_sizing.errors import InputError

_PAGE: Final = Template("""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>$title</title>
<style>
body { font: 16px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
body { color: #1a1a1a; background: #fff; }
h1 { font-size: 1.35rem; line-height: 1.35; }
h2 { font-size: 1rem; margin: 1.5rem 0 .5rem; }
svg { max-width: 100%; height: auto; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { border: 1px solid #c8c8c8; padding: .25rem .6rem; text-align: right; overflow-wrap: anywhere; }
th { background: #f0f0f0; }
th:first-child, td:first-child { text-align: left; }
ul { padding-left: 1.2rem; }
pre { overflow-x: auto; background: #f6f6f6; padding: .8rem; font-size: .8rem; }
footer, .source { color: #555; font-size: .85rem; }
@media print { details { display: none; } }
</style>
</head>
<body>
<h1>$verdict</h1>
$body
<footer>shard-sizing, $made. Command: <code>$command</code></footer>
</body>
</html>
""")


def write_report(path: Path, answer: msgspec.Struct, sheet: Sheet) -> None:
    """Write a result as a self-contained HTML file; without matplotlib a note replaces the picture.

    Raises:
        InputError: The file cannot be written.
    """
    verdict, *others = sheet.sentence.splitlines()
    raw = msgspec.json.format(msgspec.json.encode(answer)).decode()
    parts = [
        *(f"<p>{escape(line)}</p>" for line in others),
        *_picture(sheet),
        *(part for table in sheet.tables for part in _table(table)),
        *_list(sheet.notes),
        *([f'<p class="source">{escape(sheet.source)}</p>'] if sheet.source else []),
        f"<details><summary>The same for programs (JSON)</summary><pre>{escape(raw)}</pre></details>",
    ]
    page = _PAGE.substitute(
        title=escape(f"shard-sizing: {verdict[:80]}"),
        verdict=escape(verdict),
        body="\n".join(parts),
        made=dt.datetime.now(dt.UTC).strftime("%Y-%m-%d %H:%M UTC"),
        command=escape(shlex.join(["shard-sizing", *(click.get_current_context().find_object(list) or ())])),
    )
    try:
        path.write_text(page, encoding="utf-8")
    except OSError as error:
        raise InputError(str(path), f"the report cannot be written: {error.strerror}") from error


def _picture(sheet: Sheet) -> Iterable[str]:
    if sheet.picture is None:
        return
    try:
        svg = drawn(sheet.picture, "svg").decode()
    except InputError:
        yield "<p>No picture: matplotlib is not installed (orderstream-sizing[plot]).</p>"
        return
    label = escape(sheet.picture.title, quote=True)
    # Of the file only the element itself: a page has no XML declaration and no doctype in its middle.
    yield f'<figure role="img" aria-label="{label}">{svg[svg.index("<svg") :]}</figure>'


def _table(table: Table) -> Iterable[str]:
    if table.title:
        yield f"<h2>{escape(table.title)}</h2>"
    head = "".join(f"<th>{escape(column)}</th>" for column in table.columns)
    rows = "\n".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in table.rows)
    yield f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>'


def _cell(text: str) -> str:
    return f"<td>{escape(text) or '(empty)'}</td>"


def _list(notes: Iterable[str]) -> Iterable[str]:
    items = "".join(f"<li>{escape(note)}</li>" for note in notes)
    if items:
        yield f"<ul>{items}</ul>"
