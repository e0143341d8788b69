"""Orders, their history, and unreadable records.

Databases that were made before there were steps have these tables already: what is there stays.
"""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0001"
down_revision: Final = None

_TEXT: Final = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_TIME: Final = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "orders",
        sa.Column("order_id", _TEXT, primary_key=True),
        sa.Column("conversation_id", _TEXT, nullable=False),
        sa.Column("state", _TEXT, nullable=False),
        sa.Column("state_reason", _TEXT),
        sa.Column("customer_id", _TEXT),
        sa.Column("total_minor", sa.BigInteger),
        sa.Column("currency", _TEXT),
        sa.Column("placed_at", _TIME),
        sa.Column("reserved_at", _TIME),
        sa.Column("paid_at", _TIME),
        sa.Column("shipped_at", _TIME),
        sa.Column("ended_at", _TIME),
        if_not_exists=True,
    )
    op.create_index("orders_by_state", "orders", ["state"], if_not_exists=True)
    op.create_index("orders_by_ended_at", "orders", ["ended_at"], if_not_exists=True)
    op.create_table(
        "history",
        sa.Column("order_id", _TEXT, primary_key=True),
        sa.Column("event_id", _TEXT, primary_key=True),
        sa.Column("type", _TEXT, nullable=False),
        sa.Column("source", _TEXT, nullable=False),
        sa.Column("time", _TIME, nullable=False),
        sa.Column("correlation_id", _TEXT),
        sa.Column("causation_id", _TEXT),
        sa.Column("shard_id", _TEXT, nullable=False),
        sa.Column("sequence_number", _TEXT, nullable=False),
        sa.Column("subsequence_number", sa.BigInteger, nullable=False),
        sa.Column("arrived_at", _TIME, nullable=False),
        sa.Column("data", _TEXT, nullable=False),
        if_not_exists=True,
    )
    op.create_table(
        "unreadable",
        sa.Column("shard_id", _TEXT, primary_key=True),
        sa.Column("sequence_number", _TEXT, primary_key=True),
        sa.Column("subsequence_number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("reason", _TEXT, nullable=False),
        sa.Column("arrived_at", _TIME, nullable=False),
        if_not_exists=True,
    )
