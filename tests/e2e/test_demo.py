"""The whole pipeline, as a user starts it: real orders through real processes, judged from outside."""

import json
import os
import shutil
import signal
import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import psutil
import pytest

from e2e import reconcile as reconciler
from e2e.corruptions import ALL
from e2e.logged import judge_logs
from e2e.measured import measured, metric_lines, orders_unsure
from e2e.running import INVOICES, free_base_port, orderstream, reconcile
from e2e.traced import judge_traces
from fakes.log_database import duckdb_rows, flat, rounded
from orderstream_playground.local.logs.reading import answer, asked, lines_in
from orderstream_workers.runtime.discovery import topology
from orderstream_workers.runtime.settings import Settings
from orderstream_workers.runtime.topology.log_queries import ORDER, QUERIES, TRACE, LogQuery
from orderstream_workers.runtime.topology.metrics import catalogue

LIMIT = 150
TEMPLATE = Path(__file__).parents[2] / "infra" / "orderstream-data.template.json"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The output of the first 150 invoices, on what the synthesized template makes."""
    folder = tmp_path_factory.mktemp("demo")
    out = folder / "out"
    done = subprocess.run(
        orderstream(
            *(folder / "home", free_base_port(), "demo", "--orders", str(INVOICES)),
            *("--limit", str(LIMIT), "--out", str(out), "--no-progress", "--from-template", str(TEMPLATE)),
        ),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return out


def may_repeat(home: Path) -> bool:
    """Whether a worker met, on a slow machine, one of the two known causes of a second mail."""
    log = (home / "logs" / "notifications.log").read_text()
    return "lease lost" in log or "SendEmail" in log


@pytest.mark.timeout(1200)
def test_real_orders_reconcile(run: Path) -> None:
    """The first 150 real invoices go through every service and the books balance, recomputed from outside."""
    judged = reconcile(run, LIMIT, *(() if may_repeat(run.parent / "home") else ("--mails-once",)))
    assert judged.returncode == 0, judged.stdout
    summary = json.loads((run / "summary.json").read_text())
    assert summary["counts"]["offered"] == LIMIT
    assert summary["dead_letters"] == 0


def test_every_order_of_the_run_is_one_trace(run: Path) -> None:
    """One root, no orphan, and each message that its history lists was sent and processed in a span."""
    judged = judge_traces(run.parent / "home")
    assert len(judged) > LIMIT / 2
    assert {order_id: faults for order_id, faults in judged.items() if faults} == {}


@pytest.mark.parametrize("lost", ["POST /orders", "send orders", "process orders"])
def test_the_judge_of_traces_has_teeth(run: Path, tmp_path: Path, lost: str) -> None:
    """Spans of a kind that were never exported are missed, in every order."""
    for name in ("read-model.sqlite", "traces.sqlite"):
        shutil.copy(run.parent / "home" / name, tmp_path)
    with closing(sqlite3.connect(tmp_path / "traces.sqlite")) as database, database:
        database.execute("DELETE FROM spans WHERE json_extract(content, '$.name') = ?", (lost,))
    assert all(judge_traces(tmp_path).values())


@pytest.mark.timeout(1200)
def test_every_process_has_written_its_metrics(run: Path) -> None:
    """On SIGTERM at the latest: valid lines of EMF, all in the catalogue, and each order counted once."""
    declared = {
        (process, measurement.metric.name)
        for measurement in catalogue(topology(Settings()))
        for process in measurement.processes
    }
    home = run.parent / "home"
    written = measured(home)
    assert set(written) <= declared
    assert {process for process, _ in written} == {process.name for process in topology(Settings()).processes}
    counts = json.loads((run / "summary.json").read_text())["counts"]
    ended = written["saga", "Confirmed"] + written["saga", "Cancelled"]
    for counted in (written["saga", "Accepted"], ended):
        assert abs(counts["accepted"] - counted) <= orders_unsure(home)
    assert any("OrderLatency" in line for line in metric_lines(home))
    lags = [process for process, name in written if name == "MillisBehindLatest"]
    assert sorted(lags) == sorted(one.name for one in topology(Settings()).applications)


def test_every_line_of_the_run_is_one_of_the_schema(run: Path) -> None:
    """Of every process; and none has an address, a customer, a description or a country in it."""
    assert list(judge_logs(run.parent / "home", LIMIT)) == []


@pytest.mark.parametrize("said", ["not JSON", '{"timestamp": "now"}', "customer-17850@example.com"])
def test_the_judge_of_logs_has_teeth(run: Path, tmp_path: Path, said: str) -> None:
    """A line that is none, one that lacks a field, and one that names a customer."""
    shutil.copytree(run.parent / "home" / "logs", tmp_path / "logs")
    with (tmp_path / "logs" / "saga.log").open("a") as log:
        log.write(said + "\n")
    assert list(judge_logs(tmp_path, LIMIT))


@pytest.fixture(scope="module")
def logged(run: Path) -> list[str]:
    return list(lines_in(run.parent / "home" / "logs"))


@pytest.mark.parametrize("query", QUERIES, ids=lambda query: query.name)
def test_every_query_is_answered_by_the_logs_of_the_run(logged: list[str], query: LogQuery) -> None:
    """DuckDB and SQLite find the same; what a healthy run has to answer has rows, and fields that occur."""
    last = next(line for line in map(json.loads, reversed(logged)) if line["message"] == "order ended")
    filled = asked(query, {ORDER: last["order_id"], TRACE: last["trace_id"]})
    columns, rows = answer(filled, logged)
    assert columns == [*(query.show or query.by), *(figure.name for figure in query.figures)]
    if len(rows) < query.limit:
        assert rounded(rows) == rounded(duckdb_rows(filled, logged))
    if query.expected:
        assert rows
        occur = set().union(*(flat(json.loads(line)) for line in logged))
        assert {*query.fields} - {"reason", "error.message", "error.type"} <= occur


@pytest.mark.parametrize("corrupt", ALL, ids=lambda corrupt: corrupt.__name__)
def test_the_judge_has_teeth(run: Path, tmp_path: Path, corrupt: Callable[[Path], None]) -> None:
    """Each way of being wrong, planted into a right run, is found."""
    out = tmp_path / "out"
    shutil.copytree(run, out)
    corrupt(out)
    given = ["--orders", str(INVOICES), "--limit", str(LIMIT), "--out", str(out), "--mails-once"]
    assert reconciler.main(given) == 1


SHELL = {
    "HTTP_PROXY": "http://127.0.0.1:1",
    "http_proxy": "http://127.0.0.1:1",
    "HTTPS_PROXY": "http://127.0.0.1:1",
    "ALL_PROXY": "http://127.0.0.1:1",
    "AWS_ENDPOINT_URL_DYNAMODB": "http://127.0.0.1:1",
    "AWS_PROFILE": "of-another-account",
    "AWS_REGION": "eu-west-1",
    "AWS_SESSION_TOKEN": "of-another-account",
    "ORDERSTREAM_TABLE_PREFIX": "of-another-account-",
}
"""A shell of somebody who works behind a proxy, and on an AWS account."""


@pytest.mark.timeout(1200)
def test_the_same_file_again_changes_nothing(tmp_path: Path) -> None:
    """Orders played twice into one environment are accepted twice and carried out once, from any shell."""
    home, port = tmp_path / "home", free_base_port()
    shell = os.environ | SHELL
    subprocess.run(orderstream(home, port, "local", "up"), check=True, env=shell)
    try:
        for out in ("first", "second"):
            subprocess.run(
                orderstream(
                    *(home, port, "demo", "--orders", str(INVOICES), "--limit", "40"),
                    *("--out", str(tmp_path / out), "--no-progress"),
                ),
                check=True,
                env=shell,
            )
            assert reconcile(tmp_path / out, 40).returncode == 0
        subprocess.run(orderstream(home, 0, "local", "status"), check=True, env=shell)
        ambiguous = subprocess.run(
            [*orderstream(home, 0, "dlq", "list")[:-2]],
            env=shell | {"ORDERSTREAM_HOME": str(home)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert (ambiguous.returncode, "--local or --aws" in ambiguous.stderr) == (1, True)
        listed = subprocess.run(
            orderstream(home, 0, "dlq", "list"), env=shell, capture_output=True, text=True, check=True
        )
        assert (listed.stdout, listed.stderr) == (
            "nothing is parked\n",
            f"on the local environment in {home}\n",
        )
    finally:
        subprocess.run(orderstream(home, 0, "local", "down"), check=True, env=shell)
    for name in ("stock.jsonl", "ledger.jsonl"):
        assert (tmp_path / "first" / name).read_text() == (tmp_path / "second" / name).read_text()


@pytest.mark.timeout(1200)
def test_interrupting_leaves_no_process_behind(tmp_path: Path) -> None:
    """Ctrl-C in the middle stops every process of the demo and says so with its exit status."""
    home = tmp_path / "home"
    demo = subprocess.Popen(
        orderstream(
            *(home, free_base_port(), "demo", "--orders", str(INVOICES)),
            *("--limit", "200", "--out", str(tmp_path / "out")),
        ),
        stdout=subprocess.PIPE,
        text=True,
    )
    assert demo.stdout is not None
    for line in demo.stdout:
        if "playing" in line:
            break
    children = json.loads((home / "state.json").read_text())["processes"]
    demo.send_signal(signal.SIGINT)
    demo.communicate(timeout=90)
    assert demo.returncode == 130
    assert len(children) == 15
    assert not [child["name"] for child in children if psutil.pid_exists(child["pid"])]
