"""Every application reads its stream again from TRIM_HORIZON: no effect happens a second time."""

import json
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from urllib.request import urlopen

from chaos.clients import client_of

_MAILBOX = "/_ministack/ses/messages"

REST_SECONDS = 30.0
"""In which the last checkpoints have to be written once everything has been dealt with."""

Books = Mapping[str, frozenset[str]]
"""What the outside sees of a pipeline: entries by book."""


def books_of(aws_url: str, payments_url: str, read_model: Path) -> Books:
    """Read stock, charges, mails and how each order ended from where they are kept.

    Args:
        aws_url: Where DynamoDB and the mailbox are.
        payments_url: The provider, which keeps the ledger.
        read_model: The SQLite file of order status.
    """
    with urlopen(f"{payments_url}/v1/ledger", timeout=30) as ledger:
        charges = [line.decode() for line in ledger if line.strip()]
    with urlopen(f"{aws_url}{_MAILBOX}", timeout=30) as mailbox:
        mails = [mail for account in json.load(mailbox)["messages"].values() for mail in account]
    with closing(sqlite3.connect(f"file:{read_model}?mode=ro", uri=True)) as database:
        orders = database.execute("SELECT order_id, state, state_reason FROM orders").fetchall()
        told = database.execute("SELECT order_id, event_id, type FROM history").fetchall()
    return {
        "stock": _rows(aws_url, "orderstream-stock", {"version"}),
        "charges": frozenset(charges),
        "mails": frozenset(json.dumps(mail, sort_keys=True, default=str) for mail in mails),
        "orders": frozenset(map(str, orders)),
        "messages": frozenset(map(str, told)),
    }


def replay_violations(before: Books, after: Books) -> Iterator[str]:
    """What reading everything again has changed."""
    for book, entries in before.items():
        for entry in sorted(entries - after[book])[:3]:
            yield f"replay: {book} had {entry[:300]}"
        for entry in sorted(after[book] - entries)[:3]:
            yield f"replay: {book} has got {entry[:300]}"


def at_rest(violations: Callable[[], list[str]], patience: float = REST_SECONDS) -> list[str]:
    """Wait until nothing is wrong with a pipeline any more; give what still is when patience ends.

    Args:
        violations: Looks.
        patience: Seconds.
    """
    deadline = time.monotonic() + patience
    while True:
        wrong = violations()
        if not wrong or time.monotonic() > deadline:
            return wrong
        time.sleep(3.0)


def _rows(aws_url: str, table: str, without: set[str]) -> frozenset[str]:
    dynamodb = client_of("dynamodb", aws_url)
    with closing(dynamodb):
        pages = dynamodb.get_paginator("scan").paginate(TableName=table, ConsistentRead=True)
        return frozenset(
            json.dumps({name: row[name] for name in row if name not in without}, sort_keys=True, default=str)
            for page in pages
            for row in page["Items"]
        )
