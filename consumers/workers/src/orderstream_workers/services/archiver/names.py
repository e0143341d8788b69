"""How archived objects are named, and how positions are written in their metadata. Pure."""

import datetime as dt
from typing import Final

from orderstream_consumer.processing.record import DeliveredRecord, Position

FROM: Final = "from"
"""Metadata: position of the first record."""
TO: Final = "to"
"""Metadata: position of the last record."""
PREVIOUS: Final = "previous"
"""Metadata: the ``to`` of the shard's object before; empty for its first. A gap shows where they differ."""

GAP: Final = "gap"
"""Metadata of an object before whose first record the stream had lost records: ``lost`` or ``possible``."""

LOST: Final = "lost"
"""The checkpoint's own record was gone from the stream when it was read again: retention has taken some."""

POSSIBLE: Final = "possible"
"""The shard was begun again behind the end of the archive: what was between, if anything was, is gone."""


def object_key(first: DeliveredRecord) -> str:
    """The name of the object that begins with a record: the same for every reader of that record."""
    return shard_folder(arrival_date(first), first.shard_id) + file_name(first.position)


def arrival_date(record: DeliveredRecord) -> dt.date:
    """The day on which a record arrived (UTC)."""
    return record.approximate_arrival.astimezone(dt.UTC).date()


def file_name(first: Position) -> str:
    """The last part of an object's name, by its first record's position; sorts as positions do."""
    return f"from={first.sortable('-')}.parquet"


def format_position(position: Position | None) -> str:
    """``SEQUENCE-SUB``, or nothing where there is no position."""
    return "" if position is None else f"{position.sequence_number}-{position.subsequence_number}"


def parse_position(text: str) -> Position | None:
    """The inverse of ``format_position``."""
    if not text:
        return None
    sequence, _, sub = text.partition("-")
    return Position(int(sequence), int(sub))


def date_folder(date: dt.date) -> str:
    """Where the objects are whose first record arrived on a day (UTC)."""
    return f"date={date.isoformat()}/"


def date_of(folder: str) -> dt.date | None:
    """The inverse of ``date_folder``; None for a folder that is not the archiver's."""
    try:
        return dt.date.fromisoformat(folder.removeprefix("date=").rstrip("/"))
    except ValueError:
        return None


def shard_folder(date: dt.date, shard_id: str) -> str:
    """Where one day's objects of one shard are."""
    return f"{date_folder(date)}shard={shard_id}/"
