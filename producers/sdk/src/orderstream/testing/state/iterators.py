"""Shard iterators and paging tokens: opaque strings that carry all they need, so that none is remembered."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import TypeVar

import msgspec

from orderstream.testing.errors import invalid_argument


class ShardIterator(msgspec.Struct, frozen=True, array_like=True, tag="shard-iterator"):
    """A reader's position in a shard.

    Attributes:
        stream: The stream's name.
        generation: Distinguishes a stream from an earlier one of the same name.
        shard_id: The shard.
        position: The stream position from which to read on.
        issued_at: When it was handed out, in seconds since the epoch.
    """

    stream: str
    generation: int
    shard_id: str
    position: int
    issued_at: float


class ShardsToken(msgspec.Struct, frozen=True, array_like=True, tag="shards-token"):
    """Where a listing of shards goes on.

    Attributes:
        stream: The stream's name.
        after: Number of the last shard that was listed.
        issued_at: When it was handed out, in seconds since the epoch.
        filter_type: ListShards' filter, or None.
        filter_shard: The filter's shard id, or None.
        filter_timestamp: The filter's time in seconds since the epoch, or None.
    """

    stream: str
    after: int
    issued_at: float
    filter_type: str | None
    filter_shard: str | None
    filter_timestamp: float | None


_Token = TypeVar("_Token", ShardIterator, ShardsToken)


def encode(token: ShardIterator | ShardsToken) -> str:
    """Make the opaque string."""
    return urlsafe_b64encode(msgspec.msgpack.encode(token)).decode("ascii")


def decode(text: str, kind: type[_Token], member: str) -> _Token:
    """Read an opaque string.

    Args:
        text: What the caller sent.
        kind: What it should be.
        member: The request's member, for the message.

    Raises:
        KinesisError: InvalidArgumentException, if we never made it.
    """
    try:
        return msgspec.msgpack.decode(urlsafe_b64decode(text), type=kind)
    except (ValueError, msgspec.MsgspecError) as error:
        raise invalid_argument(f"Invalid {member}.") from error
