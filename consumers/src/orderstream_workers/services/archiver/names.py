"""How archived objects are named, and how positions are written in their metadata. Pure."""

import datetime as dt
from typing import Final

from orderstream_workers.engine.record import DeliveredRecord, Position

FROM: Final = "from"
"""Metadata: position of the first record."""
TO: Final = "to"
"""Metadata: position of the last record."""
PREVIOUS: Final = "previous"
"""Metadata: the ``to`` of the shard's object before; empty for its first. A gap shows where they differ."""

_DIGITS: Final = 60
"""Kinesis' sequence numbers have 56 digits today; with leading zeros their names sort as numbers do."""
_SUB_DIGITS: Final = 8


def object_key(first: DeliveredRecord) -> str:
    """The name of the object that begins with a record: the same for whoever reads that record."""
    date = first.approximate_arrival.astimezone(dt.UTC).date().isoformat()
    position = first.position
    start = f"{position.sequence_number:0{_DIGITS}}-{position.subsequence_number:0{_SUB_DIGITS}}"
    return f"date={date}/shard={first.shard_id}/from={start}.parquet"


def format_position(position: Position | None) -> str:
    """``SEQUENCE-SUB``, or nothing where there is no position."""
    return "" if position is None else f"{position.sequence_number}-{position.subsequence_number}"


def parse_position(text: str) -> Position | None:
    """The inverse of ``format_position``."""
    if not text:
        return None
    sequence, _, sub = text.partition("-")
    return Position(int(sequence), int(sub))
