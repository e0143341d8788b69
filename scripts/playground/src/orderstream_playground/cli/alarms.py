"""``orderstream local alarms``: which alarms would ring now."""

import datetime as dt
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import click
import msgspec
from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from orderstream.observability.metrics.exporting import PERIOD
from orderstream_playground.local.alarms.board import Board, Standing
from orderstream_playground.local.alarms.evaluation import AlarmState
from orderstream_playground.local.alarms.logs import LogFollower
from orderstream_playground.local.alarms.samples import Samples
from orderstream_playground.local.environment import Layout
from orderstream_playground.local.errors import LocalEnvironmentError
from orderstream_playground.local.lifecycle import read_state
from orderstream_workers.cli.options import home_option
from orderstream_workers.runtime.discovery import topology
from orderstream_workers.runtime.topology.alarms import alarms

_LOOK_EVERY: Final = 1.0
_GUIDE: Final = "docs/operations.md"
NOT_MEASURED: Final = "not measured locally"
"""What is said of an alarm on a metric that only AWS has."""


@click.command("alarms", short_help="Show which alarms would ring now.")
@click.option("--all", "every", is_flag=True, help="Show the others, too.")
@click.option("--watch", is_flag=True, help="Show it again every second, until Ctrl-C.")
@click.option("--json", "as_json", is_flag=True, help="Print all alarms as JSON.")
@home_option
def alarms_command(*, home: Path, every: bool, watch: bool, as_json: bool) -> None:
    """Show which of the deployment's alarms would ring now, with what to do; exit status 1 if one does.

    They are evaluated by CloudWatch's rule over what the processes of the local environment have written.
    """
    state = read_state(home)
    if state is None:
        raise LocalEnvironmentError(f"no environment in {home}; start one with `orderstream local up`")
    layout = Layout(home, state.options)
    minute = state.options.metrics_seconds
    board = Board(alarms(topology(layout.settings)), layout.settings, minute)
    samples, follower = Samples(), LogFollower(layout.logs)

    def look() -> list[Standing]:
        follower.feed(samples)
        board.advance(samples, time.time())
        return board.standings()

    standings = look()
    if watch:
        with Live(_page(standings, minute, every), console=Console(), auto_refresh=False) as live:
            while True:
                time.sleep(_LOOK_EVERY)
                live.update(_page(look(), minute, every), refresh=True)
    if as_json:
        click.echo(msgspec.json.format(msgspec.json.encode([_as_json(each) for each in standings])).decode())
    else:
        Console().print(_page(standings, minute, every))
    sys.exit(1 if _in(standings, AlarmState.ALARM) else 0)


def _page(standings: Sequence[Standing], minute: float, every: bool) -> Group:
    ringing = sorted(_in(standings, AlarmState.ALARM), key=lambda each: each.since or 0.0)
    table = Table(show_header=False, box=None, pad_edge=False, padding=(0, 1, 1, 0))
    for each in standings if every else ringing:
        table.add_row(_word(each), _told(each))
    silent = _in(standings, None)
    counts = ", ".join(
        f"{len(_in(standings, state))} {word}"
        for state, word in (
            (AlarmState.ALARM, "in ALARM"),
            (AlarmState.OK, "OK"),
            (AlarmState.INSUFFICIENT_DATA, "without data yet"),
            (None, NOT_MEASURED),
        )
        if _in(standings, state)
    )
    unknown = f": {', '.join(each.spec.name for each in silent)}" if silent else ""
    scale = ""
    if minute < PERIOD:
        times = f"{PERIOD / minute:g}"
        scale = f"\na minute lasts {minute:g} s here: ages and counts are {times} times the true ones"
    return Group(*((table,) if every or ringing else ()), Text(counts + unknown + scale))


def _told(standing: Standing) -> Text:
    spec = standing.spec
    text = Text.assemble((spec.name, "bold"), f"  {spec.fires_when}")
    if standing.latest is not None:
        text.append(f"; now {spec.shown(standing.latest)}")
    if standing.state is AlarmState.ALARM:
        if standing.since is not None:
            text.append(f"; since {dt.datetime.fromtimestamp(standing.since, dt.UTC):%H:%M:%S} UTC")
        text.append(f"\n{spec.says}\n{_GUIDE}#{spec.runbook}")
    return text


def _word(standing: Standing) -> Text:
    match standing.state:
        case None:
            return Text(NOT_MEASURED, style="dim")
        case AlarmState.ALARM:
            return Text("ALARM", style="bold red")
        case AlarmState.OK:
            return Text("OK", style="green")
        case _:
            return Text("no data", style="yellow")


def _in(standings: Sequence[Standing], state: AlarmState | None) -> list[Standing]:
    return [each for each in standings if each.state is state]


def _as_json(standing: Standing) -> dict[str, Any]:
    spec = standing.spec
    return {
        "name": spec.name,
        "about": spec.about,
        "state": NOT_MEASURED if standing.state is None else standing.state.value,
        "since": standing.since,
        "latest": standing.latest,
        "fires_when": spec.fires_when,
        "says": spec.says,
        "runbook": f"{_GUIDE}#{spec.runbook}",
    }
