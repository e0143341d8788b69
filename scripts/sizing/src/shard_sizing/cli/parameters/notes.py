"""Notes on standard error, beside the result: what was assumed, and what is wrong with the input."""

import shutil
import sys
import textwrap

import click


def note(text: str) -> None:
    """Say it: on a terminal broken between words, in a log as one line."""
    if sys.stderr.isatty():
        text = textwrap.fill(text, shutil.get_terminal_size().columns, break_on_hyphens=False)
    click.echo(text, err=True)
