"""Where logs go: a JSON object a line on standard error; plain sentences for a person at a terminal."""

import logging
import sys
import threading
from types import TracebackType
from typing import Final

from orderstream.observability.log_context import LogContextFilter
from orderstream_workers.runtime.telemetry.log_lines import encoded, line_of

logger = logging.getLogger(__name__)


def configure_logging(level: str, application: str) -> None:
    """Log everything from ``level`` up as JSON lines, each with the order and conversation it is about.

    What Python itself would print, of an error that nothing caught or of a warning, is such a line, too.

    Args:
        level: Name of a level of the logging module.
        application: Which process this is; in every line, except those of an application beside others in
            one process (``logs_as``), which bear its name.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Lines(application))
    handler.addFilter(LogContextFilter())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    logging.captureWarnings(capture=True)
    sys.excepthook = _ends_by_a_defect
    threading.excepthook = _thread_ends
    # These log every request at INFO, or every look at the read model's version.
    for chatty in ("botocore", "urllib3", "httpx", "httpcore", "alembic"):
        logging.getLogger(chatty).setLevel(logging.WARNING)


def logs_are_lines() -> bool:
    """Whether this process logs for machines: what it would print for a person is then a line, too."""
    return any(isinstance(handler.formatter, _Lines) for handler in logging.getLogger().handlers)


class _Lines(logging.Formatter):
    """One JSON object a record."""

    def __init__(self, application: str) -> None:
        super().__init__()
        self._application = application

    def format(self, record: logging.LogRecord) -> str:
        return encoded(line_of(record, self._application)).decode()


def _ends_by_a_defect(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    logger.critical("process ends by a defect", exc_info=(kind, error, trace))


def _thread_ends(ended: threading.ExceptHookArgs) -> None:
    if ended.exc_value is not None and not isinstance(ended.exc_value, SystemExit):
        logger.critical(
            "a thread ends by a defect", exc_info=(ended.exc_type, ended.exc_value, ended.exc_traceback)
        )


class _Sentence(logging.Formatter):
    """Level, message, and what else the record carries."""

    def format(self, record: logging.LogRecord) -> str:
        more = "; ".join(f"{name}: {value}" for name, value in vars(record).items() if name not in _USUAL)
        return f"{record.levelname.lower()}: {record.getMessage()}" + (f" ({more})" if more else "")


_USUAL: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
"""What every record has."""


def configure_terminal_logging(level: str = "WARNING") -> None:
    """Log as sentences, for a command that a person runs and reads.

    Args:
        level: Name of a level of the logging module.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Sentence())
    logging.basicConfig(level=level, handlers=[handler], force=True)
