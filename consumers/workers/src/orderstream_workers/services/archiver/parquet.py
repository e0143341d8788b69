"""Records as a Parquet table, compressed with zstd. Pure."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from orderstream.messages import NotAnEventError, decode_envelope, uncompressed
from orderstream_consumer.processing.record import DeliveredRecord
from orderstream_orders.contracts import order_of

_FIELDS: Final[list["pa.Field[Any]"]] = [
    pa.field("shard_id", pa.string(), nullable=False),
    pa.field("sequence_number", pa.string(), nullable=False),
    pa.field("subsequence_number", pa.int64(), nullable=False),
    pa.field("partition_key", pa.string(), nullable=False),
    pa.field("arrived_at", pa.timestamp("us", tz="UTC"), nullable=False),
    pa.field("event_id", pa.string()),
    pa.field("event_type", pa.string()),
    pa.field("order_id", pa.string()),
    pa.field("source", pa.string()),
    pa.field("data", pa.binary(), nullable=False),
]

SCHEMA: Final = pa.schema(_FIELDS)
"""Columns of the archive. ``data`` has the record's own bytes, and of a compressed event those that it had
before; of bytes that are no event, the four columns that describe it are null. ``order_id`` is null of an
event about stock, too, whose ``partition_key`` is the SKU."""


def encode_records(records: Sequence[DeliveredRecord]) -> bytes:
    """One Parquet file of records, in their order."""
    table = pa.Table.from_pylist([_row(record) for record in records], schema=SCHEMA)
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd")
    content: bytes = sink.getvalue().to_pybytes()
    return content


def readable(record: DeliveredRecord) -> DeliveredRecord:
    """Undo an event's compression: Parquet compresses the column, and queries find JSON.

    What cannot be undone is kept as it is, like everything else that is no event.
    """
    try:
        return replace(record, data=uncompressed(record.data))
    except NotAnEventError:
        return record


def _row(record: DeliveredRecord) -> dict[str, Any]:
    row: dict[str, Any] = {
        **record.position_fields(),
        "partition_key": record.partition_key,
        "arrived_at": record.approximate_arrival,
        "data": record.data,
    }
    try:
        envelope = decode_envelope(record.data)
    except NotAnEventError:
        return row  # it is kept all the same; order status reports it
    return row | {
        "event_id": envelope.id,
        "event_type": envelope.type,
        "order_id": order_of(envelope),
        "source": envelope.source,
    }
