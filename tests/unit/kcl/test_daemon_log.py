"""The daemon's log, as a container wants it: one structured line an event."""

import logging

import pytest

from orderstream_consumer.engines.kcl.daemon import DaemonLog


def test_event_of_the_daemon_becomes_an_event_of_ours(caplog: pytest.LogCaptureFixture) -> None:
    """Level, logger, message and exception of the daemon are kept as fields."""
    caplog.set_level(logging.INFO)
    DaemonLog().line("WARN||LeaseAssignmentManager||Not able to assign || all||java.io.IOException: no")
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert record.getMessage() == "Not able to assign "
    assert record.__dict__["kcl_logger"] == "LeaseAssignmentManager"


def test_exception_is_a_field(caplog: pytest.LogCaptureFixture) -> None:
    """What Java threw stands beside the message, on the same line."""
    DaemonLog().line("ERROR||Scheduler||it failed||java.io.IOException: no at a.b")
    assert caplog.records[0].__dict__["error"] == "java.io.IOException: no at a.b"


def test_line_of_a_shard_process_is_passed_on_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    """A shard process logs JSON itself: it is not wrapped a second time, whatever it holds."""
    own = '{"message": "a || b ] for shard x", "n": [1]}'
    DaemonLog().line(
        f"ERROR||LineReaderTask||Received error line from subprocess [{own}] for shard shardId-1||"
    )
    assert capsys.readouterr().err == own + "\n"


def test_a_line_that_kcl_prints_once_more_is_logged_once(
    capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """Bare, beside its log, whatever came in between; what the shard process says twice is said twice."""
    caplog.set_level(logging.INFO)
    log, own = DaemonLog(), '{"message": "a || b", "n": [1]}'
    logged = f"ERROR||LineReaderTask||Received error line from subprocess [{own}] for shard shardId-1||"
    for line in (logged, logged, "INFO||Scheduler||between||", own, own):
        log.line(line)
    assert capsys.readouterr().err == 2 * (own + "\n")
    assert [record.getMessage() for record in caplog.records] == ["between"]
    log.line('{"n": [1]}')
    assert caplog.records[-1].__dict__["printed"] == '{"n": [1]}'


def test_line_of_no_logger_is_kept(caplog: pytest.LogCaptureFixture) -> None:
    """What Java prints before its log is set up is not lost, and a broken line breaks nothing."""
    caplog.set_level(logging.INFO)
    for line in ("Picked up JAVA_TOOL_OPTIONS: -Xmx1g", "", "WARN||"):
        DaemonLog().line(line)
    assert [record.__dict__["printed"] for record in caplog.records] == [
        "Picked up JAVA_TOOL_OPTIONS: -Xmx1g",
        "",
        "WARN||",
    ]
