"""Structured logs: one JSON object a line on standard error."""

import logging
import sys

from pythonjsonlogger.json import JsonFormatter

from orderstream_workers.engine.log_context import LogContextFilter


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
