"""Orders know who placed them; those that were read before do not."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0002"
down_revision: Final = "0001"

_TEXT: Final = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Add the column, unless the tables were made with it before there were steps, and its index."""
    columns = {column["name"] for column in sa.inspect(op.get_bind()).get_columns("orders")}
    if "placed_by" not in columns:
        op.add_column("orders", sa.Column("placed_by", _TEXT))
    op.create_index("orders_by_caller", "orders", ["placed_by", "placed_at", "order_id"], if_not_exists=True)
