"""Messages of ``application/vnd.amazon.eventstream``, in which Kinesis sends a subscription's events.

::

    total length | headers' length | CRC32 of both | headers | payload | CRC32 of all before

Lengths and checksums have four bytes, big endian. A header is its name's length and its name, the type 7, its
value's length in two bytes, and its value.
"""

import zlib
from typing import Final

CONTENT_TYPE: Final = b"application/vnd.amazon.eventstream"

_STRING: Final = b"\x07"
_FRAME: Final = 16  # bytes of lengths and checksums


def event(kind: str, payload: bytes) -> bytes:
    """Return an event as one message."""
    return _message(((":message-type", "event"), (":event-type", kind), _JSON), payload)


def exception(code: str, payload: bytes) -> bytes:
    """Return an exception, after which nothing more comes, as one message."""
    return _message(((":message-type", "exception"), (":exception-type", code), _JSON), payload)


_JSON: Final = (":content-type", "application/json")


def _message(headers: tuple[tuple[str, str], ...], payload: bytes) -> bytes:
    written = b"".join(
        bytes([len(name)]) + name.encode() + _STRING + len(value).to_bytes(2, "big") + value.encode()
        for name, value in headers
    )
    begin = _checked(
        (_FRAME + len(written) + len(payload)).to_bytes(4, "big") + len(written).to_bytes(4, "big")
    )
    return _checked(begin + written + payload)


def _checked(content: bytes) -> bytes:
    return content + zlib.crc32(content).to_bytes(4, "big")
