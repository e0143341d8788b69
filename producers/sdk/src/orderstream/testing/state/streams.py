"""The streams of an account in a region, by name and by ARN."""

import re
from collections.abc import Callable
from typing import Any, Final

from orderstream.testing.errors import KinesisError, invalid_argument, stream_not_found
from orderstream.testing.state.consumers import Consumer
from orderstream.testing.state.limits import Limits
from orderstream.testing.state.stream import Stream

Request = dict[str, Any]
Response = dict[str, Any]

_ARN: Final = re.compile(r"arn:aws[^:]*:kinesis:([^:]*):([0-9]{12}):stream/([^/]+)")
_CREATING_AT_ONCE: Final = 5
"""Most streams in the state CREATING, by the documentation of CreateStream."""


class Streams:
    """The streams by name.

    Args:
        limits: The limits that are kept.
        clock: Seconds since the epoch.
        account: The account's number.
        region: The region's name.
        transition_seconds: How long a stream is CREATING, UPDATING or DELETING after a change.
    """

    def __init__(
        self,
        limits: Limits,
        clock: Callable[[], float],
        account: str,
        region: str,
        transition_seconds: float,
    ) -> None:
        self.limits = limits
        self.clock = clock
        self.transition_seconds = transition_seconds
        self._account = account
        self._region = region
        self._generation = 0
        self._streams: dict[str, Stream] = {}
        self._consumers: dict[int, list[Consumer]] = {}

    @staticmethod
    def name_in(request: Request) -> str | None:
        """The stream that a request names, by name or by ARN."""
        if arn := request.get("StreamARN") or request.get("ResourceARN") or request.get("ConsumerARN"):
            return str(arn).partition("/consumer/")[0].rpartition("/")[2]
        name = request.get("StreamName")
        return str(name) if name else None

    def find(self, request: Request) -> Stream:
        """The stream of a request, in whatever state it is.

        Raises:
            KinesisError: it names none, two, or one that is not there.
        """
        name, arn = request.get("StreamName"), request.get("StreamARN") or request.get("ResourceARN")
        if arn is None:
            if name is None:
                raise invalid_argument("Either StreamName or StreamARN must be given.")
            return self.named(name)
        found = _ARN.fullmatch(arn)
        if found is None:
            raise invalid_argument(f"{arn} is not the ARN of a stream.")
        region, account, named = found.groups()
        if name is not None and name != named:
            raise invalid_argument(f"StreamARN {arn} does not match StreamName {name}.")
        if (region, account) != (self._region, self._account):
            raise stream_not_found(named, account)
        return self.named(named)

    def usable(self, request: Request) -> Stream:
        """The stream of a request that writes or reads, which one that is made or deleted cannot do.

        Raises:
            KinesisError: it names none, or one that is not there.
        """
        stream = self.find(request)
        if not stream.is_there(self.clock()):
            raise stream_not_found(stream.name, self._account)
        return stream

    def active(self, request: Request) -> tuple[Stream, float]:
        """The stream of a request that changes it, and the time.

        Raises:
            KinesisError: it names none, one that is not there, or one that is not ACTIVE.
        """
        stream, now = self.find(request), self.clock()
        stream.demand_active(now)
        return stream, now

    def named(self, name: str) -> Stream:
        """The stream of a name, as it is by now.

        Raises:
            KinesisError: ResourceNotFoundException.
        """
        stream, now = self._streams.get(name), self.clock()
        if stream is not None and stream.is_gone(now):
            del self._streams[name]
            stream = None
        if stream is None:
            raise stream_not_found(name, self._account)
        stream.apply_pending(now)
        return stream

    def all(self) -> list[Stream]:
        """All streams, by name."""
        now = self.clock()
        return [self.named(name) for name in sorted(self._streams) if not self._streams[name].is_gone(now)]

    def consumers_of(self, stream: Stream) -> list[Consumer]:
        """The registered consumers of a stream, without those whose deregistration is over."""
        now = self.clock()
        there = [one for one in self._consumers.get(stream.generation, ()) if not one.is_gone(now)]
        self._consumers[stream.generation] = there
        return there

    def create(self, name: str, shard_count: int) -> Stream:
        """Make a stream.

        Raises:
            KinesisError: ResourceInUseException, LimitExceededException.
        """
        now = self.clock()
        there = self.all()
        if any(stream.name == name for stream in there):
            message = f"Stream {name} under account {self._account} already exists."
            raise KinesisError("ResourceInUseException", message)
        if shard_count + sum(len(stream.open_shards) for stream in there) > self.limits.open_shards:
            raise KinesisError(
                "LimitExceededException", f"{shard_count} more shards than the account may have."
            )
        if sum(stream.status(now) == "CREATING" for stream in there) >= _CREATING_AT_ONCE:
            message = f"Account {self._account} has {_CREATING_AT_ONCE} streams in the state CREATING."
            raise KinesisError("LimitExceededException", message)
        self._generation += 1
        stream = Stream(
            name,
            account=self._account,
            region=self._region,
            generation=self._generation,
            shard_count=shard_count,
            limits=self.limits,
            now=now,
            done_at=self.done_at(now),
        )
        self._streams[name] = stream
        return stream

    def done_at(self, now: float) -> float:
        """When a change is over; one that takes no time is over even if the clock steps back."""
        return now + self.transition_seconds if self.transition_seconds else 0.0
