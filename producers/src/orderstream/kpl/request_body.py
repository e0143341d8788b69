r"""The body of a PutRecords request, made by hand: botocore's serializer takes three times as long.

botocore keeps everything else: endpoint, signature, proxies, retries, hooks. It is given a request with one
empty entry to validate, and a handler of its ``before-call`` event exchanges the body before it is signed.
"""

import json
import threading
from binascii import b2a_base64
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

from botocore.client import BaseClient

from orderstream.kpl.pending import KinesisRecord

PLACEHOLDER: Final = ({"Data": b"", "PartitionKey": "a"},)
"""What botocore validates in the entries' stead."""

_CONTENT_TYPE: Final = "application/x-amz-json-1.1"

_current = threading.local()


def encode_body(entries: Sequence[KinesisRecord], stream: Mapping[str, str]) -> bytes:
    """Return a PutRecords request in JSON.

    Args:
        entries: The entries, in order.
        stream: ``StreamName`` or ``StreamARN``.
    """
    records = b",".join([_encode_entry(entry) for entry in entries])
    return b'{"Records":[' + records + b"]," + json.dumps(dict(stream)).encode()[1:]


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


def _encode_entry(entry: KinesisRecord) -> bytes:
    tail = '","PartitionKey":' + json.dumps(entry.partition_key)
    if entry.explicit_hash_key is not None:
        tail += f',"ExplicitHashKey":"{entry.explicit_hash_key}"'
    return b'{"Data":"%b%b}' % (b2a_base64(entry.data, newline=False), tail.encode())
