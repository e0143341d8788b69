"""Judges the logs of a run: each line by its schema, and none says what the input says of a person."""

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from e2e.running import INVOICES
from fakes.log_lines import faults_of, personal_in
from orderstream_playground.demo.invoices import read_invoices

NOT_OURS = {"kinesis", "aws"}
"""What emulates AWS prints lines of its own."""

SHORTEST = 6
"""Characters of a value that no other text has in it by chance."""

KNOWN = {"conversation_id", "event_id", "event_type", "shard_id", "trace_id", "span_id"}
"""What every line about a processed message has, beside the order or the SKU; other records have less."""

NO_MESSAGES = {"stock-monitor"}


@cache
def personal(limit: int) -> frozenset[str]:
    """Who ordered what, and where it goes, in the first invoices."""
    found: set[str] = set()
    for invoice in read_invoices(INVOICES, limit):
        if invoice.customer_id:
            found |= {f"customer-{invoice.customer_id}", f'"{invoice.customer_id}"'}
        found |= {line.description for line in invoice.lines if line.description}
        found |= {invoice.country} if invoice.country else set()
    assert len(found) > limit / 2
    return frozenset(value for value in found if len(value) >= SHORTEST)


def judge_logs(home: Path, limit: int) -> Iterator[str]:
    """What is wrong with the logs of a run over the first invoices, in words."""
    for log in sorted((home / "logs").glob("*.log")):
        text = log.read_text(errors="surrogateescape")
        if log.stem not in NOT_OURS:
            yield from faults_of(log.stem, text)
            yield from _incomplete(log.stem, text)
            yield from (f"{log.stem} has logged {value!r}" for value in personal_in([text], personal(limit)))


def _incomplete(name: str, text: str) -> Iterator[str]:
    for line in text.splitlines():
        if '"message":"message processed"' in line and name not in NO_MESSAGES:
            said = json.loads(line).keys()
            missing = KNOWN - said
            if missing or not said & {"order_id", "sku"}:
                yield f"{name} does not say {sorted(missing)}: {line[:300]}"
