"""The body of a PutRecords request, ready-made: botocore's own serializer takes ten times as long.

botocore keeps everything else: endpoint, signature, proxies, retries, hooks. It is given a request with one
empty entry to validate, and a handler of its ``before-call`` event exchanges the body before it is signed.
"""

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

import msgspec
from botocore.client import BaseClient

from orderstream.producer.core.kinesis_record import KinesisRecord

PLACEHOLDER: Final = ({"Data": b"", "PartitionKey": "a"},)
"""What botocore validates in the entries' stead."""

_CONTENT_TYPE: Final = "application/x-amz-json-1.1"

_current = threading.local()
_encoder = msgspec.json.Encoder()


class _Entry(msgspec.Struct, omit_defaults=True, gc=False):
    """PutRecordsRequestEntry, by the names of the Kinesis API; msgspec writes bytes in base64."""

    Data: bytes
    PartitionKey: str
    ExplicitHashKey: str | None = None


def encode_body(entries: Sequence[KinesisRecord], stream: Mapping[str, str]) -> bytes:
    """Return a PutRecords request in JSON.

    Args:
        entries: The entries, in order.
        stream: ``StreamName`` or ``StreamARN``.
    """
    records = [_Entry(entry.data, entry.partition_key, entry.explicit_hash_key) for entry in entries]
    return _encoder.encode({"Records": records, **stream})


def takes_ready_bodies(client: object) -> bool:
    """Make a client take ready-made bodies, if it can.

    Args:
        client: A boto3 client, or something that behaves like one.

    Returns:
        Whether ``ready_body`` works with it: it is botocore's, and speaks JSON.
    """
    if not isinstance(client, BaseClient):
        return False
    meta = client.meta
    metadata = meta.service_model.metadata
    protocol = getattr(meta.service_model, "resolved_protocol", metadata.get("protocol"))
    if protocol != "json" or metadata.get("jsonVersion") != "1.1":
        return False
    # First, so that the handlers of others see the body that is sent; once, however many producers share it.
    meta.events.register_first("before-call.kinesis.PutRecords", _exchange, unique_id="orderstream-body")
    return True


@contextmanager
def ready_body(body: bytes) -> Iterator[None]:
    """Have the PutRecords call that this thread makes inside the block carry this body."""
    _current.body = body
    try:
        yield
    finally:
        _current.body = None


def _exchange(params: dict[str, Any], **_: object) -> None:
    body = getattr(_current, "body", None)
    if body is None:
        return
    if params["headers"].get("Content-Type") != _CONTENT_TYPE:
        raise ValueError(f"Kinesis is spoken to in {params['headers']}, the body is in {_CONTENT_TYPE}")
    params["body"] = body
