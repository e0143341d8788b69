"""Every log line says what it is about."""

import json
import logging
from collections.abc import Iterator

import pytest

from orderstream.observability.log_context import log_about, log_scope
from orderstream_workers.runtime.logs import configure_logging


@pytest.fixture
def logger() -> Iterator[logging.Logger]:
    """The root logger is put back as it was."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    root.handlers = []
    yield logging.getLogger("orderstream.test")
    root.handlers = handlers
    root.setLevel(level)


def test_lines_of_one_piece_of_work_carry_its_order(
    logger: logging.Logger, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is known of the order stands in every line until the work ends; a line's own fields win."""
    configure_logging("INFO", "inventory")
    with log_scope():
        logger.info("not known yet")
        log_about(order_id="o-1", conversation_id="c-1", event_type=None)
        logger.info("known")
        logger.info("its own", extra={"order_id": "o-2"})
    logger.info("over")
    log_about(order_id="o-3")
    logger.info("no scope")
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert [(line["message"], line.get("order_id"), line.get("conversation_id")) for line in lines] == [
        ("not known yet", None, None),
        ("known", "o-1", "c-1"),
        ("its own", "o-2", "c-1"),
        ("over", None, None),
        ("no scope", None, None),
    ]
    assert {(line["application"], line["level"], line["logger"]) for line in lines} == {
        ("inventory", "INFO", "orderstream.test")
    }
