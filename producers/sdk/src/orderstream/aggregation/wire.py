"""The part of Protocol Buffers' wire format that the KPL format needs (see "Encoding" on protobuf.dev)."""

from collections.abc import Iterator

VARINT = 0
FIXED64 = 1
LENGTH_DELIMITED = 2
START_GROUP = 3
END_GROUP = 4
FIXED32 = 5

_UINT64 = 2**64 - 1


class WireError(ValueError):
    """The bytes are no protobuf message. Callers turn it into an error of their own."""


def _varint(value: int) -> bytes:
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)


# Indexes and most lengths are small: looking them up is several times faster than computing them.
VARINTS = tuple(_varint(value) for value in range(16384))
"""The varints of the numbers below 16,384."""


def encode_varint(value: int) -> bytes:
    """Return a non-negative number as a base-128 varint."""
    return VARINTS[value] if value < 16384 else _varint(value)


def decode_varint(data: bytes, position: int) -> tuple[int, int]:
    """Read a varint.

    Args:
        data: The message.
        position: Where the varint starts.

    Returns:
        The number, kept to 64 bits, and the position behind it.

    Raises:
        WireError: It is cut off or longer than ten bytes.
    """
    value = shift = 0
    try:
        if data[position] < 0x80:
            return data[position], position + 1
        while True:
            byte = data[position]
            position += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value & _UINT64, position
            shift += 7
            if shift > 63:
                raise WireError("a varint is longer than ten bytes")
    except IndexError:
        raise WireError("a varint is cut off") from None


def fields(data: bytes) -> Iterator[tuple[int, int, int | bytes]]:
    """Iterate over the top-level fields of a message, groups left out.

    Args:
        data: One whole message.

    Yields:
        Field number, wire type, and the value: a number for a varint, bytes for anything else.

    Raises:
        WireError: The bytes are no well-formed message.
    """
    position, end = 0, len(data)
    open_groups: list[int] = []
    while position < end:
        tag, position = decode_varint(data, position)
        number, wire_type = tag >> 3, tag & 7
        if number == 0:
            raise WireError("a field has number 0")
        value: int | bytes
        if wire_type == VARINT:
            value, position = decode_varint(data, position)
        elif wire_type in {LENGTH_DELIMITED, FIXED64, FIXED32}:
            size, position = _size(data, position, wire_type)
            if size > end - position:
                raise WireError(f"field {number} is cut off")
            value = data[position : position + size]
            position += size
        elif wire_type == START_GROUP:
            open_groups.append(number)
            continue
        elif wire_type == END_GROUP and open_groups and open_groups.pop() == number:
            continue
        else:
            raise WireError(f"field {number} has wire type {wire_type} out of place")
        if not open_groups:
            yield number, wire_type, value
    if open_groups:
        raise WireError(f"group {open_groups[-1]} is not closed")


def _size(data: bytes, position: int, wire_type: int) -> tuple[int, int]:
    if wire_type == LENGTH_DELIMITED:
        return decode_varint(data, position)
    return 8 if wire_type == FIXED64 else 4, position
