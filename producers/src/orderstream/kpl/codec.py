"""The two hot loops of the aggregated record format: the seam where a compiled core could go.

Everything here is a function of its arguments, and its output is fixed to the byte: another implementation of
``pack`` and ``unpack`` may take this module's place without anybody noticing. The layout is described in
``orderstream.kpl.aggregation``.
"""

from collections.abc import Iterable
from hashlib import md5
from itertools import islice
from typing import Final, Protocol

from orderstream.kpl.user_record import MAX_HASH_KEY, MAX_PARTITION_KEY, UserRecord
from orderstream.kpl.wire import VARINTS, WireError, decode_varint, encode_varint

MAGIC: Final = b"\xf3\x89\x9a\xc2"
"""The first four bytes of every aggregated record."""

DIGEST_SIZE: Final = 16
"""Length of the MD5 trailer, in bytes."""

OVERHEAD: Final = len(MAGIC) + DIGEST_SIZE
"""What an aggregate costs beside its protobuf body, in bytes."""

_SMALL: Final = len(VARINTS)

# Tag and length of a user record, by its length; tag, index and the tag of the data, by the key's index.
_RECORD_HEADS: Final = tuple(b"\x1a" + varint for varint in VARINTS)
_INDEX_HEADS: Final = tuple(b"\x08" + varint + b"\x1a" for varint in VARINTS)


# The entries of the key table, by key: to look one up takes a third of the time of making it anew.
_encoded_keys: dict[str, bytes] = {}
_REMEMBERED_KEYS = 50_000


class Packable(Protocol):
    """What can be packed; a UserRecord is one."""

    @property
    def partition_key(self) -> str:
        """The partition key."""

    @property
    def data(self) -> bytes:
        """The payload."""

    @property
    def explicit_hash_key(self) -> int | None:
        """The explicit hash key, if there is one."""


def pack(records: Iterable[Packable], max_bytes: int, max_records: int) -> tuple[int, bytes]:
    """Put as many of the first records into one aggregate as fit.

    Args:
        records: The records, in order.
        max_bytes: How large the aggregate may become, magic number and digest included.
        max_records: How many records it may hold.

    Returns:
        How many records were taken, and the aggregate.
    """
    keys: dict[str, int] = {}
    hash_keys: dict[int, int] = {}
    tables: list[bytes] = []
    hash_tables: list[bytes] = []
    parts: list[bytes] = []
    varints, record_heads, index_heads, small = VARINTS, _RECORD_HEADS, _INDEX_HEADS, _SMALL
    encoded_keys = _encoded_keys
    index_of, key_known = keys.get, encoded_keys.get
    size, taken = OVERHEAD, 0
    for record in islice(records, max_records):
        partition_key = record.partition_key
        key_index = index_of(partition_key)
        encoded_key = None
        grown = size
        if key_index is None:
            key_index = len(keys)
            encoded_key = key_known(partition_key) or _encode_key(partition_key)
            grown += len(encoded_key)
        head = index_heads[key_index] if key_index < small else b"\x08" + encode_varint(key_index) + b"\x1a"
        hash_key = record.explicit_hash_key
        encoded_hash_key = None
        if hash_key is not None:
            hash_index = hash_keys.get(hash_key)
            if hash_index is None:
                hash_index = len(hash_keys)
                encoded_hash_key = _delimited(b"\x12", str(hash_key).encode())
                grown += len(encoded_hash_key)
            head = head[:-1] + b"\x10" + encode_varint(hash_index) + b"\x1a"
        data = record.data
        length = len(data)
        data_size = varints[length] if length < small else encode_varint(length)
        length += len(head) + len(data_size)
        record_head = record_heads[length] if length < small else b"\x1a" + encode_varint(length)
        grown += len(record_head) + length
        if grown > max_bytes:
            break
        if encoded_key is not None:
            keys[partition_key] = key_index
            tables.append(encoded_key)
        if encoded_hash_key is not None:
            assert hash_key is not None
            hash_keys[hash_key] = len(hash_keys)
            hash_tables.append(encoded_hash_key)
        parts += (record_head, head, data_size, data)
        size = grown
        taken += 1
    body = b"".join(tables + hash_tables + parts)
    return taken, b"".join((MAGIC, body, md5(body, usedforsecurity=False).digest()))


def unpack(body: bytes) -> list[UserRecord] | None:
    """Open an aggregate's body if it has the layout that every known encoder writes.

    Args:
        body: What stands between magic number and digest.

    Returns:
        The user records; None if the body must be read field by field, because it is laid out in another way
        or is broken.

    Raises:
        UnicodeDecodeError: A partition key is no UTF-8.
    """
    try:
        return _unpack(body)
    except (IndexError, WireError):
        return None


def decimal_hash_key(decimal: bytes) -> int:
    """Read an explicit hash key as the format writes it.

    Raises:
        WireError: It is no decimal number below 2**128.
    """
    if not decimal.isdigit() or len(decimal) > 39 or (hash_key := int(decimal)) > MAX_HASH_KEY:
        raise WireError("an explicit hash key is no decimal number below 2**128")
    return hash_key


def _encode_key(partition_key: str) -> bytes:
    encoded = _delimited(b"\x0a", partition_key.encode())
    if len(_encoded_keys) >= _REMEMBERED_KEYS:
        _encoded_keys.clear()
    _encoded_keys[partition_key] = encoded
    return encoded


def _delimited(tag: bytes, value: bytes) -> bytes:
    return tag + encode_varint(len(value)) + value


def _unpack(body: bytes) -> list[UserRecord] | None:  # noqa: C901, PLR0912 - one loop, one format
    keys: list[str] = []
    hash_keys: list[int] = []
    records: list[UserRecord] = []
    append = records.append
    position, end = 0, len(body)
    while position < end:
        tag = body[position]
        length = body[position + 1]
        position += 2
        # Varints of one and two bytes are read in place: a call would cost as much as all the rest.
        if length > 0x7F:
            if body[position] < 0x80:
                length += (body[position] << 7) - 0x80
                position += 1
            else:
                length, position = decode_varint(body, position - 1)
        stop = position + length
        if stop > end:
            return None
        if tag == 0x1A:
            if body[position] != 0x08:
                return None
            key_index = body[position + 1]
            position += 2
            if key_index > 0x7F:
                if body[position] < 0x80:
                    key_index += (body[position] << 7) - 0x80
                    position += 1
                else:
                    key_index, position = decode_varint(body, position - 1)
            hash_key = None
            if body[position] == 0x10:
                hash_index, position = decode_varint(body, position + 1)
                hash_key = hash_keys[hash_index]
            if body[position] != 0x1A:
                return None
            length = body[position + 1]
            position += 2
            if length > 0x7F:
                if body[position] < 0x80:
                    length += (body[position] << 7) - 0x80
                    position += 1
                else:
                    length, position = decode_varint(body, position - 1)
            if position + length != stop:
                return None
            append(UserRecord(keys[key_index], body[position:stop], hash_key))
        elif tag == 0x0A:
            if not 1 <= length <= MAX_PARTITION_KEY:
                return None
            keys.append(body[position:stop].decode())
        elif tag == 0x12:
            hash_keys.append(decimal_hash_key(body[position:stop]))
        else:
            return None
        position = stop
    return records
