"""Orders know who has their parcel; those of before have none that was scanned."""

from typing import Final

import sqlalchemy as sa
from alembic import op

revision: Final = "0003"
down_revision: Final = "0002"

_TEXT: Final = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Add the columns, unless the tables were made with them before there were steps."""
    columns = {column["name"] for column in sa.inspect(op.get_bind()).get_columns("orders")}
    for column in (sa.Column("parcel", _TEXT), sa.Column("parcel_at", sa.DateTime(timezone=True))):
        if column.name not in columns:
            op.add_column("orders", column)
