"""What the log lines of one piece of work have in common: they all carry it, whoever writes them.

A lane, or a worker of payments, opens a scope around one piece of work; whoever learns what it is about
(which order, which conversation) says so. The filter puts it into every line that the same thread logs until
the scope ends, failures and retries included.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_FIELDS: ContextVar[dict[str, str] | None] = ContextVar("log_fields", default=None)


@contextmanager
def log_scope() -> Iterator[None]:
    """Open a scope for one piece of work; it begins with nothing known."""
    token = _FIELDS.set({})
    try:
        yield
    finally:
        _FIELDS.reset(token)


def log_about(**fields: str | None) -> None:
    """Say what the present scope is about; what is None stays unsaid. Without a scope nothing happens."""
    known = _FIELDS.get()
    if known is not None:
        known.update({name: value for name, value in fields.items() if value is not None})


class LogContextFilter(logging.Filter):
    """Adds what the present scope is about; a line's own fields win."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Add the fields; every line passes."""
        for name, value in (_FIELDS.get() or {}).items():
            if not hasattr(record, name):
                setattr(record, name, value)
        return True
