"""Structured logs: one JSON object a line on standard error; plain sentences for a person at a terminal."""

import logging
import sys
from typing import Any

from pythonjsonlogger.json import JsonFormatter

from orderstream_consumer.processing.log_context import LogContextFilter


def configure_logging(level: str, process: str) -> None:
    """Log everything from ``level`` up as JSON lines, each with the order and conversation it is about.

    Args:
        level: Name of a level of the logging module.
        process: Which process this is; in every line, except those of an application beside others in
            one process (``logs_as``), which bear its name.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        _Lines(
            "%(levelname)s %(name)s %(message)s",
            timestamp=True,
            rename_fields={"levelname": "level", "name": "logger"},
            static_fields={"process": process},
        )
    )
    handler.addFilter(LogContextFilter())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    # These log every request at INFO, which is left to our own callers.
    for chatty in ("botocore", "urllib3", "httpx", "httpcore"):
        logging.getLogger(chatty).setLevel(logging.WARNING)


class _Lines(JsonFormatter):
    """A line bears the name of the application that logs, where it is not alone in its process."""

    def add_fields(
        self, log_data: dict[str, Any], record: logging.LogRecord, message_dict: dict[str, Any]
    ) -> None:
        super().add_fields(log_data, record, message_dict)
        log_data["process"] = log_data.pop("logs_as", log_data["process"])


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
