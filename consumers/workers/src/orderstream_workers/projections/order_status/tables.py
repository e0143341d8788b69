"""The read model's tables, in SQL that SQLite and PostgreSQL both understand."""

import datetime as dt
from typing import Final

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    Dialect,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    TypeDecorator,
)


class UtcTime(TypeDecorator[dt.datetime]):
    """Times in UTC with their zone; SQLite forgets the zone, so it is put back."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: dt.datetime | None, dialect: Dialect) -> dt.datetime | None:  # noqa: ARG002 - the interface
        """To the database."""
        return None if value is None else value.astimezone(dt.UTC)

    def process_result_value(self, value: dt.datetime | None, dialect: Dialect) -> dt.datetime | None:  # noqa: ARG002 - the interface
        """From the database."""
        if value is None:
            return None
        return value.replace(tzinfo=dt.UTC) if value.tzinfo is None else value.astimezone(dt.UTC)


METADATA: Final = MetaData()
"""All of them. A change needs a migration (``migrations``)."""

# PostgreSQL would otherwise sort by the rules of a language, and the pages of a list would be cut otherwise.
_TEXT: Final = Text().with_variant(Text(collation="C"), "postgresql")

ORDERS: Final = Table(
    "orders",
    METADATA,
    Column("order_id", _TEXT, primary_key=True),
    Column("conversation_id", _TEXT, nullable=False),
    Column("state", _TEXT, nullable=False),
    Column("state_reason", _TEXT),
    Column("customer_id", _TEXT),
    Column("total_minor", BigInteger),
    Column("currency", _TEXT),
    Column("placed_at", UtcTime),
    Column("reserved_at", UtcTime),
    Column("paid_at", UtcTime),
    Column("shipped_at", UtcTime),
    Column("ended_at", UtcTime),
    Column("placed_by", _TEXT),
    Column("parcel", _TEXT),
    Column("parcel_at", UtcTime),
    Index("orders_by_state", "state"),
    Index("orders_by_ended_at", "ended_at"),
    Index("orders_by_caller", "placed_by", "placed_at", "order_id"),
)
"""One row per order; see ``OrderStatus``."""

HISTORY: Final = Table(
    "history",
    METADATA,
    Column("order_id", _TEXT, primary_key=True),
    Column("event_id", _TEXT, primary_key=True),
    Column("type", _TEXT, nullable=False),
    Column("source", _TEXT, nullable=False),
    Column("time", UtcTime, nullable=False),
    Column("correlation_id", _TEXT),
    Column("causation_id", _TEXT),
    Column("shard_id", _TEXT, nullable=False),
    Column("sequence_number", _TEXT, nullable=False),
    Column("subsequence_number", BigInteger, nullable=False),
    Column("arrived_at", UtcTime, nullable=False),
    Column("data", _TEXT, nullable=False),
)
"""Every message once, as it was first read. Sequence numbers are text: they are too long for integers."""

UNREADABLE: Final = Table(
    "unreadable",
    METADATA,
    Column("shard_id", _TEXT, primary_key=True),
    Column("sequence_number", _TEXT, primary_key=True),
    Column("subsequence_number", Integer, primary_key=True, autoincrement=False),
    Column("reason", _TEXT, nullable=False),
    Column("arrived_at", UtcTime, nullable=False),
)
"""Records that could not be read, by position; the archive has their bytes."""
