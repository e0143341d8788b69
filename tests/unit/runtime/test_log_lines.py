"""A line of the log is what the schema says, whatever was logged."""

import ast
import json
import logging
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fakes.log_lines import SCHEMA, faults_of, lines_of, personal_in, valid
from orderstream.errors import DependencyError
from orderstream_workers.runtime.telemetry.log_lines import encoded, line_of
from orderstream_workers.runtime.telemetry.log_schema import rendered
from orderstream_workers.runtime.topology.log_fields import FIELDS, MAX_BYTES, REQUIRED, schema

ROOT = Path(__file__).parents[3]
SOURCES = [path for folder in ("consumers", "producers") for path in (ROOT / folder).glob("*/src/**/*.py")]


def record(message: str = "it happened", *, thrown: BaseException | None = None, **more: object) -> Any:
    made = logging.LogRecord("orderstream.test", logging.WARNING, "x.py", 1, message, None, None)
    if thrown is not None:
        made.exc_info = (type(thrown), thrown, thrown.__traceback__)
    for name, value in more.items():
        setattr(made, name, value)
    return made


def written(made: logging.LogRecord) -> dict[str, Any]:
    line = encoded(line_of(made, "saga"))
    assert len(line) <= MAX_BYTES
    assert b"\n" not in line
    (read,) = lines_of(line.decode())
    return read


def test_the_schema_in_the_documents_is_that_of_the_declaration() -> None:
    """It is written by ``python -m orderstream_workers.runtime.telemetry.log_schema``."""
    assert (ROOT / "docs" / "log-schema.json").read_text() == rendered()
    assert schema() == SCHEMA


def raised(error: Exception) -> Exception:
    try:
        raise error  # noqa: TRY301 - it gets its traceback
    except Exception as caught:  # noqa: BLE001 - whatever it is
        return caught


def test_an_error_of_ours_says_its_kind_its_fields_and_whether_a_retry_can_help() -> None:
    """Outages without a stack; a defect with one, at whose end is what raised."""
    outage = DependencyError(
        "dynamodb", "TransactWriteItems", "slow down", code="Throttling", resource="sagas"
    )
    line = written(_named(outage))
    assert line["error"] == {
        "type": "DependencyError",
        "message": str(outage),
        "retryable": True,
        "dependency": "dynamodb",
        "operation": "TransactWriteItems",
        "code": "Throttling",
        "resource": "sagas",
    }
    defect = written(record(thrown=raised(ValueError("y" * 50_000))))
    assert defect["error"]["type"] == "ValueError"
    assert defect["error"]["stack"].startswith("Traceback")
    assert defect["error"]["stack"].rstrip().endswith("y")
    assert written(_named("java.io.IOException"))["error"] == {"message": "java.io.IOException"}


def _named(error: object) -> logging.LogRecord:
    made = record()
    made.error = error
    return made


def test_what_is_declared_nowhere_stays_and_what_does_not_fit_is_text() -> None:
    """Of libraries that are not ours; a line of ours is refused by the tests' judge for it."""
    made = record(connection=7, port="eighty", status=float("nan"), shards=["a", 1], field=None, drained=True)
    made.name = "uvicorn.error"
    line = written(made)
    assert line["attributes"] == {"connection": "7", "port": "eighty", "status": "nan"}
    assert (line["shards"], line["drained"], "field" in line) == (["a", "1"], True, False)
    with pytest.raises(AssertionError):
        valid(line | {"logger": "orderstream.x"})


def test_no_line_holds_a_mail_address() -> None:
    """A service's text may quote one; the user in a URL is none."""
    refused = DependencyError("ses", "SendEmail", "Jane.Doe+x@mail.example.com is not verified")
    line = json.dumps(written(_named(refused))) + json.dumps(written(record("to jo@example.com")))
    assert not personal_in([line], ["Jane.Doe", "jo@", "mail.example.com"])
    at = written(_named("postgresql://orderstream@db.example.com:5432 does not answer"))
    assert "orderstream@db.example.com" in at["error"]["message"]


def test_arguments_that_do_not_fit_lose_no_line() -> None:
    """The logging module itself would print a traceback, and no line."""
    made = record("%d records")
    made.args = ("many",)
    assert written(made)["message"] == "%d records (its arguments do not fit)"


LONG = ("\x00" * 9_000, "€" * 9_000, "a@b.example" * 900)
ODD = (*LONG, "x", "\ud800", "\n\u2028", None, True, -1, 2**80, float("inf"), b"\xff", LONG * 30)
NAMES = {*FIELDS, "error", "other", "one more"} - {field.name for field in REQUIRED}


@pytest.mark.parametrize("value", [*ODD, dict.fromkeys(LONG, 2**80)], ids=lambda value: str(value)[:9])
def test_every_line_is_valid_and_short(value: object) -> None:
    """Whatever is logged, in one field or in all, as a message or as its logger."""
    for names in (*([name] for name in NAMES), NAMES):
        made = record("", **dict.fromkeys(names, value))
        made.msg, made.levelno, made.name = value, 0, "a.library"
        written(made)


def extras() -> Iterator[tuple[Path, str]]:
    """The names of all fields that stand literally in calls of loggers."""
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.keyword) and node.arg == "extra":
                for inner in ast.walk(node.value):
                    if isinstance(inner, ast.Dict):
                        names = [key.value for key in inner.keys if isinstance(key, ast.Constant)]
                        yield from ((path, name) for name in names if isinstance(name, str))


def test_every_field_that_is_logged_is_declared() -> None:
    """And where it is no literal, the end-to-end runs find it."""
    used = {name for _, name in extras()}
    assert len(used) > 40
    assert {(path.name, name) for path, name in extras() if name not in {*FIELDS, "error"}} == set()


def test_the_judge_of_lines_has_teeth() -> None:
    """What is no JSON, what lacks a field, and what says more than is declared."""
    good = encoded(line_of(record(), "saga")).decode()
    assert list(faults_of("saga", good)) == []
    wrong = ["Traceback (most recent call last):", "{}", good[:-1] + ',"email":"x"}', '{"_aws": {}}']
    assert len(list(faults_of("saga", "\n".join(wrong)))) == len(wrong)


def test_what_python_would_print_itself_is_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    """Of a thread and of a process that an error ends."""
    import threading

    from orderstream_workers.runtime.logs import configure_logging

    root = logging.getLogger()
    before = root.handlers[:], root.level, sys.excepthook, threading.excepthook
    try:
        configure_logging("INFO", "saga")
        error = raised(ValueError("odd"))
        sys.excepthook(ValueError, error, error.__traceback__)
        threading.excepthook(threading.ExceptHookArgs((ValueError, error, error.__traceback__, None)))
    finally:
        root.handlers, sys.excepthook, threading.excepthook = before[0], before[2], before[3]
        root.setLevel(before[1])
        logging.captureWarnings(capture=False)
    said = [(line["level"], line["error"]["type"]) for line in lines_of(capsys.readouterr().err)]
    assert said == [("CRITICAL", "ValueError")] * 2
