"""Log fields of one piece of work: every line that is written during it carries them.

A lane, or a worker of payments, opens a scope around one piece of work; code that learns what it is about
(which order, which conversation) says so. The filter puts it into every line that the same thread logs until
the scope ends, failures and retries included.

Where one process does the work of several, each line says whose it is; threads inherit that.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import ParamSpec, TypeVar

from orderstream.observability.tracing import TraceContext

_P = ParamSpec("_P")
_T = TypeVar("_T")

_FIELDS: ContextVar[dict[str, str | int] | None] = ContextVar("log_fields", default=None)
_PROCESS: ContextVar[str | None] = ContextVar("log_process", default=None)


@contextmanager
def logs_as(process: str) -> Iterator[None]:
    """Say in whose name everything logs from here on, in this thread and those that it starts.

    Args:
        process: The value of ``logs_as`` in each line.
    """
    token = _PROCESS.set(process)
    try:
        yield
    finally:
        _PROCESS.reset(token)


def logs_as_here(act: Callable[_P, _T]) -> Callable[_P, _T]:
    """What does something on another thread, in the name in which this one logs."""
    process = _PROCESS.get()
    if process is None:
        return act

    @wraps(act)
    def named(*args: _P.args, **more: _P.kwargs) -> _T:
        with logs_as(process):
            return act(*args, **more)

    return named


@contextmanager
def log_scope() -> Iterator[None]:
    """Open a scope for one piece of work; it begins with nothing known."""
    token = _FIELDS.set({})
    try:
        yield
    finally:
        _FIELDS.reset(token)


def log_about(**fields: str | int | None) -> None:
    """Say what the present scope is about; what is None stays unsaid. Without a scope nothing happens."""
    known = _FIELDS.get()
    if known is not None:
        known.update({name: value for name, value in fields.items() if value is not None})


def span_fields(traceparent: str | None) -> dict[str, str]:
    """A span as fields of log lines, by OpenTelemetry's names for logs that are no OTLP.

    Args:
        traceparent: Its W3C trace context; None where nothing is traced, and so nothing is said.
    """
    context = None if traceparent is None else TraceContext.read(traceparent)
    if context is None:
        return {}
    return {"trace_id": f"{context.trace_id:032x}", "span_id": f"{context.span_id:016x}"}


class LogContextFilter(logging.Filter):
    """Adds what the present scope is about; a line's own fields win."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Add the fields; every line passes."""
        if (process := _PROCESS.get()) is not None:
            record.logs_as = process
        for name, value in (_FIELDS.get() or {}).items():
            if not hasattr(record, name):
                setattr(record, name, value)
        return True
