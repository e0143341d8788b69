"""What a parked payload is, said without quoting it: it may hold personal data."""

from typing import Final

import msgspec

from orderstream.aggregation.codec import MAGIC
from orderstream.messages import NotAnEventError, decode_envelope, uncompressed

_HEAD: Final = 4
"""Bytes of a payload that are shown: enough to recognise its format, too few to name a person."""

_FORMATS: Final = {
    MAGIC: "an aggregate of KPL's that could not be taken apart",
    b"\x1f\x8b": "gzip",
    b"\x28\xb5\x2f\xfd": "zstd",
    b"PAR1": "Parquet",
    b"Obj\x01": "Avro",
    b"PK\x03\x04": "a ZIP archive",
    b"\xef\xbb\xbf": "UTF-8 text behind a byte-order mark",
    b"\xff\xfe": "UTF-16 text",
    b"\xfe\xff": "UTF-16 text",
    b"<": "HTML or XML",
}
"""How some formats begin."""


class _Change(msgspec.Struct):
    """What distinguishes a captured change of a table from other JSON."""

    tableName: str  # noqa: N815 - DynamoDB's name
    dynamodb: dict[str, msgspec.Raw]


def described(data: bytes) -> str:
    """What a payload is.

    Args:
        data: A record's data.

    Returns:
        Type and order of an event. Of anything else its kind, its size, how it begins, and what keeps it from
        being an event.

    Raises:
        MissingExtraError: The payload is compressed, and the extra ``zstd`` is not installed.
    """
    try:
        envelope = decode_envelope(uncompressed(data))
    except NotAnEventError as error:
        begins = f", begins with the bytes {data[:_HEAD].hex(' ')}" if data else ""
        kind = _kind(data)
        why = f" ({error.reason})" if kind.startswith("JSON") else ""
        return f"no event but {kind}{why}, {len(data):,} bytes{begins}"
    return f"{envelope.type} of order {envelope.subject}"


def _kind(data: bytes) -> str:
    if not data:
        return "nothing"
    for beginning, name in _FORMATS.items():
        if data.startswith(beginning):
            return name
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return "binary data"
    try:
        value = msgspec.json.decode(data, type=msgspec.Raw)
    except (msgspec.DecodeError, RecursionError):
        return _kind_of_text(text)
    try:
        change = msgspec.json.decode(value, type=_Change)
    except (msgspec.DecodeError, RecursionError):
        return "JSON"
    return f"a captured change of the DynamoDB table {change.tableName}"


def _kind_of_text(text: str) -> str:
    if text[0] in "{[":
        return "JSON that is broken or breaks off"
    return "text"
