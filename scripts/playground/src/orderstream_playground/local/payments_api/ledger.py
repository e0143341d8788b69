"""The provider's books, in SQLite: they survive a restart and do not grow in memory.

``answer`` holds each idempotency key with the digest of its request and the response it got, forever;
``entry`` holds one row per movement of money. Both are written in one transaction.
"""

import datetime as dt
import sqlite3
from pathlib import Path
from typing import Final, Literal

import msgspec

_SCHEMA: Final = """
pragma journal_mode = wal;
pragma synchronous = normal;
create table if not exists answer (
    key text primary key, status integer not null, body blob not null, digest text not null
) without rowid;
create table if not exists entry (
    number integer primary key, order_id text not null, kind text not null, reference text not null unique,
    charge_id text not null, amount_minor integer not null, currency text not null,
    idempotency_key text not null unique, at text not null
);
create index if not exists entry_charge on entry (charge_id);
"""

_PAGE: Final = 500


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One movement of money.

    Attributes:
        order_id: The order.
        kind: Taken from the customer, or given back.
        reference: The provider's id of the movement.
        charge_id: The charge that it is, or gives back.
        amount_minor: Minor units.
        currency: ISO 4217 code.
        idempotency_key: The key of its request.
        at: When it was booked (UTC).
    """

    order_id: str
    kind: Literal["charge", "refund"]
    reference: str
    charge_id: str
    amount_minor: int
    currency: str
    idempotency_key: str
    at: dt.datetime


class StoredResponse(msgspec.Struct, frozen=True):
    """The response to a request.

    Attributes:
        status: HTTP status.
        body: JSON.
        digest: Digest of the request that it belongs to.
    """

    status: int
    body: bytes
    digest: str


class Ledger:
    """The books. For one thread at a time.

    A crash of the process loses nothing that got a response; a crash of the machine may.

    Args:
        path: The SQLite file; made if it is not there.
    """

    def __init__(self, path: Path) -> None:
        self._database = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._database.executescript(_SCHEMA)

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def response(self, key: str) -> StoredResponse | None:
        """The response to an idempotency key; None if it is new."""
        query = "select status, body, digest from answer where key = ?"
        row = self._database.execute(query, (key,)).fetchone()
        return StoredResponse(*row) if row else None

    def record(self, key: str, response: StoredResponse, entry: Entry | None = None) -> None:
        """Keep a response, and its movement of money, if any.

        Args:
            key: The idempotency key; new.
            response: The response.
            entry: The movement; None where nothing moved.
        """
        self._database.execute("begin immediate")
        with self._database:
            self._database.execute(
                "insert into answer values (?, ?, ?, ?)",
                (key, response.status, response.body, response.digest),
            )
            if entry is not None:
                self._database.execute(
                    "insert into entry (order_id, kind, reference, charge_id, amount_minor, currency,"
                    " idempotency_key, at) values (:order_id, :kind, :reference, :charge_id, :amount_minor,"
                    " :currency, :idempotency_key, :at)",
                    msgspec.to_builtins(entry),
                )

    def balance(self, charge_id: str, order_id: str, currency: str) -> int | None:
        """What is left of a charge of an order, in minor units; None if there is no such charge."""
        balance: int | None = self._database.execute(
            "select sum(case kind when 'charge' then amount_minor else -amount_minor end) from entry"
            " where charge_id = ? and order_id = ? and currency = ?",
            (charge_id, order_id, currency),
        ).fetchone()[0]
        return balance

    def page(self, *, after: int = 0) -> list[tuple[int, Entry]]:
        """Some movements with their numbers, oldest first; none where there are no more.

        Args:
            after: The number of the last movement of the page before; 0 for the first page.
        """
        rows = self._database.execute(
            "select number, order_id, kind, reference, charge_id, amount_minor, currency, idempotency_key, at"
            " from entry where number > ? order by number limit ?",
            (after, _PAGE),
        )
        names = Entry.__struct_fields__
        return [(number, msgspec.convert(dict(zip(names, row, strict=True)), Entry)) for number, *row in rows]
