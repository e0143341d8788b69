"""What can be asked of the read model."""

import datetime as dt
from collections.abc import Iterator
from typing import Any, Final

import msgspec
from sqlalchemy import Engine, Select, func, select, tuple_

from orderstream.errors import OrderstreamError
from orderstream_workers.projections.order_status.search import OrderMatches, OrderSearch, search
from orderstream_workers.projections.order_status.status import OrderStatus
from orderstream_workers.projections.order_status.tables import HISTORY, ORDERS

_PAGE = 500

_POSITION: Final = (
    HISTORY.c.shard_id,
    func.length(HISTORY.c.sequence_number),
    HISTORY.c.sequence_number,
    HISTORY.c.subsequence_number,
)
"""The order of the stream, in SQL: without leading zeros, the longer of two numbers is the greater."""

_PLACED = ORDERS.c.placed_at.is_not(None)
"""Holds for orders whose ``OrderPlaced`` was read: messages about one that was never placed make none."""


class HistoryEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One message of an order, as it was first read.

    Attributes:
        order_id: The order.
        event_id: The message's id.
        type: Its type name.
        source: Who published it.
        time: When it was decided (UTC).
        correlation_id: The sender's identifier of a request.
        causation_id: Id of the message that caused it.
        shard_id: The shard that it was read from.
        sequence_number: Of its record; text, since it has more digits than integers.
        subsequence_number: Its index inside its aggregate.
        arrived_at: When Kinesis took it (UTC).
        data: The message, as JSON text. It may hold personal data.
    """

    order_id: str
    event_id: str
    type: str
    source: str
    time: dt.datetime
    correlation_id: str | None
    causation_id: str | None
    shard_id: str
    sequence_number: str
    subsequence_number: int
    arrived_at: dt.datetime
    data: str


class OrderWithHistory(OrderStatus, frozen=True, kw_only=True):
    """An order and all its messages.

    Attributes:
        history: In stream order.
    """

    history: tuple[HistoryEntry, ...]


class OrderPage(msgspec.Struct, frozen=True, kw_only=True):
    """An order and a part of its messages.

    Attributes:
        order: The order, with that part as its history.
        next: Id of the part's last message if more follow; None if it is the last part.
    """

    order: OrderWithHistory
    next: str | None


class UnknownMessageError(OrderstreamError):
    """An order has no message of an id.

    Args:
        order_id: The order.
        event_id: The id.
    """

    def __init__(self, order_id: str, event_id: str) -> None:
        self.order_id = order_id
        self.event_id = event_id
        super().__init__(f"order {order_id} has no message {event_id}; start its history again")


class UnlistedOrderError(OrderstreamError):
    """A page of orders cannot begin behind an order that is none.

    Args:
        order_id: What was given for an order's id.
    """

    def __init__(self, order_id: str) -> None:
        self.order_id = order_id
        super().__init__(f"no order {order_id} has been placed, so no page begins behind it; start again")


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """How many orders there are, and how many have come how far; an order counts at every mark it reached.

    An order of which something was read, and not that it was placed, does not count.
    """

    orders: int
    reserved: int
    paid: int
    shipped: int
    confirmed: int
    cancelled: int


class ReadModel:
    """Answers questions about orders. Safe to use from many threads.

    Args:
        engine: A database with the read model's tables (see ``create_schema``).
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def ask(self) -> None:
        """Find out whether the database responds and has the tables.

        Raises:
            SQLAlchemyError: it does not, or they are missing.
        """
        with self._engine.connect() as connection:
            connection.execute(select(ORDERS.c.order_id).limit(1))

    def order(self, order_id: str) -> OrderWithHistory | None:
        """An order with its history; None if it is unknown."""
        with self._engine.connect() as connection:
            row = connection.execute(select(ORDERS).where(ORDERS.c.order_id == order_id)).mappings().first()
            if row is None:
                return None
            found = connection.execute(select(HISTORY).where(HISTORY.c.order_id == order_id)).mappings()
            history = [HistoryEntry(**entry) for entry in found]
        return OrderWithHistory(**row, history=tuple(sorted(history, key=_position)))

    def page(self, order_id: str, *, after: str | None, limit: int) -> OrderPage | None:
        """An order with a part of its history; None if it is unknown.

        Args:
            order_id: The order.
            after: Id of the message behind which the part begins; None for the beginning.
            limit: Messages of the part, at least 1.

        Raises:
            UnknownMessageError: the order has no message of the id ``after``.
        """
        query = select(HISTORY).where(HISTORY.c.order_id == order_id).order_by(*_POSITION).limit(limit + 1)
        with self._engine.connect() as connection:
            row = connection.execute(select(ORDERS).where(ORDERS.c.order_id == order_id)).mappings().first()
            if row is None:
                return None
            if after is not None:
                before = select(*_POSITION).where(HISTORY.c.order_id == order_id, HISTORY.c.event_id == after)
                cursor = connection.execute(before).first()
                if cursor is None:
                    raise UnknownMessageError(order_id, after)
                query = query.where(tuple_(*_POSITION) > tuple_(*cursor))
            found = [HistoryEntry(**entry) for entry in connection.execute(query).mappings()]
        shown = found[:limit]
        return OrderPage(
            order=OrderWithHistory(**row, history=tuple(shown)),
            next=shown[-1].event_id if len(found) > limit else None,
        )

    def find(self, wanted: OrderSearch, *, after: str | None = None, limit: int = 50) -> OrderMatches:
        """A page of the orders that have something in common.

        Args:
            wanted: What they have in common.
            after: Id of the order behind which the page begins; None for the beginning.
            limit: Most orders of the page, at least 1.

        Raises:
            UnlistedOrderError: there is no order of the id ``after``, or another caller placed it.
        """
        with self._engine.connect() as connection:
            cursor = None
            if after is not None:
                named = select(ORDERS.c.placed_at, ORDERS.c.order_id).where(
                    _PLACED, ORDERS.c.order_id == after
                )
                if wanted.placed_by is not None:  # to a caller, the orders of others do not exist
                    named = named.where(ORDERS.c.placed_by == wanted.placed_by)
                cursor = connection.execute(named).first()
                if cursor is None:
                    raise UnlistedOrderError(after)
            return search(connection, wanted, cursor, limit)

    def counts(self) -> Counts:
        """How far all orders are."""
        columns = ORDERS.c
        query = select(
            func.count().label("orders"),
            func.count(columns.reserved_at).label("reserved"),
            func.count(columns.paid_at).label("paid"),
            func.count(columns.shipped_at).label("shipped"),
            func.count().filter(columns.state == "CONFIRMED").label("confirmed"),
            func.count().filter(columns.state == "CANCELLED").label("cancelled"),
        ).where(_PLACED)
        with self._engine.connect() as connection:
            return Counts(**connection.execute(query).mappings().one())

    def open_orders(self) -> int:
        """How many orders have not ended."""
        query = select(func.count()).where(_PLACED, ORDERS.c.state == "PLACED")
        with self._engine.connect() as connection:
            return connection.execute(query).scalar_one()

    def orders(self) -> Iterator[OrderStatus]:
        """All orders by id, read page by page."""
        return self._stream(select(ORDERS).order_by(ORDERS.c.order_id))

    def ended_since(self, time: dt.datetime) -> Iterator[OrderStatus]:
        """Orders that have ended at a time or later, oldest ending first, read page by page."""
        query = select(ORDERS).where(ORDERS.c.ended_at >= time)
        return self._stream(query.order_by(ORDERS.c.ended_at, ORDERS.c.order_id))

    def _stream(self, query: Select[Any]) -> Iterator[OrderStatus]:
        with (
            self._engine.connect() as connection,
            connection.execution_options(yield_per=_PAGE).execute(query) as rows,
        ):
            for row in rows.mappings():
                yield OrderStatus(**row)


def _position(entry: HistoryEntry) -> tuple[str, int, int]:
    # A child shard's id is greater than its parents'; sequence numbers compare as integers.
    return entry.shard_id, int(entry.sequence_number), entry.subsequence_number
