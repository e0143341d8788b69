"""Order status: a SQL read model of every order and all its messages."""

from typing import Final

from orderstream_consumer.store import TableSpec
from orderstream_workers.projections.order_status.credentials import (
    Credentials,
    CredentialsError,
    RotatingCredentials,
    Secret,
    credentials_in,
)
from orderstream_workers.projections.order_status.engine import (
    ReadModelError,
    open_engine,
    open_to_read,
    shown_url,
)
from orderstream_workers.projections.order_status.http.described import described
from orderstream_workers.projections.order_status.http.endpoints import routes
from orderstream_workers.projections.order_status.http.following import Followers
from orderstream_workers.projections.order_status.processor import OrderStatusProcessor
from orderstream_workers.projections.order_status.read_model import (
    Counts,
    HistoryEntry,
    OrderWithHistory,
    ReadModel,
    UnlistedOrderError,
)
from orderstream_workers.projections.order_status.schema import (
    SchemaBehindError,
    check_schema,
    ensure_schema,
    migrate,
)
from orderstream_workers.projections.order_status.search import OrderMatches, OrderSearch
from orderstream_workers.projections.order_status.status import OrderStatus, State
from orderstream_workers.projections.order_status.story import render_story
from orderstream_workers.projections.order_status.writer import ReadModelWriter

APPLICATION: Final = "order-status"
"""Names the consumer's leases and checkpoints."""

TABLES: Final[tuple[TableSpec, ...]] = ()
"""It keeps nothing in the store: its tables are SQL."""

__all__ = [
    "APPLICATION",
    "TABLES",
    "Counts",
    "Credentials",
    "CredentialsError",
    "Followers",
    "HistoryEntry",
    "OrderMatches",
    "OrderSearch",
    "OrderStatus",
    "OrderStatusProcessor",
    "OrderWithHistory",
    "ReadModel",
    "ReadModelError",
    "ReadModelWriter",
    "RotatingCredentials",
    "SchemaBehindError",
    "Secret",
    "State",
    "UnlistedOrderError",
    "check_schema",
    "credentials_in",
    "described",
    "ensure_schema",
    "migrate",
    "open_engine",
    "open_to_read",
    "render_story",
    "routes",
    "shown_url",
]
