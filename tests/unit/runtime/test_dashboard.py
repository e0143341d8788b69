"""The dashboard follows from the declaration: what it shows is measured, and it shows what is wrong first."""

from pathlib import Path

from orderstream_workers.runtime.discovery import topology
from orderstream_workers.runtime.settings import Settings
from orderstream_workers.runtime.topology.alarms import alarms, unmeasured
from orderstream_workers.runtime.topology.dashboard import Alarms, Graph, dashboard

PIPELINE = topology(Settings())
ROWS = dashboard(PIPELINE)
FILE = """
from orderstream_workers.runtime.topology import StreamApplication

DECLARATION = StreamApplication(name="gift-desk", does="nothing")


def build(resources):
    return resources.in_lanes(DECLARATION, {})
"""
GRAPHS = {widget.title: widget for row in ROWS for widget in row.widgets if isinstance(widget, Graph)}


def test_every_line_is_measured() -> None:
    """A graph of a metric that nobody writes would be empty for good, and look like good news."""
    shown = [series for graph in GRAPHS.values() for line in graph.lines for series in line.series]
    assert len(shown) > 80
    assert [reason for series in shown if (reason := unmeasured(series, PIPELINE))] == []


def test_the_first_row_has_every_alarm_once() -> None:
    """Whoever is called at night looks there first."""
    states = [widget for widget in ROWS[0].widgets if isinstance(widget, Alarms)]
    named = [name for widget in states for name in widget.names]
    assert sorted(named) == sorted(alarm.name for alarm in alarms(PIPELINE))
    assert len(states) == len(ROWS[0].widgets) == 4


def test_a_graph_says_where_its_alarm_begins() -> None:
    """In the unit of its axis: the lowest threshold of the alarms on what it shows."""
    marks = {title: graph.threshold.value for title, graph in GRAPHS.items() if graph.threshold is not None}
    assert marks["Behind the tip of the stream"] == 300
    assert marks["No checkpoint although records wait"] == 600
    assert marks["Server errors (5xx) among the responses"] == 5
    assert "Payments" not in marks  # only one of its lines has an alarm


def test_an_application_of_ones_own_is_shown(tmp_path: Path) -> None:
    """Without a line of its own: how far it is behind, beside the others."""
    (tmp_path / "gift_desk.py").write_text(FILE)
    rows = dashboard(topology(Settings(applications_folder=str(tmp_path))))
    graphs = [widget for row in rows for widget in row.widgets if isinstance(widget, Graph)]
    (lag,) = (graph for graph in graphs if graph.title == "Behind the tip of the stream")
    assert "gift-desk" in {line.label for line in lag.lines}


def test_axes_have_units_in_words() -> None:
    """A person reads them at night."""
    assert {graph.axis for graph in GRAPHS.values()} >= {"seconds", "percent", "orders a minute"}
    assert all(graph.axis and graph.lines for graph in GRAPHS.values())
