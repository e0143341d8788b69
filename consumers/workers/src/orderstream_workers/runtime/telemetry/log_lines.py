"""A line of the log, made of what the logging module records. Pure; docs/log-schema.json says what it may be.

No line is longer than a log driver takes, and what looks like a mail address is masked: an error's text may
quote what it met.
"""

import datetime as dt
import logging
import math
import re
import traceback
from collections.abc import Callable, Mapping
from typing import Any, Final

import msgspec

from orderstream.errors import OrderstreamError
from orderstream_workers.runtime.topology.log_fields import (
    ERROR_FIELDS,
    FIELDS,
    LEVELS,
    MAX_BYTES,
    MAX_ITEMS,
    LogField,
)

_STANDARD: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
"""What every record has."""

_LEFT_OUT: Final = frozenset({"color_message", "logs_as", "error"})
"""Uvicorn's message for a terminal; what has a place of its own in the line."""

_KEPT: Final = frozenset(
    {"timestamp", "level", "logger", "application", "order_id", "conversation_id", "trace_id"}
)
"""What is left of a line that is too long with everything, beside the begin of its message."""

_HEAD: Final = 1_500
"""Characters of a stack's begin that are kept; what raised is at its end."""

_ADDRESS: Final = re.compile(r"(?<![\w.+/-])[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
"""A mail address; the user in a URL, behind ``//``, is none."""


def line_of(record: logging.LogRecord, application: str) -> dict[str, Any]:
    """The fields of a record's line.

    Args:
        record: What was logged.
        application: Whose line it is, unless the record itself says so.
    """
    own = {name: value for name, value in vars(record).items() if name not in _STANDARD}
    line: dict[str, Any] = {
        "timestamp": dt.datetime.fromtimestamp(record.created, dt.UTC).isoformat(timespec="microseconds"),
        "level": LEVELS[min(max(record.levelno // 10, 1), len(LEVELS)) - 1],
        "logger": _text(FIELDS["logger"].longest, record.name),
        "message": _text(FIELDS["message"].longest, _message(record)),
        "application": _text(FIELDS["application"].longest, own.get("logs_as", application)),
    }
    attributes: dict[str, str] = {}
    for name, value in own.items():
        if value is None or name in _LEFT_OUT:
            continue
        field = FIELDS.get(name)
        fitting = None if field is None else _fitting(field, value)
        if fitting is not None:
            line[name] = fitting
        elif len(attributes) < MAX_ITEMS:
            attributes[name[: FIELDS["logger"].longest]] = _text(FIELDS["reason"].longest, value)
    if (error := _error(record, own.get("error"))) is not None:
        line["error"] = error
    if attributes:
        line["attributes"] = attributes
    return line


def encoded(line: dict[str, Any]) -> bytes:
    """A line as JSON, cut where it would be too long."""
    written = msgspec.json.encode(line)
    if len(written) <= MAX_BYTES:
        return written
    shorter = {name: value for name, value in line.items() if name != "attributes"} | {"cut": True}
    shorter["error"] = {name: value for name, value in line.get("error", {}).items() if name != "stack"}
    if not shorter["error"]:
        del shorter["error"]
    written = msgspec.json.encode(shorter)
    if len(written) <= MAX_BYTES:
        return written
    kept = {name: value for name, value in line.items() if name in _KEPT}
    return msgspec.json.encode(kept | {"message": line["message"][:200], "cut": True})


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except (TypeError, ValueError, KeyError):
        return f"{record.msg} (its arguments do not fit)"


def _error(record: logging.LogRecord, said: object) -> dict[str, Any] | None:
    """The error that a record is about: one that is being handled goes before one that is named."""
    raised = record.exc_info[1] if isinstance(record.exc_info, tuple) else None
    error = raised or said
    if error is None:
        return None
    found: dict[str, Any] = {"message": _text(ERROR_FIELDS["message"].longest, error)}
    if isinstance(error, BaseException):
        found["type"] = type(error).__name__
        if isinstance(error, OrderstreamError):
            found["retryable"] = error.retryable
            found |= {
                name: _text(field.longest, value)
                for name, field in ERROR_FIELDS.items()
                if name not in found and isinstance(value := vars(error).get(name), str) and value
            }
    if raised is not None:
        found["stack"] = _stack(raised)
    return found


def _stack(error: BaseException) -> str:
    longest = ERROR_FIELDS["stack"].longest
    whole = _text(10 * longest, "".join(traceback.format_exception(error)))
    if len(whole) <= longest:
        return whole
    middle = "\n[...]\n"
    return whole[:_HEAD] + middle + whole[-(longest - _HEAD - len(middle)) :]


def _fitting(field: LogField, value: object) -> Any | None:
    """A value as its field takes it; None if it does not."""
    return _FITTING[field.kind](field, value)


def _formed(field: LogField, value: object) -> str | None:
    text = _text(field.longest, value)
    return text if not field.form or re.fullmatch(field.form, text) else None


def _number(_: LogField, value: object) -> float | None:
    fits = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    return value if fits else None  # type: ignore[return-value] # it is a number by now


def _whole(_: LogField, value: object) -> int | None:
    fits = isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63
    return int(value) if fits else None  # type: ignore[call-overload] # a number by now


def _counts(_: LogField, value: object) -> dict[str, int] | None:
    if not isinstance(value, Mapping):
        return None
    counts = {_text(100, name): count for name, count in value.items() if isinstance(count, int)}
    return dict(list(counts.items())[:MAX_ITEMS])


_FITTING: Final[Mapping[str, Callable[[LogField, object], Any]]] = {
    "text": _formed,
    "whole": _whole,
    "number": _number,
    "flag": lambda _, value: value if isinstance(value, bool) else None,
    "texts": lambda field, value: (
        [_text(field.longest, item) for item in value[:MAX_ITEMS]]
        if isinstance(value, list | tuple)
        else None
    ),
    "counts": _counts,
}


def _text(longest: int, value: object) -> str:
    text = str(value)
    if "@" in text:
        text = _ADDRESS.sub("(address)", text[: 4 * longest])
    # A text that came from outside may hold halves of characters, which JSON cannot.
    text = text[:longest].encode("utf-8", "backslashreplace").decode()
    return text[:longest]
