"""Registered consumers of a stream, and what each is sent of a shard.

::

    CREATING ──> ACTIVE ──deregistered──> DELETING ──> gone

Each arrow takes the fake's transition time. A consumer has a budget of its own for each shard, and one
subscription to it at a time.
"""

from dataclasses import dataclass, field
from typing import Final

from orderstream.testing.errors import KinesisError
from orderstream.testing.state.limits import MIB, TokenBucket
from orderstream.testing.state.shard import StoredRecord, StoredShard
from orderstream.testing.state.stream import Stream

RESUBSCRIBE_SECONDS: Final = 5.0
"""Sooner after a subscription another one is refused; later it takes over (SubscribeToShard's API page)."""

_CALL_SECONDS: Final = 1.0  # between two calls for one consumer and shard
_HEARTBEAT_SECONDS: Final = 5.0  # as observed; AWS says nothing of it
_EVENT_RECORDS: Final = 10_000
_EVENT_BYTES: Final = MIB


@dataclass(eq=False)
class Consumer:
    """A registered consumer.

    Attributes:
        name: Its name, unique on its stream.
        arn: Its ARN, with the time of its registration.
        stream: The stream.
        created_at: When it was registered, in seconds since the epoch.
        active_at: When it is ACTIVE.
        gone_at: When its deregistration is over; None while it has not been requested.
        tags: Its tags.
    """

    name: str
    arn: str
    stream: Stream
    created_at: float
    active_at: float
    gone_at: float | None = None
    tags: dict[str, str] = field(default_factory=dict)
    _subscriptions: dict[str, "Subscription"] = field(default_factory=dict)
    _called: dict[str, float] = field(default_factory=dict)
    _budgets: dict[str, TokenBucket] = field(default_factory=dict)

    def status(self, now: float) -> str:
        """CREATING, ACTIVE or DELETING."""
        if self.gone_at is not None:
            return "DELETING"
        return "ACTIVE" if now >= self.active_at else "CREATING"

    def is_gone(self, now: float) -> bool:
        """Whether it is deregistered for good."""
        return self.gone_at is not None and now >= self.gone_at

    def subscribe(
        self, shard: StoredShard, position: int, now: float, *, seconds: float, rate: float
    ) -> "Subscription":
        """Open a subscription to a shard; it takes over from one that is older than five seconds.

        Args:
            shard: The shard.
            position: The stream position from which it is sent.
            now: The time, in seconds since the epoch.
            seconds: How long it lasts.
            rate: Bytes a second of one consumer and shard.

        Raises:
            KinesisError: ResourceInUseException, LimitExceededException.
        """
        if (status := self.status(now)) != "ACTIVE":
            raise KinesisError("ResourceInUseException", f"Consumer {self.arn} is not ACTIVE, but {status}.")
        last, self._called[shard.shard_id] = self._called.get(shard.shard_id), now
        older = self._subscriptions.get(shard.shard_id)
        if older is not None and now - older.opened_at < RESUBSCRIBE_SECONDS:
            raise KinesisError(
                "ResourceInUseException",
                f"Another active subscription exists for this consumer: {self.arn} on {shard.shard_id}.",
            )
        if last is not None and now - last < _CALL_SECONDS:
            raise KinesisError(
                "LimitExceededException", f"SubscribeToShard is called once a second for {shard.shard_id}."
            )
        if older is not None:
            older.taken_over = True
        budget = self._budgets.setdefault(shard.shard_id, TokenBucket(rate, now))
        opened = self._subscriptions[shard.shard_id] = Subscription(
            self, shard, position, now, seconds, budget
        )
        return opened


@dataclass(frozen=True, slots=True)
class Event:
    """What a subscription sends at once.

    Attributes:
        records: The records, in order; none in a heartbeat.
        continues_at: The position after which the next subscription goes on; None at the end of the shard.
        behind: Seconds by which the next record is behind the tip.
    """

    records: list[StoredRecord]
    continues_at: int | None
    behind: float


class Subscription:
    """One subscription to a shard: pure, it is asked for what comes next.

    ::

        open ──event──> open ──the shard has ended──> one event without continuation ──> over
          ├── five minutes ──> over
          └── taken over, deregistered ──> an exception in the stream

    Args:
        consumer: Who has it.
        shard: What is sent.
        position: From which position.
        now: When it is opened, in seconds since the epoch.
        seconds: How long it lasts.
        budget: What is left of the consumer's bytes a second on the shard.

    Attributes:
        consumer: As given.
        shard: As given.
        opened_at: When it was opened.
        taken_over: Whether a later subscription has taken its place.
    """

    def __init__(
        self,
        consumer: Consumer,
        shard: StoredShard,
        position: int,
        now: float,
        seconds: float,
        budget: TokenBucket,
    ) -> None:
        self.consumer = consumer
        self.shard = shard
        self.opened_at = now
        self.taken_over = False
        self._position = position
        self._seconds = seconds
        self._budget = budget
        self._sent_at = now
        self._over = False

    def next(self, now: float) -> Event | float | None:
        """Return what is sent now; the time at which to ask again at the latest; or None once it is over.

        Records may arrive earlier than at that time.

        Raises:
            KinesisError: ResourceInUseException, ResourceNotFoundException: sent in the stream, which ends.
        """
        if self.taken_over:
            message = f"Another subscription of {self.consumer.arn} to {self.shard.shard_id} took over."
            raise KinesisError("ResourceInUseException", message)
        if self.consumer.gone_at is not None:
            raise KinesisError("ResourceNotFoundException", f"Consumer {self.consumer.arn} is deregistered.")
        if self._over or now >= self.opened_at + self._seconds:
            return None
        if self._budget.level(now) <= 0:
            return now + _CALL_SECONDS / 10
        self.shard.trim(self.consumer.stream.horizon(now))
        records = self.shard.read(self._position, _EVENT_RECORDS, _EVENT_BYTES)
        if records:
            self._budget.draw(sum(len(record.data) + len(record.partition_key) for record in records))
            self._position = records[-1].position + 1
        elif not self.shard.is_open:
            self._over = True
            return Event([], None, 0.0)
        elif now < self._sent_at + _HEARTBEAT_SECONDS:
            return min(self._sent_at + _HEARTBEAT_SECONDS, self.opened_at + self._seconds)
        self._sent_at = now
        waiting = self.shard.next_arrival(self._position)
        # A shard's first position is its own, so a reading that has seen no record goes on behind it.
        continues_at = max(self._position - 1, self.shard.opened_position)
        return Event(records, continues_at, 0.0 if waiting is None else max(now - waiting, 0.001))
