"""FakeKinesis: the core behind a lock, for any number of threads."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, Final

from orderstream.aggregation import AggregateCorruptError, UserRecord, deaggregate
from orderstream.observability.metrics import Meter
from orderstream.testing.client import FakeKinesisClient
from orderstream.testing.core import CallOutcome, KinesisCore
from orderstream.testing.faults import Faults
from orderstream.testing.operations.consumers import event_shape
from orderstream.testing.state.consumers import Event, Subscription
from orderstream.testing.state.limits import Limits
from orderstream.testing.state.shard import StoredRecord, StoredShard

LOOK_SECONDS: Final = 0.05
"""Pause between two looks of a subscription for records that have arrived."""


class FakeKinesis:
    """A Kinesis of one account in one region, in memory.

    Args:
        limits: The limits that are kept; by default Kinesis' own.
        clock: Seconds since the epoch.
        sleep: Waits for so many seconds, where a fault delays a response.
        account: The account's number.
        region: The region's name.
        transition_seconds: How long a stream is CREATING, UPDATING or DELETING after a change; default 0:
            not at all.
        seed: Seed of the faults' random rates.
        meter: Takes what CloudWatch would measure of the streams; by default nothing does.
    """

    def __init__(
        self,
        *,
        limits: Limits | None = None,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], object] = time.sleep,
        account: str = "000000000000",
        region: str = "us-east-1",
        transition_seconds: float = 0.0,
        seed: int = 0,
        meter: Meter | None = None,
    ) -> None:
        self._core = KinesisCore(
            limits=limits or Limits(),
            clock=clock,
            account=account,
            region=region,
            transition_seconds=transition_seconds,
            seed=seed,
            meter=meter,
        )
        self._sleep = sleep
        self._clock = clock
        self._region = region
        self._lock = threading.Lock()

    @property
    def faults(self) -> Faults:
        """Faults on demand."""
        return self._core.faults

    @property
    def calls(self) -> Counter[str]:
        """How often each operation was called, by its API name."""
        return self._core.calls

    def client(self) -> FakeKinesisClient:
        """A replacement for ``boto3.client("kinesis")``."""
        return FakeKinesisClient(self._call, self._clock, self._region, self.events)

    def call(self, operation: str, request: dict[str, Any]) -> CallOutcome:
        """Carry out one call; the caller waits for its delay and loses its response.

        Raises:
            KinesisError: the call is refused.
        """
        with self._lock:
            return self._core.call(operation, request)

    def next_event(self, subscription: Subscription) -> Event | float | None:
        """What a subscription sends now; for how many seconds it has nothing, at most; or None at its end.

        Raises:
            KinesisError: it ends with an exception.
        """
        with self._lock:
            now = self._clock()
            found = subscription.next(now)
            return max(found - now, 0.0) if isinstance(found, float) else found

    def events(self, subscription: Subscription) -> Iterator[dict[str, Any]]:
        """What a subscription sends, in the shapes of the service model; waits where it has nothing to send.

        Raises:
            KinesisError: it ends with an exception.
        """
        while (found := self.next_event(subscription)) is not None:
            if isinstance(found, Event):
                yield event_shape(subscription, found)
            else:
                self._sleep(min(found, LOOK_SECONDS))

    def shards(self, stream: str) -> tuple[StoredShard, ...]:
        """All shards of a stream, closed ones too, oldest first."""
        with self._lock:
            return tuple(self._core.streams.named(stream).shards)

    def records(self, stream: str, shard_id: str) -> list[StoredRecord]:
        """Everything that a shard holds, in order and whatever the limits."""
        with self._lock:
            shard = self._core.streams.named(stream).shard(shard_id)
            return shard.read(0, len(shard), 2**62)

    def user_records(self, stream: str) -> list[UserRecord]:
        """What an application has put, aggregates deaggregated: shard by shard, each in order.

        Args:
            stream: The stream's name.

        Returns:
            The user records. An aggregate that cannot be deaggregated is the one record it looks like, as it
            is for consumers.
        """
        found: list[UserRecord] = []
        for shard in self.shards(stream):
            for record in self.records(stream, shard.shard_id):
                try:
                    found += deaggregate(record.data, record.partition_key).user_records
                except AggregateCorruptError:
                    found.append(UserRecord(record.partition_key, record.data))
        return found

    def _call(self, operation: str, request: dict[str, Any]) -> CallOutcome:
        outcome = self.call(operation, request)
        if outcome.delay:
            self._sleep(outcome.delay)
        return outcome
