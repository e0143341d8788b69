"""What happened to a record: its attempts and its one outcome."""

from typing import Final

import msgspec

REMEMBERED_ATTEMPTS = 16
"""How many attempts a record remembers: through an outage of hours the list must not grow with it."""


class Attempt(msgspec.Struct, frozen=True):
    """One PutRecords call that carried the record.

    Attributes:
        started: When the call was made, in seconds of the producer's monotonic clock.
        ended: When its response was there, same clock.
        shard_id: Where the record landed; None if it was refused.
        error_code: The code of Kinesis or the connection; None if it was taken. ``WrongShard`` if it was
            taken inside an aggregate that consumers drop, because the shards had changed.
        error_message: Kinesis' explanation, if any.
    """

    started: float
    ended: float
    shard_id: str | None = None
    error_code: str | None = None
    error_message: str | None = None


class Acknowledged(msgspec.Struct, frozen=True):
    """Kinesis has taken a record.

    Attributes:
        shard_id: The shard it landed in.
        sequence_number: Its sequence number there, in decimal.
    """

    shard_id: str
    sequence_number: str


class Failure(msgspec.Struct, frozen=True):
    """A call, or one entry of it, did not succeed.

    Attributes:
        code: Kinesis' error code, or the name of the connection's error.
        message: The explanation that came with it.
        retryable: Whether the same call may succeed later.
    """

    code: str
    message: str
    retryable: bool

    def __str__(self) -> str:
        """The code, and the explanation if there is one."""
        return f"{self.code}: {self.message}" if self.message else self.code


class Landed(msgspec.Struct, frozen=True):
    """User records are in Kinesis, where every consumer will find them; one for all of a Kinesis record.

    Attributes:
        shard_id: The shard it landed in.
        sequence_number: Its sequence number there, in decimal.
        attempt: The attempt that succeeded.
    """

    shard_id: str
    sequence_number: str
    attempt: Attempt


class Rejected(msgspec.Struct, frozen=True):
    """The record was given up.

    Attributes:
        reason: Why, in words.
        unsent: True if it was still waiting when the producer was closed.
    """

    reason: str
    unsent: bool = False


class Completion:
    """The one outcome of all user records that are sent together.

    The outcome is written once for all of them. A completion does not know its records: they refer to it.

    Attributes:
        outcome: Their outcome; None while it is open.
    """

    __slots__ = ("outcome",)

    def __init__(self) -> None:
        self.outcome: Landed | Rejected | None = None


INCOMPLETE: Final = Completion()
"""The completion of a record that is not packed yet; it stays open."""


class Delivered(msgspec.Struct, frozen=True):
    """Where a user record ended up.

    Attributes:
        shard_id: The shard.
        sequence_number: The sequence number of the Kinesis record that carries it, in decimal.
        subsequence_number: Its index in the aggregate; 0 if it travelled alone.
        attempts: The most recent attempts, oldest first, the successful one last.
    """

    shard_id: str
    sequence_number: str
    subsequence_number: int
    attempts: tuple[Attempt, ...]
