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

Each distinct key is once in its table; records refer to it. Nothing here does I/O.
"""

import sys
from collections.abc import Iterable
from hashlib import md5

import msgspec

from orderstream.aggregation.codec import (
    DIGEST_SIZE,
    MAGIC,
    OVERHEAD,
    Body,
    decimal_hash_key,
    pack,
    seal,
    unpack,
)
from orderstream.aggregation.user_record import MAX_PARTITION_KEY, UserRecord
from orderstream.aggregation.wire import LENGTH_DELIMITED, WireError, fields
from orderstream.errors import OrderstreamError

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
            f"an aggregated record of {size} bytes cannot be deaggregated: {reason}; "
            "keep its raw bytes and find the producer that wrote it"
        )


class Deaggregated(msgspec.Struct, frozen=True):
    """A Kinesis record, deaggregated.

    Attributes:
        user_records: What was in it, in order: the record itself if it was no aggregate.
        aggregated: Whether it was an aggregate.
    """

    user_records: tuple[UserRecord, ...]
    aggregated: bool


def encode_aggregate(records: Iterable[UserRecord]) -> bytes:
    """Return the aggregated record that holds these user records, however large it becomes."""
    body = Body()
    pack(body, records, sys.maxsize, sys.maxsize)
    return seal(body)


def deaggregate(data: bytes, partition_key: str, explicit_hash_key: str | None = None) -> Deaggregated:
    """Open a Kinesis record if it is an aggregate, else pass it on as the one user record it is.

    As in KCL's AggregatorUtil a record counts as an aggregate only if both magic number and MD5 are right;
    anything else is a plain payload. An aggregate inside an aggregate stays closed.

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
        body = memoryview(data)[len(MAGIC) : -DIGEST_SIZE]
        if md5(body, usedforsecurity=False).digest() == data[-DIGEST_SIZE:]:
            try:
                records = unpack(data)
                return Deaggregated(
                    _open(bytes(body)) if records is None else tuple(records), aggregated=True
                )
            except (WireError, UnicodeDecodeError) as error:
                raise AggregateCorruptError(str(error), len(data)) from error
    plain = UserRecord(partition_key, data, None if explicit_hash_key is None else int(explicit_hash_key))
    return Deaggregated((plain,), aggregated=False)


def _open(body: bytes) -> tuple[UserRecord, ...]:
    """Read a body of any layout, field by field."""
    partition_keys: list[str] = []
    hash_keys: list[int] = []
    records: list[bytes] = []
    for number, wire_type, value in fields(body):
        if wire_type != LENGTH_DELIMITED or isinstance(value, int):
            continue
        if number == 1:
            partition_keys.append(value.decode())
        elif number == 2:
            hash_keys.append(decimal_hash_key(value))
        elif number == 3:
            records.append(value)
    # The tables may follow the records: protobuf fixes no order of fields.
    return tuple(_user_record(record, partition_keys, hash_keys) for record in records)


def _user_record(record: bytes, partition_keys: list[str], hash_keys: list[int]) -> UserRecord:
    key_index, hash_index, data = _read(record)
    if key_index is None or data is None:
        raise WireError("a user record lacks its partition key or its data")
    if key_index >= len(partition_keys) or (hash_index is not None and hash_index >= len(hash_keys)):
        raise WireError("a user record points behind the end of a key table")
    if not 1 <= len(partition_keys[key_index]) <= MAX_PARTITION_KEY:
        raise WireError(f"a partition key has 1 to {MAX_PARTITION_KEY} characters")
    return UserRecord(partition_keys[key_index], data, None if hash_index is None else hash_keys[hash_index])


def _read(record: bytes) -> _Fields:
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
