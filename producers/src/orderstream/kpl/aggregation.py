r"""The KPL aggregated record format: many user records in one Kinesis record.

Layout, as in "KPL Aggregated Record Format" of awslabs/amazon-kinesis-producer::

    +---------------+---------------------------+---------------------+
    | F3 89 9A C2   | AggregatedRecord (proto2) | MD5 of the protobuf |
    +---------------+---------------------------+---------------------+
          4                     n                         16

    message AggregatedRecord {              message Record {
      repeated string partition_key_table     = 1;     required uint64 partition_key_index     = 1;
      repeated string explicit_hash_key_table = 2;     optional uint64 explicit_hash_key_index = 2;
      repeated Record records                 = 3;     required bytes  data                    = 3;
    }                                                  repeated Tag    tags                    = 4;
                                            }

Each distinct key stands once in its table; records point to it. Nothing here does I/O.
"""

from collections.abc import Iterable
from hashlib import md5

import msgspec

from orderstream.errors import OrderstreamError
from orderstream.kpl.user_record import MAX_HASH_KEY, MAX_PARTITION_KEY, UserRecord
from orderstream.kpl.wire import (
    LENGTH_DELIMITED,
    WireError,
    decode_varint,
    encode_varint,
    fields,
    varint_size,
)

MAGIC = b"\xf3\x89\x9a\xc2"
"""The first four bytes of every aggregated record."""

DIGEST_SIZE = 16
"""Length of the MD5 trailer, in bytes."""

OVERHEAD = len(MAGIC) + DIGEST_SIZE
"""What an aggregate costs beside its protobuf body, in bytes."""

# Index of the partition key, index of the explicit hash key, data.
_Fields = tuple[int | None, int | None, bytes | None]


class AggregateCorruptError(OrderstreamError):
    """Magic number and MD5 are right, yet the body is no aggregated record: its producer is broken.

    Args:
        reason: What is wrong with the body.
        size: Length of the Kinesis record's data, in bytes.
    """

    def __init__(self, reason: str, size: int) -> None:
        self.reason = reason
        self.size = size
        super().__init__(
            f"an aggregated record of {size} bytes cannot be opened: {reason}; "
            "keep its raw bytes and find the producer that wrote it"
        )


class Opened(msgspec.Struct, frozen=True):
    """A Kinesis record, opened.

    Attributes:
        user_records: What was in it, in order: the record itself if it was no aggregate.
        aggregated: Whether it was an aggregate.
    """

    user_records: tuple[UserRecord, ...]
    aggregated: bool


class Aggregate:
    """A growing aggregated record that knows at each moment how large it will be.

    Args:
        records: User records to begin with.

    Attributes:
        size: Length of ``encode()``'s result, in bytes; exact.
    """

    __slots__ = ("_body", "_hash_keys", "_partition_keys", "size")

    def __init__(self, records: Iterable[UserRecord] = ()) -> None:
        self._partition_keys: dict[str, int] = {}
        self._hash_keys: dict[int, int] = {}
        self._body: list[bytes] = []
        self.size = OVERHEAD
        for record in records:
            self.add(record)

    def __len__(self) -> int:
        return len(self._body)

    def add(self, record: UserRecord, limit: int | None = None) -> bool:
        """Append a user record if the aggregate then still fits.

        Args:
            record: The user record.
            limit: How large the whole aggregate may become, in bytes; without it everything fits.

        Returns:
            Whether the record was taken.
        """
        key_index = self._partition_keys.get(record.partition_key)
        size = self.size
        if new_key := key_index is None:
            key_index = len(self._partition_keys)
            size += _delimited_size(len(record.partition_key.encode()))
        head = b"\x08" + encode_varint(key_index)
        hash_key = record.explicit_hash_key
        if hash_key is not None:
            hash_index = self._hash_keys.get(hash_key, len(self._hash_keys))
            if hash_index == len(self._hash_keys):
                size += _delimited_size(len(str(hash_key)))
            head += b"\x10" + encode_varint(hash_index)
        data = record.data
        head += b"\x1a" + encode_varint(len(data))
        size += _delimited_size(len(head) + len(data))
        if limit is not None and size > limit:
            return False
        if new_key:
            self._partition_keys[record.partition_key] = key_index
        if hash_key is not None:
            self._hash_keys.setdefault(hash_key, len(self._hash_keys))
        self._body.append(b"\x1a" + encode_varint(len(head) + len(data)) + head + data)
        self.size = size
        return True

    def encode(self) -> bytes:
        """Return the aggregated record: magic number, protobuf body, MD5."""
        parts: list[bytes] = []
        for key in self._partition_keys:
            encoded = key.encode()
            parts += (b"\x0a", encode_varint(len(encoded)), encoded)
        for hash_key in self._hash_keys:
            encoded = str(hash_key).encode()
            parts += (b"\x12", encode_varint(len(encoded)), encoded)
        parts += self._body
        body = b"".join(parts)
        return b"".join((MAGIC, body, md5(body, usedforsecurity=False).digest()))


def deaggregate(data: bytes, partition_key: str, explicit_hash_key: str | None = None) -> Opened:
    """Open a Kinesis record if it is an aggregate, else pass it on as the one user record it is.

    As in KCL's AggregatorUtil a record counts as an aggregate only if both magic number and MD5 are right;
    anything else is somebody's plain payload. An aggregate inside an aggregate stays closed.

    Args:
        data: The Kinesis record's data.
        partition_key: The Kinesis record's partition key.
        explicit_hash_key: The Kinesis record's explicit hash key in decimal, where it is known.

    Returns:
        The user records and whether they came out of an aggregate.

    Raises:
        AggregateCorruptError: Magic number and MD5 are right, the body is not.
    """
    if data.startswith(MAGIC) and len(data) > OVERHEAD:
        body = data[len(MAGIC) : -DIGEST_SIZE]
        if md5(body, usedforsecurity=False).digest() == data[-DIGEST_SIZE:]:
            try:
                return Opened(_open(body), aggregated=True)
            except (WireError, UnicodeDecodeError) as error:
                raise AggregateCorruptError(str(error), len(data)) from error
    plain = UserRecord(partition_key, data, None if explicit_hash_key is None else int(explicit_hash_key))
    return Opened((plain,), aggregated=False)


def _delimited_size(length: int) -> int:
    """Size of a length-delimited field whose number is below 16."""
    return 1 + varint_size(length) + length


def _open(body: bytes) -> tuple[UserRecord, ...]:
    partition_keys: list[str] = []
    hash_keys: list[int] = []
    records: list[bytes] = []
    for number, wire_type, value in fields(body):
        if wire_type != LENGTH_DELIMITED or isinstance(value, int):
            continue
        if number == 1:
            partition_keys.append(value.decode())
        elif number == 2:
            hash_keys.append(_hash_key(value))
        elif number == 3:
            records.append(value)
    # The tables may stand behind the records: protobuf fixes no order of fields.
    return tuple(_user_record(record, partition_keys, hash_keys) for record in records)


def _hash_key(decimal: bytes) -> int:
    if not decimal.isdigit() or len(decimal) > 39 or (hash_key := int(decimal)) > MAX_HASH_KEY:
        raise WireError("an explicit hash key is no decimal number below 2**128")
    return hash_key


def _user_record(record: bytes, partition_keys: list[str], hash_keys: list[int]) -> UserRecord:
    key_index, hash_index, data = _read_usual_layout(record) or _read_any_layout(record)
    if key_index is None or data is None:
        raise WireError("a user record lacks its partition key or its data")
    if key_index >= len(partition_keys) or (hash_index is not None and hash_index >= len(hash_keys)):
        raise WireError("a user record points behind the end of a key table")
    if not 1 <= len(partition_keys[key_index]) <= MAX_PARTITION_KEY:
        raise WireError(f"a partition key has 1 to {MAX_PARTITION_KEY} characters")
    return UserRecord(partition_keys[key_index], data, None if hash_index is None else hash_keys[hash_index])


def _read_usual_layout(record: bytes) -> _Fields | None:
    """Read, at half the cost, a record whose fields stand in order, as every known encoder writes them."""
    if not record.startswith(b"\x08"):
        return None
    key_index, position = decode_varint(record, 1)
    hash_index = None
    if record.startswith(b"\x10", position):
        hash_index, position = decode_varint(record, position + 1)
    if not record.startswith(b"\x1a", position):
        return None
    size, position = decode_varint(record, position + 1)
    return (key_index, hash_index, record[position:]) if position + size == len(record) else None


def _read_any_layout(record: bytes) -> _Fields:
    key_index: int | None = None
    hash_index: int | None = None
    data: bytes | None = None
    for number, wire_type, value in fields(record):
        if isinstance(value, int):
            if number == 1:
                key_index = value
            elif number == 2:
                hash_index = value
        elif number == 3 and wire_type == LENGTH_DELIMITED:
            data = value
    return key_index, hash_index, data
