"""The items of one parked record: its parts, and the record that they make again.

Every value is text or bytes: a hash key has up to 39 digits, one more than a number of DynamoDB. A body is
cut into pieces of a fixed length, and no piece is compressed with what came before it, so that a store that
stopped half-way can be completed by another process, on any host::

    zlib header | piece 1, flushed | piece 2, flushed | ... | last piece | checksum of the body
    part 0 ─────────────────────────> part 1 ─────────> ...   part n ────────────────────────>

Together they are one zlib stream, which version 1 reads, too, and refuses if parts are missing.
"""

import datetime as dt
import zlib
from collections.abc import Iterable, Sequence
from typing import Final

from orderstream_consumer.processing.record import DeliveredRecord, Position
from orderstream_consumer.store import Attribute, Item, Put, TableSpec

EXPIRES: Final = "expires_at"
"""Attribute of a lifted mark: when DynamoDB may delete it, in seconds since the epoch."""

PARKING: Final = TableSpec("parking", sorted=True, expires=EXPIRES)

PIECE: Final = 300_000
"""Bytes of a body in one part, before compression; DynamoDB's items hold 400 KB, names and all."""

PARTS_AT_ONCE: Final = 12
"""Parts in one transaction, beside the mark: together below the 4 MB that a transaction holds."""

_FIRST: Final = "/00"


def entries_key(application: str, key: str) -> str:
    """The key of the items that hold what an application has parked under a key."""
    return f"{application}/{key}"


def prefix_of(position: Position) -> str:
    """A position as text that sorts as positions do; the prefix of each part's sort key."""
    return position.sortable()


def first_sort(prefix: str) -> str:
    """The sort key of an entry's first part."""
    return prefix + _FIRST


def part_sort(prefix: str, part: int) -> str:
    """The sort key of a part, from 0."""
    return f"{prefix}/{part:02}"


def is_first(part: Item) -> bool:
    """Whether it is the first part of its entry, the one without which the others mean nothing."""
    return str(part.sort).endswith(_FIRST)


def prefix_in(part: Item) -> str:
    """The sort key of a part's entry, without the part's number."""
    return str(part.sort).rpartition("/")[0]


def parts_in(first: Item) -> int:
    """How many parts an entry has, by its first one."""
    return first.value("parts", int)


def parts_of(
    application: str, record: DeliveredRecord, *, reason: str, parked_at: dt.datetime
) -> Sequence[Put]:
    """The writes that store a record, one for each part; none of them may exist.

    Args:
        application: Who parks it.
        record: The record.
        reason: Why.
        parked_at: When (UTC).
    """
    key, prefix = record.partition_key, prefix_of(record.position)
    # An empty body has a part, too.
    pieces = [record.data[start : start + PIECE] for start in range(0, len(record.data), PIECE)] or [b""]
    head: dict[str, Attribute] = {
        "reason": storable(reason),
        "shard_id": record.shard_id,
        "arrived_at": record.approximate_arrival.isoformat(),
        "parked_at": parked_at.isoformat(),
        "explicit_hash_key": None if record.explicit_hash_key is None else str(record.explicit_hash_key),
        "parts": len(pieces),
    }
    return [
        Put(
            PARKING.name,
            entries_key(application, key),
            {"body": body, **({} if part else head)},
            None,
            sort=part_sort(prefix, part),
        )
        for part, body in enumerate(_compressed(pieces))
    ]


def record_in(key: str, parts: Sequence[Item]) -> DeliveredRecord:
    """The record that parts make; of an entry that is not complete, as much of it as is there."""
    first = parts[0]
    assert first.sort is not None
    sequence_number, subsequence_number, _ = first.sort.split("/")
    # Rows of earlier versions have the hash key as a number.
    hash_key = first.attributes["explicit_hash_key"]
    assert hash_key is None or isinstance(hash_key, int | str)
    return DeliveredRecord(
        shard_id=str(first.attributes["shard_id"]),
        position=Position(int(sequence_number), int(subsequence_number)),
        partition_key=key,
        data=_uncompressed(part.attributes["body"] for part in parts),
        approximate_arrival=time_in(first, "arrived_at"),
        explicit_hash_key=None if hash_key is None else int(hash_key),
    )


def time_in(item: Item, name: str) -> dt.datetime:
    """A time of a mark or an entry (UTC)."""
    return dt.datetime.fromisoformat(str(item.attributes[name]))


def storable(text: str) -> str:
    """A text without what Unicode does not have: the message of an error may quote anything."""
    return text.encode(errors="backslashreplace").decode()


def _compressed(pieces: Sequence[bytes]) -> list[bytes]:
    """Pieces as the parts of one stream; a full flush lets the next one begin with nothing behind it."""
    stream = zlib.compressobj()
    parts = [stream.compress(piece) + stream.flush(zlib.Z_FULL_FLUSH) for piece in pieces[:-1]]
    return [*parts, stream.compress(pieces[-1]) + stream.flush()]


def _uncompressed(bodies: Iterable[Attribute]) -> bytes:
    """Join bodies: one stream, or in rows of some earlier versions one for each part."""
    compressed = b"".join(body for body in bodies if isinstance(body, bytes))
    pieces = []
    while compressed:
        stream = zlib.decompressobj()
        pieces.append(stream.decompress(compressed))
        compressed = stream.unused_data
    return b"".join(pieces)
