"""Queries of the logs: each names fields that exist and messages that are logged, in both dialects."""

import ast
import logging
from pathlib import Path

import pytest
from click.testing import CliRunner

from fakes.log_database import duckdb_rows
from orderstream_playground.cli.local import local
from orderstream_playground.local.logs.reading import answer, asked
from orderstream_workers.runtime.telemetry.insights import insights
from orderstream_workers.runtime.telemetry.log_lines import encoded, line_of
from orderstream_workers.runtime.topology.log_queries import NAMED, ORDER, QUERIES, TRACE, LogQuery

ROOT = Path(__file__).parents[3]
BY_NAME = {query.name: query for query in QUERIES}


def messages() -> set[str]:
    """Every text that stands in the code of the processes, adjacent literals joined."""
    sources = [
        path for folder in ("consumers", "producers") for path in (ROOT / folder).glob("*/src/**/*.py")
    ]
    sources = [path for path in sources if path.stem != "log_queries"]
    trees = (ast.walk(ast.parse(path.read_text())) for path in sources)
    return {
        node.value
        for tree in trees
        for node in tree
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


def test_each_message_that_a_query_looks_for_is_logged() -> None:
    """One that is reworded would make a query find nothing, which looks like good news."""
    wanted = {
        value
        for query in QUERIES
        for condition in query.where
        if condition.field == "message"
        for value in condition.values
    }
    assert len(wanted) > 20
    assert wanted - messages() == set()


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: query.name)
def test_a_query_names_what_is_declared(query: LogQuery) -> None:
    """Fields of the schema; it shows fields or computes figures; what it sorts by is shown."""
    assert set(query.fields) <= set(NAMED)
    assert bool(query.show) != bool(query.figures)
    assert query.sort[0] in {*query.show, *query.by, *(figure.name for figure in query.figures)}
    timed = {figure.field for figure in query.figures if figure.function in {"first", "last"}}
    assert timed <= {"timestamp"}, "SQL takes the least and the greatest"
    assert len(insights(query)) <= 10_000
    assert len({each.name for each in QUERIES}) == len(QUERIES)


def test_in_the_language_of_logs_insights() -> None:
    """As the console takes it, a command a line."""
    figures = (
        "count(*) as processed, pct(duration_seconds, 50) as median_seconds, "
        "pct(duration_seconds, 99) as p99_seconds, max(duration_seconds) as longest_seconds, "
        "max(waited_seconds) as longest_wait_seconds"
    )
    assert insights(BY_NAME["slow"]).splitlines() == [
        'filter message in ["message processed", "batch processed", "payment settled"]',
        "| filter ispresent(duration_seconds)",
        f"| stats {figures} by application, event_type",
        "| sort p99_seconds desc",
        "| limit 100",
    ]
    assert 'filter order_id = "ORDER_ID"' in insights(BY_NAME["order"])


def line(message: str, logger: str = "orderstream.test", **fields: object) -> str:
    made = logging.LogRecord(logger, logging.INFO, "x.py", 1, message, None, None)
    vars(made).update(fields)
    return encoded(line_of(made, "saga")).decode()


THROTTLED = {
    "stream": "orders",
    "operation": "PutRecords",
    "code": "ProvisionedThroughputExceededException",
    "failing_shards": 2,
}
LINES = [
    *(
        line("message processed", duration_seconds=second, event_type="OrderPlaced", waited_seconds=0.5)
        for second in (1, 2, 4)
    ),
    line("message processed", duration_seconds=9.5, event_type="StockReserved"),
    line("order ended", order_id="it's", outcome="confirmed", duration_seconds=3.25, trace_id="a" * 32),
    line("payment postponed", order_id="it's", error="away", delay_seconds=4),
    *(
        line("PutRecords fails", "orderstream.producer", **THROTTLED | {"failures": count})
        for count in (1, 40, 7)
    ),
    line("1 record given up", "orderstream.producer"),
    line("unhealthy", reason="the table t has not responded for 95 s"),
]


@pytest.mark.parametrize(
    ("name", "rows"),
    [
        (
            "slow",
            [("saga", "StockReserved", 1, 9.5, 9.5, 9.5, None), ("saga", "OrderPlaced", 3, 2, 3.96, 4, 0.5)],
        ),
        ("orders", [("confirmed", None, 1, 3.25, 3.25)]),
        ("parked", []),
    ],
)
def test_it_is_answered_alike_by_sqlite_and_duckdb(name: str, rows: list[tuple[object, ...]]) -> None:
    """Groups, quantiles, order."""
    assert [tuple(row) for row in answer(BY_NAME[name], LINES)[1]] == rows
    assert duckdb_rows(BY_NAME[name], LINES) == rows


def test_throttled_puts_are_counted_by_stream_and_error() -> None:
    """A line says how often a call has failed by then; what else a producer logs is no failure of a call."""
    (row,) = answer(BY_NAME["puts"], LINES)[1]
    assert tuple(row)[:7] == (
        "saga",
        "orders",
        "PutRecords",
        "ProvisionedThroughputExceededException",
        3,
        40,
        2,
    )


def test_a_value_is_not_broken_over_two_lines(tmp_path: Path) -> None:
    """The name of a figure stands beside it, however narrow the terminal."""
    folder = tmp_path / "logs"
    folder.mkdir()
    (folder / "saga.log").write_text("".join(f"{each}\n" for each in LINES))
    for columns in range(40, 100, 3):
        runner = CliRunner(env={"COLUMNS": str(columns)})
        said = runner.invoke(local, ["logs", "slow", "--home", str(tmp_path)]).stdout
        for figure in ("processed 3", "median_seconds 2", "p99_seconds 3.96", "longest_wait_seconds 0.5"):
            assert figure in said


def test_an_order_is_found_whatever_its_id() -> None:
    """A quote in it ends no text of the statement."""
    filled = asked(BY_NAME["order"], {ORDER: "it's"})
    columns, rows = answer(filled, LINES)
    assert [row[columns.index("message")] for row in rows] == ["order ended", "payment postponed"]
    assert answer(asked(BY_NAME["trace"], {TRACE: "a" * 32}), LINES)[1][0][3] == "order ended"
    assert not answer(asked(BY_NAME["order"], {ORDER: "' OR 1 = 1 --"}), LINES)[1]


@pytest.mark.parametrize(
    ("words", "said"),
    [(["order"], "order needs --order"), (["slow", "--trace", "x"], "slow takes no --trace")],
)
def test_what_a_query_needs_is_asked_for(words: list[str], said: str, tmp_path: Path) -> None:
    """And nothing is given that it has no use for."""
    ended = CliRunner().invoke(local, ["logs", *words, "--home", str(tmp_path)])
    assert (ended.exit_code, said in ended.stderr) == (2, True)


def test_without_a_query_all_are_listed(tmp_path: Path) -> None:
    """With what each asks."""
    ended = CliRunner().invoke(local, ["logs", "--home", str(tmp_path)])
    assert ended.exit_code == 0
    assert all(query.name in ended.stdout for query in QUERIES)
