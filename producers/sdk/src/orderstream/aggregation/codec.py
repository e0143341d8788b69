"""The two hot loops of the aggregated record format: the seam where a compiled core could go.

Nothing here knows of shards or time, and the output is fixed to the byte: another implementation of ``Body``,
``pack``, ``seal`` and ``unpack`` may replace this module without any other change. The layout is
described in ``orderstream.aggregation.aggregate``.
"""

from collections.abc import Iterable
from functools import cache
from hashlib import md5
from itertools import islice
from struct import Struct
from typing import Final, Protocol

from orderstream.aggregation.user_record import MAX_HASH_KEY, MAX_PARTITION_KEY, UserRecord
from orderstream.aggregation.wire import VARINTS, WireError, decode_varint, encode_varint

MAGIC: Final = b"\xf3\x89\x9a\xc2"
"""The first four bytes of every aggregated record."""

DIGEST_SIZE: Final = 16
"""Length of the MD5 trailer, in bytes."""

OVERHEAD: Final = len(MAGIC) + DIGEST_SIZE
"""What an aggregate costs beside its protobuf body, in bytes."""

# A record whose payload is smaller than this is written from tables, which are at hand for so many keys.
_SMALL: Final = 4096

Heads = tuple[tuple[bytes, bytes, int], ...]
"""By the size of a payload: tag and length of its record; its own length; the size of the whole record."""

KeyEntry = tuple[bytes, Heads]
"""A key's in the key table: tag and index, and the tag of the data; the other bytes before its payloads."""


@cache
def _heads(key_size: int) -> Heads:
    """The bytes before a payload if tag and index of its key, and the data's tag, take so many bytes."""
    heads = []
    for size in range(_SMALL):
        data_size = VARINTS[size]
        length = key_size + len(data_size) + size
        heads.append((b"\x1a" + VARINTS[length], data_size, 1 + len(VARINTS[length]) + length))
    return tuple(heads)


def _key_entry(index: int) -> KeyEntry:
    key_head = b"\x08" + encode_varint(index) + b"\x1a"
    return key_head, _heads(len(key_head))


_KEY_ENTRIES: Final = tuple(map(_key_entry, range(_SMALL)))


# The entries of the key table, by key: to look one up takes a third of the time of encoding it again.
_encoded_keys: dict[str, bytes] = {}
_REMEMBERED_KEYS = 50_000


# The head of a record: nine bytes where length, index and size take two each.
_HEAD: Final = Struct("9B")


# What the second byte of a varint adds to the first, whose highest bit only says that there is a second.
_SECOND: Final = tuple((byte << 7) - 0x80 for byte in range(0x80))


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
        keys: The entry of each partition key in the key table.
        hash_keys: The index of each explicit hash key.
        key_table: The partition keys, encoded; joined once it is closed.
        hash_key_table: The explicit hash keys, in the same form.
        parts: The magic number, room for both tables, and the records, encoded: four parts each.
    """

    __slots__ = ("count", "hash_key_table", "hash_keys", "key_table", "keys", "parts", "size")

    def __init__(self) -> None:
        self.count = 0
        self.size = OVERHEAD
        self.keys: dict[str, KeyEntry] = {}
        self.hash_keys: dict[int, int] = {}
        self.key_table: list[bytes] = []
        self.hash_key_table: list[bytes] = []
        self.parts = [MAGIC, b"", b""]

    def close(self) -> None:
        """Take no more records, and release what only taking them needs: it uses much memory."""
        self.keys, self.hash_keys = {}, {}
        self.key_table, self.hash_key_table = [b"".join(self.key_table)], [b"".join(self.hash_key_table)]


def pack(body: Body, records: Iterable[Packable], max_bytes: int, max_records: int) -> int:
    """Append as many of these records to an aggregate as fit.

    Args:
        body: The aggregate.
        records: The records, in order.
        max_bytes: How large the aggregate may become, magic number and digest included.
        max_records: How many records it may hold.

    Returns:
        How many of the records were taken, from the first on.
    """
    keys, key_table, parts = body.keys, body.key_table, body.parts
    entry_of, key_known, small = keys.get, _encoded_keys.get, _SMALL
    size, taken = body.size, 0
    for record in islice(records, max(0, max_records - body.count)):
        partition_key, data = record.partition_key, record.data
        length = len(data)
        grown = size
        entry = entry_of(partition_key)
        encoded_key = None
        if entry is None:
            index = len(keys)
            entry = _KEY_ENTRIES[index] if index < small else _key_entry(index)
            encoded_key = key_known(partition_key) or _encode_key(partition_key)
            grown += len(encoded_key)
        key_head, heads = entry
        if length < small and record.explicit_hash_key is None:
            head, data_size, whole = heads[length]
            grown += whole
            encoded_hash_key = None
        else:
            head, key_head, data_size, encoded_hash_key = _unusual_heads(body, record, key_head)
            grown += len(head) + len(key_head) + len(data_size) + length + len(encoded_hash_key or b"")
        if grown > max_bytes:
            break
        if encoded_key is not None:
            keys[partition_key] = entry
            key_table.append(encoded_key)
        if encoded_hash_key is not None:
            assert record.explicit_hash_key is not None
            body.hash_keys[record.explicit_hash_key] = len(body.hash_keys)
            body.hash_key_table.append(encoded_hash_key)
        parts += (head, key_head, data_size, data)
        size = grown
        taken += 1
    body.size = size
    body.count += taken
    return taken


def _unusual_heads(body: Body, record: Packable, key_head: bytes) -> tuple[bytes, bytes, bytes, bytes | None]:
    """Make the bytes before the payload of a record that is large or has an explicit hash key.

    Returns:
        Tag and length of the record; tags and indexes of its keys, and the tag of its data; the length of
        its data; its explicit hash key, encoded, if the table lacks it.
    """
    hash_key, encoded_hash_key = record.explicit_hash_key, None
    if hash_key is not None:
        hash_index = body.hash_keys.get(hash_key)
        if hash_index is None:
            hash_index = len(body.hash_keys)
            encoded_hash_key = _delimited(b"\x12", str(hash_key).encode())
        key_head = key_head[:-1] + b"\x10" + encode_varint(hash_index) + b"\x1a"
    data_size = encode_varint(len(record.data))
    head = b"\x1a" + encode_varint(len(key_head) + len(data_size) + len(record.data))
    return head, key_head, data_size, encoded_hash_key


def seal(body: Body) -> bytes:
    """Return the aggregate's bytes so far."""
    body.parts[1:3] = b"".join(body.key_table), b"".join(body.hash_key_table)
    aggregate = b"".join(body.parts)
    return aggregate + md5(memoryview(aggregate)[len(MAGIC) :], usedforsecurity=False).digest()


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
    append, head_at, second = records.append, _HEAD.unpack_from, _SECOND
    while position < end:
        # Tag and length of the record, tag and index of its key, tag and length of its data. Varints of one
        # and two bytes are read in place: a call would cost as much as all the rest.
        tag, length, high, key_tag, index, data_tag, size, a, b = head_at(data, position)
        if length > 0x7F and high < 0x80:
            start = position + 7
            stop = position + length + second[high] + 3
        else:
            start = position + 6
            stop = position + length + 2
            b = a
            a = size
            size = data_tag
            data_tag = index
            index = key_tag
            key_tag = high
        if index > 0x7F and data_tag < 0x80:
            index += second[data_tag]
            start += 1
            data_tag = size
            size = a
            a = b
        if size > 0x7F:
            if a > 0x7F:
                key_tag = 0  # longer still, and no tag follows: for the slow way
            else:
                size += second[a]
                start += 1
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
    # A character for each byte: a key is cut out of it in half the time that decoding it alone would take.
    first, text, readable = position, "", 0
    # The digest follows the body: reading into it by mistake makes the decoding fail.
    while data[position] == 0x0A:
        length = data[position + 1]
        start = position + 2
        if length > 0x7F:
            length, start = decode_varint(data, position + 1)
            if length > MAX_PARTITION_KEY:
                raise WireError("a partition key is too long")
        position = start + length
        if position > readable:
            readable = 2 * position + 4096
            text = data[:readable].decode("latin-1")
        append(text[start:position])
    if not data[first:position].isascii():
        keys = [key.encode("latin-1").decode() for key in keys]
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
