"""Compressed events: the envelope's data as zstd, marked in the envelope; decoding decompresses it.

Compressed, an envelope has its attributes in clear, so that every reader sees what it is about::

    {..., "data": {"order_id": ...}}    <->    {..., "contentencoding": "zstd", "data_base64": "KLUv..."}

``data_base64`` is where CloudEvents' JSON format puts binary data, and ``zstd`` is the registered name of
the content coding (RFC 8878). It takes the extra ``zstd``.
"""

import threading
from functools import cache
from typing import Final

import msgspec

from orderstream.errors import MissingExtraError
from orderstream.messages.errors import DataTooLargeError, NotAnEventError

MAX_DATA_BYTES: Final = 10 * 1024 * 1024
"""Most bytes that an event's data may have uncompressed: the largest record that any stream takes (Kinesis
API, UpdateMaxRecordSize), so that compression carries nothing that no stream could take without it."""

_CODING: Final = "zstd"
_MARK: Final = b'"contentencoding"'
_MAX_WINDOW: Final = 16 * 1024 * 1024


class _Compressed(msgspec.Struct):
    contentencoding: str
    data_base64: bytes


_MEMBERS: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_JSON: Final = msgspec.json.Decoder(msgspec.Raw)
_COMPRESSED: Final = msgspec.json.Decoder(_Compressed)


def compressed(event: bytes) -> bytes:
    """Compress the data of an encoded envelope, where that makes it smaller and is not done already.

    Args:
        event: What ``Envelope.encode`` returns.

    Raises:
        MissingExtraError: The extra ``zstd`` is not installed.
    """
    members = _MEMBERS.decode(event)
    data = bytes(members.pop("data", b""))
    if not 0 < len(data) <= MAX_DATA_BYTES:
        return event
    content = zstd().compress(data)
    smaller = msgspec.json.encode({**members, "contentencoding": _CODING, "data_base64": content})
    return smaller if len(smaller) < len(event) else event


def uncompressed(event: bytes) -> bytes:
    """Undo ``compressed``; what is not compressed comes back as it is, whether it is an event or not.

    Args:
        event: A record's data.

    Raises:
        NotAnEventError: It says that it is compressed, and is not.
        DataTooLargeError: Its data would have more than ``MAX_DATA_BYTES`` bytes.
        MissingExtraError: The extra ``zstd`` is not installed.
    """
    if _MARK not in event:
        return event
    try:
        members = _MEMBERS.decode(event)
        if "contentencoding" not in members:  # some text spoke of it
            return event
        envelope = _COMPRESSED.decode(event)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise NotAnEventError(str(error)) from error
    if envelope.contentencoding != _CODING:
        raise NotAnEventError(f"its contentencoding is {envelope.contentencoding!r} and not {_CODING!r}")
    if "data" in members:
        raise NotAnEventError("it has both data and data_base64")
    del members["contentencoding"], members["data_base64"]
    return msgspec.json.encode({**members, "data": _expanded(envelope.data_base64)})


def _expanded(content: bytes) -> msgspec.Raw:
    """Undo zstd within the bound, whatever size the content claims to have."""
    library = zstd()
    try:
        if library.content_size(content) > MAX_DATA_BYTES:
            raise DataTooLargeError(MAX_DATA_BYTES)
        # Content that claims no size fails at the bound, too.
        return _JSON.decode(library.decompress(content, max_output_size=MAX_DATA_BYTES))
    except (library.error, msgspec.DecodeError, RecursionError) as error:
        raise NotAnEventError(f"its data_base64 is no JSON in zstd: {error}") from error


class _Zstd(threading.local):
    """The library's contexts, which no two threads may share and which cost more to make than to use."""

    def __init__(self) -> None:
        try:
            import zstandard  # noqa: PLC0415 - an extra
        except ImportError as error:
            raise MissingExtraError("zstd", "compressed events") from error
        self.error = zstandard.ZstdError
        self.content_size = zstandard.frame_content_size
        self.compress = zstandard.ZstdCompressor().compress
        self.decompress = zstandard.ZstdDecompressor(max_window_size=_MAX_WINDOW).decompress


@cache
def zstd() -> _Zstd:
    """Return what compresses.

    Raises:
        MissingExtraError: The extra ``zstd`` is not installed.
    """
    return _Zstd()
