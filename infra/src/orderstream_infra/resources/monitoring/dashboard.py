"""CloudWatch's dashboard, drawn from the declared rows: titles, units, and where an alarm begins."""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from aws_cdk import Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from orderstream_infra.resources.monitoring.measured import Measured, share_of, sum_of
from orderstream_workers.runtime.topology import Share
from orderstream_workers.runtime.topology.dashboard import PERIOD_SECONDS, Alarms, Graph, Line, Row

_WIDTH: Final = 24
"""Columns of a dashboard."""

_TITLE_HEIGHT: Final = 1
_HEIGHT: Final = 6
_LINE_OF_STATES: Final = 4
"""Alarms whose states stand in one unit of height."""


class Dashboard(Construct):
    """The one dashboard of the pipeline.

    Args:
        scope: Where it belongs.
        called: Its name in AWS.
        rows: What it shows.
        measured: Where metrics are found.
        alarms: The ARN of each alarm, by its declared name.
    """

    def __init__(
        self,
        scope: Construct,
        *,
        called: str,
        rows: Sequence[Row],
        measured: Measured,
        alarms: Mapping[str, str],
    ) -> None:
        super().__init__(scope, "Dashboard")
        self._measured = measured
        self._alarms = alarms
        self._region = Stack.of(self).region
        body = {"periodOverride": "inherit", "start": "-PT3H", "widgets": [*self._placed(rows)]}
        cloudwatch.CfnDashboard(
            self, "Dashboard", dashboard_name=called, dashboard_body=Stack.of(self).to_json_string(body)
        )

    def _placed(self, rows: Sequence[Row]) -> Iterator[dict[str, Any]]:
        top = 0
        for row in rows:
            yield _at(0, top, _WIDTH, _TITLE_HEIGHT, "text", {"markdown": f"## {row.title}"})
            top += _TITLE_HEIGHT
            width = _WIDTH // len(row.widgets)
            height = max(map(_height, row.widgets))
            for column, widget in enumerate(row.widgets):
                kind = "alarm" if isinstance(widget, Alarms) else "metric"
                shown = self._states(widget) if isinstance(widget, Alarms) else self._graph(widget)
                yield _at(column * width, top, width, height, kind, shown)
            top += height

    def _states(self, states: Alarms) -> dict[str, Any]:
        return {"title": states.title, "alarms": [self._alarms[name] for name in states.names]}

    def _graph(self, graph: Graph) -> dict[str, Any]:
        numbers = itertools.count()
        shown: dict[str, Any] = {
            "title": graph.title,
            "region": self._region,
            "view": "timeSeries",
            "period": PERIOD_SECONDS,
            "metrics": [entry for line in graph.lines for entry in self._line(line, graph.scale, numbers)],
            "yAxis": {"left": {"label": graph.axis, "min": 0, "showUnits": False}},
        }
        if graph.threshold is not None:
            mark = {"label": graph.threshold.label, "value": graph.threshold.value, "color": "#d62728"}
            shown["annotations"] = {"horizontal": [mark]}
        return shown

    def _line(self, line: Line, scale: float, numbers: Iterator[int]) -> Iterator[list[Any]]:
        """A line's entries: its metric alone, or hidden metrics with what is computed of them.

        Counts are computed: a minute in which nothing happened has no figure, and is drawn as 0.
        """
        ids = {series: f"m{next(numbers)}" for series in dict.fromkeys(line.series)}
        counted = any(series.statistic == "Sum" for series in ids)
        alone = len(ids) == 1 and scale == 1 and not counted
        if not alone:
            if isinstance(line.shows, Share):
                expression = share_of(
                    [ids[one] for one in line.shows.part], [ids[one] for one in line.shows.of]
                )
            else:
                expression = sum_of([*ids.values()]) if counted else next(iter(ids.values()))
            computed = expression if scale == 1 else f"{expression} * {scale:g}"
            yield [{"expression": computed, "label": line.label, "id": f"e{next(numbers)}"}]
        for series, called in ids.items():
            dimensions = itertools.chain.from_iterable(self._measured.dimensions(series.metric).items())
            options: dict[str, Any] = {"id": called, "stat": series.statistic}
            options |= {"label": line.label} if alone else {"visible": False}
            yield [self._measured.namespace(series.metric), series.metric.name, *dimensions, options]


def _height(widget: Graph | Alarms) -> int:
    if isinstance(widget, Graph):
        return _HEIGHT
    return 1 + -(-len(widget.names) // _LINE_OF_STATES)


def _at(x: int, y: int, width: int, height: int, kind: str, properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": kind, "x": x, "y": y, "width": width, "height": height, "properties": properties}
