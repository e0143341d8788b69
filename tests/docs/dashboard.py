"""Draws the pipeline's dashboard over the metrics of a local run: ``make dashboard``.

Rows, titles, units and thresholds are those that CloudWatch's dashboard has; alarms are evaluated by
CloudWatch's rule. Where a run wrote its metrics every few seconds, a minute lasts so long, and ages are drawn
longer by as much.
"""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from PIL import Image

from orderstream.observability.metrics import Kind
from orderstream.observability.metrics.exporting import PERIOD
from orderstream_playground.local.alarms.board import Board
from orderstream_playground.local.alarms.evaluation import AlarmState
from orderstream_playground.local.alarms.logs import LogFollower
from orderstream_playground.local.alarms.samples import Samples, series_of
from orderstream_playground.local.environment import Layout
from orderstream_playground.local.lifecycle import read_state
from orderstream_workers.runtime.discovery import topology
from orderstream_workers.runtime.settings import Settings
from orderstream_workers.runtime.telemetry.metrics import NAMESPACE
from orderstream_workers.runtime.topology import OwnMetric, Series, Share, StreamSpec
from orderstream_workers.runtime.topology.alarms import alarms
from orderstream_workers.runtime.topology.dashboard import Alarms, Graph, Line, dashboard

mpl.use("Agg")
from matplotlib import pyplot as plt

COLOURS = {
    AlarmState.ALARM: ("#d62728", "white"),
    AlarmState.OK: ("#d9ead3", "#274e13"),
    AlarmState.INSUFFICIENT_DATA: ("#e6e6e6", "#555555"),
    None: ("#f7f7f7", "#999999"),
}
COLUMNS_OF_STATES = 2


class Measured:
    """What was written, read as the dashboard reads it.

    Args:
        samples: The values.
        settings: Say how streams are called.
        bounds: Where the minutes begin, and where the last one ends.
        longer: What ages are multiplied by.
    """

    def __init__(self, samples: Samples, settings: Settings, bounds: Sequence[float], longer: float) -> None:
        self.samples = samples
        self.settings = settings
        self.bounds = bounds
        self.longer = longer

    def line(self, line: Line) -> list[float | None]:
        """A line's values, None where there is none."""
        if isinstance(line.shows, Share):
            part, of = self._sum(line.shows.part), self._sum(line.shows.of)
            return [
                100 * (some or 0) / all_of_it if all_of_it else None
                for some, all_of_it in zip(part, of, strict=True)
            ]
        return self._sum(line.shows)

    def _sum(self, series: Sequence[Series]) -> list[float | None]:
        columns = zip(*map(self._values, series), strict=True)
        return [None if set(each) == {None} else sum(one or 0 for one in each) for each in columns]

    def _values(self, series: Series) -> list[float | None]:
        metric = series.metric
        if isinstance(metric, OwnMetric):
            key = series_of(NAMESPACE, metric.name, metric.dimensions)
        elif isinstance(metric.of, StreamSpec):
            key = series_of(metric.namespace, metric.name, {"StreamName": self.settings.name_of(metric.of)})
        else:
            return [None] * (len(self.bounds) - 1)
        found = self.samples.datapoints(key, series.statistic, self.bounds)
        if isinstance(metric, OwnMetric) and metric.metric.kind is Kind.GAUGE and metric.unit != "Count":
            return [None if each is None else each * self.longer for each in found]
        return found


def draw_graph(axes: Any, graph: Graph, measured: Measured) -> None:
    """Draw the lines that have values, and the threshold."""
    minutes = np.arange(len(measured.bounds) - 1)
    for line in graph.lines:
        found = measured.line(line)
        counted = any(series.statistic == "Sum" for series in line.series) and set(found) != {None}
        missing = 0.0 if counted else np.nan  # a minute in which nothing happened has no figure
        values = [missing if each is None else each * graph.scale for each in found]
        if not np.all(np.isnan(values)):
            axes.plot(minutes, values, marker=".", markersize=3, linewidth=1.2, label=line.label)
    if graph.threshold is not None:
        axes.axhline(graph.threshold.value, color="#d62728", linestyle="--", linewidth=1)
        axes.annotate(
            graph.threshold.label, (0.01, graph.threshold.value), xycoords=("axes fraction", "data"),
            va="bottom", fontsize=7, color="#d62728",
        )  # fmt: skip
    if labels := axes.get_legend_handles_labels()[1]:
        columns = 2 if max(map(len, labels)) > 16 else 4
        axes.legend(fontsize=6.5, ncols=columns, loc="upper left", bbox_to_anchor=(0, -0.2), frameon=False)
    else:
        axes.text(
            0.5,
            0.5,
            "nothing was measured: it did not happen",
            transform=axes.transAxes,
            ha="center",
            fontsize=8,
            color="#777777",
        )
    axes.set_title(graph.title, fontsize=9, loc="left")
    axes.set_ylabel(graph.axis, fontsize=8)
    axes.set_xlabel("minute of the run", fontsize=7, labelpad=1)
    axes.set_xlim(0, max(len(minutes) - 1, 1))
    axes.set_ylim(bottom=0, top=max(axes.get_ylim()[1], 1))
    axes.tick_params(labelsize=7)
    axes.grid(alpha=0.3)


def draw_states(axes: Any, states: Alarms, found: dict[str, AlarmState | None]) -> None:
    """Draw a box for each alarm, those that ring first."""
    order = list(COLOURS)
    names = sorted(states.names, key=lambda name: order.index(found[name]))
    axes.set_title(states.title, fontsize=9, loc="left")
    axes.axis("off")
    depth = 13
    for number, name in enumerate(names):
        column, line = divmod(number, depth)
        background, text = COLOURS[found[name]]
        axes.text(
            column / COLUMNS_OF_STATES,
            1 - (line + 0.7) / depth,
            name,
            transform=axes.transAxes,
            fontsize=6.5,
            color=text,
            bbox={"facecolor": background, "edgecolor": "none", "boxstyle": "round,pad=0.25"},
        )


def draw(home: Path, out: Path) -> None:
    """Draw the dashboard of a local environment's run.

    Args:
        home: The folder of the environment.
        out: The picture.
    """
    state = read_state(home)
    assert state is not None, f"no environment in {home}"
    layout, minute = Layout(home, state.options), state.options.metrics_seconds
    samples, pipeline = Samples(), topology(layout.settings)
    LogFollower(layout.logs).feed(samples)
    last = samples.ended
    assert samples.began is not None, "no metrics were written"
    assert last is not None
    first = samples.began // minute * minute
    bounds = [first + minute * number for number in range(int((last - first) // minute) + 2)]
    board = Board(alarms(pipeline), layout.settings, minute)
    board.advance(samples, bounds[-1] + minute)
    found = {each.spec.name: each.state for each in board.standings()}
    measured = Measured(samples, layout.settings, bounds, PERIOD / minute)
    rows = dashboard(pipeline)
    figure = plt.figure(figsize=(18, 3.9 * len(rows)), layout="constrained")
    for below, row in zip(figure.subfigures(len(rows), 1), rows, strict=True):
        below.suptitle(row.title, fontsize=11, fontweight="bold", x=0.01, ha="left")
        for axes, widget in zip(
            below.subplots(1, len(row.widgets), squeeze=False)[0], row.widgets, strict=True
        ):
            if isinstance(widget, Graph):
                draw_graph(axes, widget, measured)
            else:
                draw_states(axes, widget, found)
    if minute < PERIOD:
        figure.supxlabel(
            f"A minute lasts {minute:g} s in this run, and ages are drawn {PERIOD / minute:g} times as long.",
            fontsize=8,
        )
    figure.savefig(out, dpi=75)
    Image.open(out).convert("RGB").quantize(64).save(out, optimize=True)  # a quarter of the bytes


if __name__ == "__main__":
    draw(Path(sys.argv[1]), Path(sys.argv[2]))
