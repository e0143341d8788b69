"""Orders by what they have in common: state, age, customer, SKU; page by page."""

import datetime as dt
import json
from collections.abc import Iterator
from itertools import islice
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, Select, and_, or_, select, tuple_

from orderstream_orders.contracts import OrderPlaced
from orderstream_workers.projections.order_status.status import OrderStatus, State
from orderstream_workers.projections.order_status.tables import HISTORY, ORDERS

_ROWS: Final = 200
"""Rows that are read at once."""


class OrderSearch(msgspec.Struct, frozen=True, kw_only=True):
    """What the orders that are wanted have in common; None demands nothing.

    Attributes:
        state: The state they are in.
        reason: Why they were cancelled: one of ``CANCELLATION_REASONS``.
        placed_from: Placed at this time (UTC, with zone) or later.
        placed_before: Placed before this time (UTC, with zone).
        customer_id: The shop's id of their customer.
        placed_by: The caller who placed them, as logs name it.
        sku: One of their lines has this SKU, goods or service. No index knows SKUs: every order that the
            other members leave is read.
        oldest_first: Whether the oldest order comes first; by default the newest does.
    """

    state: State | None = None
    reason: str | None = None
    placed_from: dt.datetime | None = None
    placed_before: dt.datetime | None = None
    customer_id: str | None = None
    placed_by: str | None = None
    sku: str | None = None
    oldest_first: bool = False


class OrderMatches(msgspec.Struct, frozen=True, kw_only=True):
    """A page of orders.

    Attributes:
        orders: In the order of their placing; those placed at one moment in the order of their ids.
        next: Id of the last of them if more follow; None at the end.
    """

    orders: tuple[OrderStatus, ...]
    next: str | None


class _Line(msgspec.Struct):
    sku: str


class _Placed(msgspec.Struct):
    lines: tuple[_Line, ...]


def search(connection: Connection, wanted: OrderSearch, cursor: Any | None, limit: int) -> OrderMatches:
    """Find a page of orders.

    Args:
        connection: To the read model's database.
        wanted: What they have in common.
        cursor: ``placed_at`` and ``order_id`` of the order behind which the page begins; None: the beginning.
        limit: Most orders of the page, at least 1.
    """
    with connection.execution_options(yield_per=_ROWS).execute(_query(wanted, cursor)) as rows:
        found = list(islice(_orders(rows.mappings(), wanted.sku), limit + 1))
    return OrderMatches(
        orders=tuple(found[:limit]), next=found[limit - 1].order_id if len(found) > limit else None
    )


def _query(wanted: OrderSearch, cursor: Any | None) -> Select[Any]:
    columns = ORDERS.c
    query = select(ORDERS).where(columns.placed_at.is_not(None))
    if wanted.sku is not None:
        # The first OrderPlaced counts, and gave the order its time.
        placed = and_(
            HISTORY.c.order_id == columns.order_id,
            HISTORY.c.type == OrderPlaced.type_name(),
            HISTORY.c.time == columns.placed_at,
        )
        query = query.add_columns(HISTORY.c.data).join(HISTORY, placed)
        query = query.where(
            or_(*(HISTORY.c.data.contains(text, autoescape=True) for text in _json_of(wanted.sku)))
        )
    for column, value in (
        (columns.state, wanted.state),
        (columns.state_reason, wanted.reason),
        (columns.customer_id, wanted.customer_id),
        (columns.placed_by, wanted.placed_by),
    ):
        if value is not None:
            query = query.where(column == value)
    if wanted.placed_from is not None:
        query = query.where(columns.placed_at >= wanted.placed_from)
    if wanted.placed_before is not None:
        query = query.where(columns.placed_at < wanted.placed_before)
    order = (columns.placed_at, columns.order_id)
    if cursor is not None:
        here = tuple_(*order)
        query = query.where(here > tuple_(*cursor) if wanted.oldest_first else here < tuple_(*cursor))
    return query.order_by(*(order if wanted.oldest_first else [column.desc() for column in order]))


def _json_of(sku: str) -> set[str]:
    """A SKU as JSON has it, letters beyond ASCII plain or escaped: an order's text has one of them."""
    return {msgspec.json.encode(sku).decode(), json.dumps(sku)}


def _orders(rows: Any, sku: str | None) -> Iterator[OrderStatus]:
    last: str | None = None
    for row in rows:
        values = dict(row)
        data = values.pop("data", None)
        # A forged second OrderPlaced of the same time makes a second row.
        if values["order_id"] != last and (sku is None or _has(data, sku)):
            last = values["order_id"]
            yield OrderStatus(**values)


def _has(data: str, sku: str) -> bool:
    """The database finds the text anywhere, and SQLite in any case of letters."""
    return any(line.sku == sku for line in msgspec.json.decode(data, type=_Placed).lines)
