"""Structured logs: one JSON object a line on standard error; plain sentences for a person at a terminal."""

import logging
import sys

from pythonjsonlogger.json import JsonFormatter

from orderstream_consumer.processing.log_context import LogContextFilter


def configure_logging(level: str, process: str) -> None:
    """Log everything from ``level`` up as JSON lines, each with the order and conversation it is about.

    Args:
        level: Name of a level of the logging module.
        process: Which process this is; stands in every line.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        JsonFormatter(
            "%(levelname)s %(name)s %(message)s",
            timestamp=True,
            rename_fields={"levelname": "level", "name": "logger"},
            static_fields={"process": process},
        )
    )
    handler.addFilter(LogContextFilter())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    # These tell of every request at INFO, which is our own callers' business.
    for chatty in ("botocore", "urllib3", "httpx", "httpcore"):
        logging.getLogger(chatty).setLevel(logging.WARNING)


class _Sentence(logging.Formatter):
    """Level, message, and what else the record carries."""

    def format(self, record: logging.LogRecord) -> str:
        more = "; ".join(f"{name}: {value}" for name, value in vars(record).items() if name not in _USUAL)
        return f"{record.levelname.lower()}: {record.getMessage()}" + (f" ({more})" if more else "")


_USUAL = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
"""What every record has."""


def configure_terminal_logging(level: str = "WARNING") -> None:
    """Log as sentences, for a command that a person runs and reads.

    Args:
        level: Name of a level of the logging module.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Sentence())
    logging.basicConfig(level=level, handlers=[handler], force=True)
