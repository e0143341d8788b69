"""``orderstream demo``: real orders through the whole pipeline."""

import signal
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import click
from rich.console import Console
from rich.table import Table

from orderstream_playground.cli.environment_options import environment_options
from orderstream_playground.demo.books import Check
from orderstream_playground.demo.run import Run, run
from orderstream_playground.local.environment import EnvironmentOptions
from orderstream_workers.cli.operating import failing_once
from orderstream_workers.cli.options import home_option
from orderstream_workers.runtime.isolation import isolate_this_process


@click.command(short_help="Play invoices through the pipeline and reconcile the books.")
@click.option(
    "--orders",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    required=True,
    help="File of order lines, .csv or .csv.gz.",
)
@click.option(
    "--limit",
    type=click.IntRange(0),
    help="Invoices to offer, those that are rejected included.  [default: all]",
)
@click.option(
    "--stock", type=click.IntRange(0), default=200, show_default=True, help="Units of each SKU at the start."
)
@environment_options
@click.option(
    "--out", type=click.Path(file_okay=False, path_type=Path), help="Folder for the results of the run."
)
@click.option("--no-progress", is_flag=True, help="Show no progress.")
@home_option
def demo(
    *,
    orders: Path,
    limit: int | None,
    stock: int,
    options: EnvironmentOptions,
    out: Path | None,
    no_progress: bool,
    home: Path,
) -> None:
    """Play a file of invoices through the whole pipeline and reconcile the books.

    Starts an environment and stops it in the end, or plays into the one that is up. Exit status 0 only if
    everything reconciles.
    """
    isolate_this_process({})
    # Said outright, since a shell starts what it puts into the background with Ctrl-C ignored.
    _on_interruption(_interrupt)
    console = Console()
    with tempfile.TemporaryDirectory(prefix="orderstream-") as scratch:
        job = Run(
            orders=orders,
            limit=limit,
            stock=stock,
            options=options,
            home=home,
            out=out or Path(scratch) / "out",
            scratch=Path(scratch),
            progress=not no_progress,
        )
        try:
            with failing_once(f"the environment in {home}"):
                checks = run(job, console)
        except KeyboardInterrupt:
            console.print("interrupted; everything is stopped")
            sys.exit(130)
    console.print(_table(checks))
    balanced = all(check.balances for check in checks)
    console.print("The books balance." if balanced else "[bold red]The books do not balance.")
    if out:
        console.print(f"Everything that the parts reported is in {out}")
    sys.exit(0 if balanced else 1)


def _on_interruption(act: Callable[..., object] | signal.Handlers) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, act)


def _interrupt(*_: object) -> NoReturn:
    # A second Ctrl-C would stop the stopping, and leave processes behind.
    _on_interruption(signal.SIG_IGN)
    raise KeyboardInterrupt


def _table(checks: list[Check]) -> Table:
    table = Table("what is compared", "expected", "found", "")
    for column in table.columns[1:3]:
        column.justify = "right"
    for check in checks:
        mark = "[green]ok" if check.balances else "[bold red]differs"
        table.add_row(check.what, f"{check.expected:,}", f"{check.found:,}", mark)
    return table
