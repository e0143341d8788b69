"""The two hot loops of the aggregated record format: the seam where a compiled core could go.

Nothing here knows of shards or time, and the output is fixed to the byte: another implementation of ``Body``,
``pack``, ``seal`` and ``unpack`` may take this module's place without anybody noticing. The layout is
described in ``orderstream.kpl.aggregation``.
"""

from collections.abc import Iterable
from hashlib import md5
from itertools import islice
from struct import Struct
from typing import Final, Protocol

from orderstream.kpl.user_record import MAX_HASH_KEY, MAX_PARTITION_KEY, UserRecord
from orderstream.kpl.wire import VARINTS, WireError, decode_varint, encode_varint

MAGIC: Final = b"\xf3\x89\x9a\xc2"
"""The first four bytes of every aggregated record."""

DIGEST_SIZE: Final = 16
"""Length of the MD5 trailer, in bytes."""

OVERHEAD: Final = len(MAGIC) + DIGEST_SIZE
"""What an aggregate costs beside its protobuf body, in bytes."""

# A record whose payload and key index are smaller than this is written from tables.
_SMALL: Final = 4096

# Tag, index and the tag of the data, by the key's index.
_INDEX_HEADS: Final = tuple(b"\x08" + varint + b"\x1a" for varint in VARINTS[:_SMALL])


def _heads(index_head: int) -> tuple[tuple[bytes, bytes, int], ...]:
    """What surrounds a payload whose key takes so many bytes, by the payload's size.

    Returns:
        Tag and length of the record; the length of its data; the size of the whole record, in bytes.
    """
    heads = []
    for size in range(_SMALL):
        data_size = VARINTS[size]
        length = index_head + len(data_size) + size
        heads.append((b"\x1a" + VARINTS[length], data_size, 1 + len(VARINTS[length]) + length))
    return tuple(heads)


# By the length of the index's varint, less one.
_HEADS: Final = (_heads(3), _heads(4))
_ONE_BYTE: Final = 128


# The entries of the key table, by key: to look one up takes a third of the time of making it anew.
_encoded_keys: dict[str, bytes] = {}
_REMEMBERED_KEYS = 50_000


# The head of a record: nine bytes where length, index and size take two each.
_HEAD: Final = Struct("9B")


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


class Body:
    """An aggregate in the making.

    Attributes:
        count: How many records are in it.
        size: How large the aggregate is so far, magic number and digest included, in bytes.
        keys: The index of each partition key.
        hash_keys: The index of each explicit hash key.
        key_table: The partition keys, encoded; joined once it is closed.
        hash_key_table: The explicit hash keys, likewise.
        parts: The records, encoded: four parts each.
    """

    __slots__ = ("count", "hash_key_table", "hash_keys", "key_table", "keys", "parts", "size")

    def __init__(self) -> None:
        self.count = 0
        self.size = OVERHEAD
        self.keys: dict[str, int] = {}
        self.hash_keys: dict[int, int] = {}
        self.key_table: list[bytes] = []
        self.hash_key_table: list[bytes] = []
        self.parts: list[bytes] = []

    def close(self) -> None:
        """Take no more records: what only serves for taking them is let go of, for it takes much memory."""
        self.keys, self.hash_keys = {}, {}
        self.key_table, self.hash_key_table = [b"".join(self.key_table)], [b"".join(self.hash_key_table)]


def pack(body: Body, records: Iterable[Packable], max_bytes: int, max_records: int) -> int:
    """Put as many of these records as fit behind those that are in an aggregate.

    Args:
        body: The aggregate.
        records: The records, in order.
        max_bytes: How large the aggregate may become, magic number and digest included.
        max_records: How many records it may hold.

    Returns:
        How many of the records were taken, from the first on.
    """
    keys, key_table, parts = body.keys, body.key_table, body.parts
    index_heads, (heads, heads_of_large), small, one_byte = _INDEX_HEADS, _HEADS, _SMALL, _ONE_BYTE
    index_of, key_known = keys.get, _encoded_keys.get
    size, taken, fresh = body.size, 0, len(keys)
    for record in islice(records, max(0, max_records - body.count)):
        partition_key, data = record.partition_key, record.data
        length = len(data)
        grown = size
        key_index = index_of(partition_key)
        encoded_key = None
        if key_index is None:
            key_index = fresh
            encoded_key = key_known(partition_key) or _encode_key(partition_key)
            grown += len(encoded_key)
        if length < small and key_index < small and record.explicit_hash_key is None:
            head, data_size, whole = (heads if key_index < one_byte else heads_of_large)[length]
            index_head = index_heads[key_index]
            grown += whole
            encoded_hash_key = None
        else:
            head, index_head, data_size, encoded_hash_key = _unusual_heads(body, record, key_index)
            grown += len(head) + len(index_head) + len(data_size) + length + len(encoded_hash_key or b"")
        if grown > max_bytes:
            break
        if encoded_key is not None:
            keys[partition_key] = key_index
            key_table.append(encoded_key)
            fresh += 1
        if encoded_hash_key is not None:
            assert record.explicit_hash_key is not None
            body.hash_keys[record.explicit_hash_key] = len(body.hash_keys)
            body.hash_key_table.append(encoded_hash_key)
        parts += (head, index_head, data_size, data)
        size = grown
        taken += 1
    body.size = size
    body.count += taken
    return taken


def _unusual_heads(body: Body, record: Packable, key_index: int) -> tuple[bytes, bytes, bytes, bytes | None]:
    """Make what surrounds the payload of a record that is large, late in the table, or has a hash key.

    Returns:
        Tag and length of the record; tags and indexes of its keys, and the tag of its data; the length of
        its data; its explicit hash key, encoded, if the table lacks it.
    """
    index_head = b"\x08" + encode_varint(key_index)
    hash_key, encoded_hash_key = record.explicit_hash_key, None
    if hash_key is not None:
        hash_index = body.hash_keys.get(hash_key)
        if hash_index is None:
            hash_index = len(body.hash_keys)
            encoded_hash_key = _delimited(b"\x12", str(hash_key).encode())
        index_head += b"\x10" + encode_varint(hash_index)
    index_head += b"\x1a"
    data_size = encode_varint(len(record.data))
    head = b"\x1a" + encode_varint(len(index_head) + len(data_size) + len(record.data))
    return head, index_head, data_size, encoded_hash_key


def seal(body: Body) -> bytes:
    """Return the aggregate as it stands."""
    message = b"".join(body.key_table + body.hash_key_table + body.parts)
    return b"".join((MAGIC, message, md5(message, usedforsecurity=False).digest()))


def unpack(data: bytes) -> list[UserRecord] | None:
    """Open an aggregate if its body has the layout that every known encoder writes.

    Args:
        data: The aggregate, magic number and digest included; neither is looked at.

    Returns:
        The user records; None if the body must be read field by field, because it is laid out in another way
        or is broken.
    """
    try:
        return _unpack(data)
    except (IndexError, WireError, UnicodeDecodeError):
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


def _unpack(data: bytes) -> list[UserRecord] | None:
    # The digest behind the body is longer than a head: a whole head can be looked at everywhere.
    end = len(data) - DIGEST_SIZE
    keys, position = _unpack_keys(data, len(MAGIC))
    hash_keys: list[int] = []
    while data[position] == 0x12:
        length, start = decode_varint(data, position + 1)
        position = start + length
        hash_keys.append(decimal_hash_key(data[start:position]))
    records: list[UserRecord] = []
    append, head_at = records.append, _HEAD.unpack_from
    while position < end:
        # Tag and length of the record, tag and index of its key, tag and length of its data. Varints of one
        # and two bytes are read in place: a call would cost as much as all the rest.
        tag, length, high, key_tag, index, data_tag, size, a, b = head_at(data, position)
        start = position + 7
        if length > 0x7F and high < 0x80:
            length += (high << 7) - 0x80 + 1  # the second byte itself moves the stop
        else:
            start = position + 6
            b = a
            a = size
            size = data_tag
            data_tag = index
            index = key_tag
            key_tag = high
        if index > 0x7F and data_tag < 0x80:
            index += (data_tag << 7) - 0x80
            start += 1
            data_tag = size
            size = a
            a = b
        if size > 0x7F:
            size += (a << 7) - 0x80
            start += 1
        stop = position + 2 + length
        if tag == 0x1A and key_tag == 0x08 and data_tag == 0x1A and start + size == stop:
            append(UserRecord(keys[index], data[start:stop]))
        elif tag == 0x1A:
            index, hash_index, start, stop = _unpack_head(data, position)
            append(
                UserRecord(
                    keys[index], data[start:stop], None if hash_index is None else hash_keys[hash_index]
                )
            )
        else:
            return None
        position = stop
    # Where the body is cut off, its last field ends behind it.
    return records if position == end else None


def _unpack_keys(data: bytes, position: int) -> tuple[list[str], int]:
    """Read the key table from a position on; return it and the position behind it."""
    keys: list[str] = []
    append = keys.append
    # Beyond the body stands the digest: what is read there by mistake makes the whole come to no good end.
    while data[position] == 0x0A:
        length = data[position + 1]
        start = position + 2
        if length > 0x7F:
            length, start = decode_varint(data, position + 1)
            if length > MAX_PARTITION_KEY:
                raise WireError("a partition key is too long")
        position = start + length
        append(data[start:position].decode())
    if not all(keys):
        raise WireError("a partition key is empty")
    return keys, position


def _unpack_head(data: bytes, position: int) -> tuple[int, int | None, int, int]:
    """Read the head of a record that is large or has an explicit hash key.

    Returns:
        The indexes of its keys, and where its data starts and stops.

    Raises:
        WireError: It is laid out in another way.
    """
    length, position = decode_varint(data, position + 1)
    stop = position + length
    key_tag = data[position]
    index, position = decode_varint(data, position + 1)
    hash_index = None
    if data[position] == 0x10:
        hash_index, position = decode_varint(data, position + 1)
    data_tag = data[position]
    size, position = decode_varint(data, position + 1)
    if key_tag != 0x08 or data_tag != 0x1A or position + size != stop:
        raise WireError("a record is laid out in another way")
    return index, hash_index, position, stop
