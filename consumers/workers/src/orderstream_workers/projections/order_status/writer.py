"""Writes a batch of records into the read model, in one transaction."""

import logging
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, Engine, insert, select, tuple_, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from orderstream.errors import DependencyError
from orderstream_consumer.processing.record import DeliveredRecord
from orderstream_workers.projections.order_status.batch import Arrival, Unreadable, read_batch
from orderstream_workers.projections.order_status.engine import WRITES
from orderstream_workers.projections.order_status.schema import ensure_schema
from orderstream_workers.projections.order_status.status import OrderStatus, project
from orderstream_workers.projections.order_status.tables import HISTORY, ORDERS, UNREADABLE

logger = logging.getLogger(__name__)

_KEYS_PER_QUERY = 400
"""Keys in one query: SQLite takes 32,766 parameters, old versions 999."""


class ReadModelWriter:
    """Keeps the read model up to date.

    A message counts only if its history row is new. The row and what the message changes are committed
    together, so a batch may be repeated, and two processes may apply the same one: the second
    conflicts and begins again.

    On PostgreSQL two writers meet over an order where a worker has lost its lease and does not know it yet::

        the order is there    the second waits for its row, then reads what the first has written
        the order is new      both add it: the second is refused, and applies its batch again
        several orders        rows are locked and added in the order of their keys: no circular waits

    Args:
        engine: From ``open_engine``.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def ensure_schema(self) -> None:
        """Make sure that the tables can be worked with; see ``schema.ensure_schema``.

        Raises:
            DependencyError: the database is locked or out of reach.
            SchemaBehindError: a migration has to be run.
        """
        try:
            ensure_schema(self._engine)
        except (DBAPIError, PoolTimeoutError) as error:
            raise DependencyError("read model", "look at its tables", _reason(error)) from error

    def apply_batch(self, records: Sequence[DeliveredRecord]) -> int:
        """Apply records of one shard, in its order, all or none.

        Returns:
            How many of them are unreadable; they are in the table ``unreadable``.

        Raises:
            DependencyError: nothing was written, or it is unknown; apply the same batch again.
        """
        arrivals, unreadable = read_batch(records)
        try:
            with (
                self._engine.connect().execution_options(**{WRITES: True}) as connection,
                connection.begin(),
            ):
                self._apply(connection, arrivals)
                self._remember(connection, unreadable)
        except (DBAPIError, PoolTimeoutError) as error:
            raise DependencyError("read model", "commit", _reason(error)) from error
        for one in unreadable:
            logger.error(
                "record cannot be read",
                extra={
                    "shard_id": one.record.shard_id,
                    "sequence_number": str(one.record.position.sequence_number),
                    "subsequence_number": one.record.position.subsequence_number,
                    "reason": one.reason,
                },
            )
        return len(unreadable)

    @staticmethod
    def _apply(connection: Connection, arrivals: Sequence[Arrival]) -> None:
        known = _statuses(connection, [arrival.envelope.subject for arrival in arrivals])
        seen = _seen(connection, arrivals)
        statuses = dict(known)
        rows: list[dict[str, Any]] = []
        for arrival in arrivals:
            envelope = arrival.envelope
            identity = (envelope.subject, envelope.id)
            if identity in seen:
                continue
            seen.add(identity)
            rows.append(_history_row(arrival))
            if arrival.message is not None:
                statuses[envelope.subject] = project(
                    statuses.get(envelope.subject), envelope, arrival.message
                )
        if rows:
            connection.execute(insert(HISTORY), sorted(rows, key=_key))
        _write_statuses(connection, known, statuses)

    @staticmethod
    def _remember(connection: Connection, unreadable: Sequence[Unreadable]) -> None:
        for one in unreadable:
            position = one.record.position
            key = {
                "shard_id": one.record.shard_id,
                "sequence_number": str(position.sequence_number),
                "subsequence_number": position.subsequence_number,
            }
            if connection.execute(select(UNREADABLE.c.reason).filter_by(**key)).first() is None:
                row = key | {"reason": one.reason, "arrived_at": one.record.approximate_arrival}
                connection.execute(insert(UNREADABLE), row)


def _statuses(connection: Connection, order_ids: Sequence[str]) -> dict[str, OrderStatus]:
    unique = sorted(set(order_ids))  # one order of locking for all processes
    found: dict[str, OrderStatus] = {}
    for start in range(0, len(unique), _KEYS_PER_QUERY):
        some = unique[start : start + _KEYS_PER_QUERY]
        query = (
            select(ORDERS).where(ORDERS.c.order_id.in_(some)).order_by(ORDERS.c.order_id).with_for_update()
        )
        for row in connection.execute(query).mappings():
            found[row["order_id"]] = OrderStatus(**row)
    return found


def _seen(connection: Connection, arrivals: Sequence[Arrival]) -> set[tuple[str, str]]:
    identities = [(arrival.envelope.subject, arrival.envelope.id) for arrival in arrivals]
    key = tuple_(HISTORY.c.order_id, HISTORY.c.event_id)
    seen: set[tuple[str, str]] = set()
    for start in range(0, len(identities), _KEYS_PER_QUERY):
        query = select(HISTORY.c.order_id, HISTORY.c.event_id).where(
            key.in_(identities[start : start + _KEYS_PER_QUERY])
        )
        seen.update((order_id, event_id) for order_id, event_id in connection.execute(query))
    return seen


def _write_statuses(
    connection: Connection, before: Mapping[str, OrderStatus], after: Mapping[str, OrderStatus]
) -> None:
    new = [msgspec.structs.asdict(after[order_id]) for order_id in sorted(after.keys() - before.keys())]
    if new:
        connection.execute(insert(ORDERS), new)
    for order_id, status in after.items():
        if order_id in before and status is not before[order_id]:
            row = msgspec.structs.asdict(status)
            connection.execute(update(ORDERS).where(ORDERS.c.order_id == order_id).values(row))


def _key(row: Mapping[str, Any]) -> tuple[str, str]:
    return row["order_id"], row["event_id"]


def _history_row(arrival: Arrival) -> dict[str, Any]:
    envelope, record = arrival.envelope, arrival.record
    return {
        "order_id": envelope.subject,
        "event_id": envelope.id,
        "type": envelope.type,
        "source": envelope.source,
        "time": envelope.time,
        "correlation_id": envelope.correlation_id,
        "causation_id": envelope.causation_id,
        "shard_id": record.shard_id,
        "sequence_number": str(record.position.sequence_number),
        "subsequence_number": record.position.subsequence_number,
        "arrived_at": record.approximate_arrival,
        "data": arrival.data,
    }


def _reason(error: DBAPIError | PoolTimeoutError) -> str:
    """What the driver said; the statement's parameters are left out, they may be personal."""
    return str(error.orig) if isinstance(error, DBAPIError) else "no connection was free"
