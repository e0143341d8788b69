"""The books of a run: what each part of the pipeline says happened, and whether it adds up.

Everything is in one SQLite file, so that memory does not grow with the number of orders. The checks are
queries over what the parts themselves report: order status, the inventory table, the provider's ledger, the
archive, the mailbox.
"""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from orderstream_playground.demo import offers

_SCHEMA: Final = (
    offers.SCHEMA
    + """
create table ending (
    order_id text primary key, state text, state_reason text, total_minor integer, currency text,
    ended_at text
) without rowid;
create table ordered (order_id text not null, sku text not null, quantity integer not null);
create index ordered_sku on ordered (sku);
create table stock (sku text primary key, initial integer, available integer, reserved integer, sold integer)
    without rowid;
create table entry (order_id text not null, kind text not null, amount_minor integer not null);
create index entry_order on entry (order_id);
create table archived (event_id text primary key, order_id text, type text, outcome text) without rowid;
create index archived_order on archived (order_id, type);
"""
)

_ACCEPTED: Final = "select distinct order_id from offer where outcome = 'accepted'"
_WITH_STATE: Final = f"select ending.* from ending where order_id in ({_ACCEPTED}) and state = "
_NET: Final = """
coalesce((select sum(case kind when 'charge' then amount_minor else -amount_minor end)
          from entry where entry.order_id = ending.order_id), 0)"""
_CHARGES: Final = "(select count(*) from entry where entry.order_id = ending.order_id and kind = 'charge')"
_SOLD: Final = """
coalesce((select sum(quantity) from ordered join ending using (order_id)
          where ordered.sku = stock.sku and state = 'CONFIRMED'), 0)"""


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the table that reconciles the books.

    Attributes:
        what: What is compared.
        expected: What it has to be.
        found: What it is.
    """

    what: str
    expected: int
    found: int

    @property
    def balances(self) -> bool:
        """True where both are the same."""
        return self.expected == self.found


@contextmanager
def open_books(path: Path) -> Iterator[sqlite3.Connection]:
    """Recreate the file of a run's books and close it in the end."""
    path.unlink(missing_ok=True)
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        # A crash of the run is a failed run: the file outlives nothing, so nothing has to reach the disk.
        database.executescript("pragma journal_mode = off; pragma synchronous = off;" + _SCHEMA)
        yield database


def reconcile(database: sqlite3.Connection, dead_letters: int) -> list[Check]:
    """Compare what the parts report.

    Args:
        database: The books, filled in.
        dead_letters: Records that were parked, and messages in dead-letter queues.
    """

    def one(query: str) -> int:
        return int(database.execute(query).fetchone()[0] or 0)

    def count(query: str) -> int:
        return one(f"select count(*) from ({query})")

    accepted = count(_ACCEPTED)
    confirmed, cancelled = count(_WITH_STATE + "'CONFIRMED'"), count(_WITH_STATE + "'CANCELLED'")
    confirmed_minor = one("select sum(total_minor) from ending where state = 'CONFIRMED'")
    skus = count("select sku from stock")
    units_confirmed = one(
        "select sum(quantity) from ordered join ending using (order_id) where state = 'CONFIRMED'"
    )
    return [
        Check("accepted orders in one terminal state", accepted, confirmed + cancelled),
        Check(
            "units sold, as the confirmed orders have them",
            units_confirmed,
            one("select sum(sold) from stock"),
        ),
        Check("SKUs sold to the unit", skus, count(f"select sku from stock where sold = {_SOLD}")),
        Check(
            "SKUs whose available is initial less sold",
            skus,
            count("select sku from stock where available = initial - sold and available >= 0"),
        ),
        Check("units still reserved", 0, one("select sum(reserved) from stock")),
        Check(
            "confirmed orders charged once, their total",
            confirmed,
            count(f"{_WITH_STATE} 'CONFIRMED' and {_NET} = total_minor and {_CHARGES} = 1"),
        ),
        Check(
            "cancelled orders that net to zero",
            cancelled,
            count(f"{_WITH_STATE} 'CANCELLED' and {_NET} = 0 and {_CHARGES} <= 1"),
        ),
        Check(
            "pence at the provider, as the confirmed orders have them",
            confirmed_minor,
            one("select sum(case kind when 'charge' then amount_minor else -amount_minor end) from entry"),
        ),
        Check(
            "accepted orders in the archive, placed once and ended once",
            accepted,
            count(
                f"select order_id from ({_ACCEPTED}) join archived using (order_id)"
                " where type in ('OrderPlaced', 'OrderConfirmed', 'OrderCancelled') group by order_id"
                " having sum(type = 'OrderPlaced') = 1 and sum(type <> 'OrderPlaced') = 1"
            ),
        ),
        Check(
            "customers notified of the outcome, guests without an address included",
            accepted,
            count(
                f"select order_id from ({_ACCEPTED}) join archived using (order_id)"
                " where type = 'CustomerNotified' group by order_id having count(*) = 1"
            ),
        ),
        Check("dead letters", 0, dead_letters),
    ]


def add_rows(database: sqlite3.Connection, table: str, rows: Iterable[tuple[object, ...]]) -> int:
    """Add rows to a table of the books, and pass over those whose key is there already.

    Args:
        database: The books.
        table: One of the tables above.
        rows: Values in the order of its columns.

    Returns:
        How many were added.
    """
    columns = database.execute(f"select count(*) from pragma_table_info('{table}')").fetchone()[0]
    marks = ", ".join("?" * columns)
    database.execute("begin")
    added = database.executemany(f"insert or ignore into {table} values ({marks})", rows).rowcount
    database.execute("commit")
    return added
