"""``orderstream local``: a whole environment on this machine."""

import datetime as dt
import sys
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from orderstream_orders.callers import READ, SCOPES, WRITE, is_name
from orderstream_playground.cli.alarms import alarms_command
from orderstream_playground.cli.environment_options import environment_options
from orderstream_playground.cli.logs import logs_command
from orderstream_playground.local.environment import EnvironmentOptions, Layout
from orderstream_playground.local.errors import LocalEnvironmentError
from orderstream_playground.local.issuer import LocalIssuer
from orderstream_playground.local.lifecycle import down, is_up, read_state, start_again, up
from orderstream_playground.local.processes import RunningProcess
from orderstream_workers.cli.layout import printable, wrapped
from orderstream_workers.cli.options import home_option
from orderstream_workers.runtime.isolation import isolate_this_process


@click.group()
def local() -> None:
    """Start, stop and look at an environment on this machine."""


local.add_command(alarms_command)
local.add_command(logs_command)


@local.command("up", short_help="Start the emulators, the orders API and all workers.")
@environment_options
@home_option
def up_command(*, home: Path, options: EnvironmentOptions) -> None:
    """Start the emulators, the orders API and all workers, and leave them running."""
    isolate_this_process({})
    up(home, options, click.echo)
    click.echo(f"up: the orders API is at {Layout(home, options).api_url}, logs are in {home / 'logs'}")
    click.echo("a token for it: orderstream local token")


@local.command("down", short_help="Stop everything; the emulators lose their state.")
@home_option
def down_command(home: Path) -> None:
    """Stop everything: workers drain first, then the emulators stop and lose their state."""
    killed = down(home)
    click.echo("down" + (f"; had to be killed: {', '.join(killed)}" if killed else ""))


@local.command("start", short_help="Start processes again that have ended.")
@click.argument("names", nargs=-1, metavar="[PROCESS]...")
@home_option
def start_command(home: Path, names: tuple[str, ...]) -> None:
    """Start processes again that have ended, such as a worker that was killed; all of them by default."""
    isolate_this_process({})
    started = start_again(home, names)
    click.echo(f"started: {', '.join(started)}" if started else "nothing had ended")


@local.command("status")
@home_option
def status_command(home: Path) -> None:
    """Show every process, whether it is healthy and if not, why. Exit status 1 unless all are.

    /health of a port says more, and /metrics has the metrics of a process of the pipeline.
    """
    state = read_state(home)
    if state is None:
        click.echo("down")
        sys.exit(1)
    table = Table("process", "pid", "health", "state")
    healthy, reasons = is_up(state), list[tuple[str, str]]()
    for process in state.processes:
        condition, reason = _condition(process)
        healthy = healthy and condition == "healthy"
        reasons += [(process.name, f"{condition}: {reason}")] if reason else []
        table.add_row(process.name, str(process.pid), process.health_url, condition)
    # Whole, so that an address can be copied.
    console = Console()
    console.print(table)
    for name, said in reasons:
        click.echo(wrapped(printable(f"{name} is {said}")))
    sys.exit(0 if healthy else 1)


def _condition(process: RunningProcess) -> tuple[str, str | None]:
    """The state of a process in a word, and why it is not well."""
    if not process.handle():
        return "ended", f"see {process.log}, then `orderstream local start {process.name}`"
    if process.health() is not None:
        return "healthy", None
    return "unhealthy", process.reason() or f"it does not respond on port {process.port}"


@local.command("token", short_help="Print a token that the orders API takes.")
@click.option("--caller", default="me", show_default=True, help="Whose token: its orders are this caller's.")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    default=(READ, WRITE),
    show_default=True,
    type=click.Choice(sorted(SCOPES)),
    help="What it grants; may be given more than once.",
)
@click.option(
    "--minutes", type=click.IntRange(1, 1_440), default=60, show_default=True, help="How long it is good."
)
@home_option
def token_command(*, home: Path, caller: str, scopes: tuple[str, ...], minutes: int) -> None:
    """Print a token of the environment's own issuer, for the header Authorization: Bearer TOKEN."""
    if read_state(home) is None:
        raise LocalEnvironmentError(f"no environment in {home}; start one with `orderstream local up`")
    if not is_name(caller):
        raise click.UsageError("--caller has 1 to 255 visible characters, and is not anonymous")
    life = dt.timedelta(minutes=minutes)
    click.echo(LocalIssuer.of(home).token(caller, scopes, dt.datetime.now(dt.UTC), life))
