"""An account's streams, and how a request says which one it means."""

import re
from collections.abc import Mapping
from typing import Any

from orderstream.testing.errors import (
    KinesisError,
    invalid_argument,
    shard_not_found,
    stream_not_found,
    validation,
)
from orderstream.testing.limits import Limits
from orderstream.testing.shard import Shard
from orderstream.testing.stream import Stream, StreamStatus

Request = Mapping[str, Any]
Response = dict[str, Any]

_NAME = re.compile(r"[a-zA-Z0-9_.-]{1,128}")


class Account:
    """The streams of one account in one region.

    Args:
        limits: What every shard carries.
        transition_seconds: How long a stream stays CREATING, UPDATING or DELETING.
        account_id: 12 digits.
        region: The region's name.
    """

    def __init__(
        self,
        *,
        limits: Limits,
        transition_seconds: float = 0.0,
        account_id: str = "000000000000",
        region: str = "us-east-1",
    ) -> None:
        self.limits = limits
        self.transition_seconds = transition_seconds
        self.account_id = account_id
        self.region = region
        self.streams: dict[str, Stream] = {}
        self._generation = 0

    def create(self, name: str, shard_count: int, now: float) -> Stream:
        """Create a stream.

        Raises:
            KinesisError: the name is taken or not allowed, or there are too many shards.
        """
        if not _NAME.fullmatch(name):
            raise validation("streamName", name, "satisfy regular expression pattern: [a-zA-Z0-9_.-]+")
        self.settle(name, now)
        if name in self.streams:
            raise KinesisError(
                "ResourceInUseException", f"Stream {name} under account {self.account_id} already exists."
            )
        self.require_shards(shard_count)
        self._generation += 1
        arn = f"arn:aws:kinesis:{self.region}:{self.account_id}:stream/{name}"
        stream = Stream(
            name=name,
            arn=arn,
            shard_count=shard_count,
            limits=self.limits,
            now=now,
            generation=self._generation,
        )
        self.streams[name] = stream
        stream.begin(StreamStatus.CREATING, now, self.transition_seconds, lambda _: None)
        return stream

    def delete(self, stream: Stream, now: float) -> None:
        """Delete a stream."""
        stream.begin(StreamStatus.DELETING, now, self.transition_seconds, lambda _: self._forget(stream))

    def _forget(self, stream: Stream) -> None:
        del self.streams[stream.name]

    def settle(self, name: str, now: float) -> None:
        """Finish a stream's transition if its time has come."""
        if name in self.streams:
            self.streams[name].settle(now)

    def require_shards(self, count: int) -> None:
        """Refuse a number of open shards that is too small or too large."""
        if count < 1:
            raise validation("shardCount", count, "have value greater than or equal to 1")
        if count > self.limits.open_shards:
            raise KinesisError(
                "LimitExceededException",
                f"{count} open shards would exceed the limit of {self.limits.open_shards}.",
            )

    def stream_named(self, name: str, now: float) -> Stream:
        """Find a stream in whatever state.

        Raises:
            KinesisError: ResourceNotFoundException.
        """
        self.settle(name, now)
        stream = self.streams.get(name)
        if stream is None:
            raise stream_not_found(name, self.account_id)
        return stream

    def stream(self, request: Request, now: float) -> Stream:
        """Find the stream that a request names, in whatever state.

        Raises:
            KinesisError: ResourceNotFoundException; InvalidArgumentException if the request names none.
        """
        return self.stream_named(stream_name(request), now)

    def active_stream(self, request: Request, now: float) -> Stream:
        """Find the stream that a request wants to change, which must be ACTIVE.

        Raises:
            KinesisError: as ``stream``; ResourceInUseException in any other state.
        """
        stream = self.stream(request, now)
        if stream.status is not StreamStatus.ACTIVE:
            raise KinesisError(
                "ResourceInUseException",
                f"Stream {stream.name} under account {self.account_id} not ACTIVE, "
                f"instead in state {stream.status}",
            )
        return stream

    def usable_stream(self, request: Request, now: float) -> Stream:
        """Find the stream that a request wants to write or read; one that is being created is not found.

        Raises:
            KinesisError: as ``stream``.
        """
        stream = self.stream(request, now)
        if stream.status in (StreamStatus.CREATING, StreamStatus.DELETING):
            raise stream_not_found(stream.name, self.account_id)
        return stream

    def shard(self, stream: Stream, shard_id: str, now: float) -> Shard:
        """Find a shard that still holds records or may get some.

        Raises:
            KinesisError: ResourceNotFoundException.
        """
        stream.trim(now)
        shard = stream.shards.get(shard_id)
        if shard is None:
            raise shard_not_found(shard_id, stream.name, self.account_id)
        return shard


def stream_name(request: Request) -> str:
    """The stream that a request names, by name or by ARN.

    Raises:
        KinesisError: InvalidArgumentException, if it names none.
    """
    name = request.get("StreamName")
    if isinstance(name, str):
        return name
    arn = request.get("StreamARN")
    if isinstance(arn, str) and ":stream/" in arn:
        return arn.partition(":stream/")[2]
    raise invalid_argument("Either StreamName or StreamARN must be given.")


def required(request: Request, member: str, kind: type | tuple[type, ...]) -> Any:
    """A member that a request must have.

    Raises:
        KinesisError: ValidationException if it is missing, SerializationException if it is of another type.
    """
    value = optional(request, member, kind)
    if value is None:
        raise validation(member[0].lower() + member[1:], "null", "not be null")
    return value


def optional(request: Request, member: str, kind: type | tuple[type, ...]) -> Any:
    """A member that a request may have; None if it has not.

    Raises:
        KinesisError: SerializationException if it is of another type.
    """
    value = request.get(member)
    if value is not None and not isinstance(value, kind):
        raise KinesisError("SerializationException", f"{member} is a {type(value).__name__}.")
    return value


def bounded(request: Request, member: str, default: int, high: int) -> int:
    """An optional whole number from 1 to a bound.

    Raises:
        KinesisError: ValidationException outside of it.
    """
    value = optional(request, member, int)
    if value is None:
        return default
    if not 1 <= value <= high:
        raise validation(
            member[0].lower() + member[1:], value, f"have value between 1 and {high}, both included"
        )
    return int(value)
