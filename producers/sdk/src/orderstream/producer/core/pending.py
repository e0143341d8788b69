"""The user records that the producer's core holds."""

from typing import Final

import msgspec

from orderstream.aggregation.user_record import UserRecord, hash_key_of
from orderstream.producer.outcome import INCOMPLETE, REMEMBERED_ATTEMPTS, Attempt, Completion


class Arrival(msgspec.Struct, frozen=True, gc=False):
    """Records that the core took at once, in put order; one for all of them.

    Attributes:
        number: Its number among the arrivals, from 1 on.
        put_at: When it was, in seconds.
    """

    number: int
    put_at: float


NOT_YET: Final = Arrival(0, 0.0)
"""That of a record which the core has not taken."""


# A Struct is made in a fifth of the time of a class with slots. The collector need not look at millions of
# them: until the outcome is there the core holds them, afterwards they lead nowhere.
class PendingRecord(msgspec.Struct, gc=False, eq=False):
    """A user record between ``put`` and its outcome.

    Attributes:
        partition_key: As it was put.
        data: As it was put.
        explicit_hash_key: As it was put.
        size: Payload and UTF-8 partition key, in bytes: what it takes from the buffer.
        origin: Which producer took it; the core carries it and never looks.
        arrival: With which others the core took it, and when.
        attempts: The most recent attempts that failed, oldest first.
        failures: How many attempts failed.
        completion: Holds its outcome, shared with the records that it is sent with.
        index: Its index among them; without meaning once the record was given up.
    """

    partition_key: str
    data: bytes
    explicit_hash_key: int | None
    size: int
    origin: object = None
    arrival: Arrival = NOT_YET
    attempts: tuple[Attempt, ...] = ()
    failures: int = 0
    completion: Completion = INCOMPLETE
    index: int = 0

    def __repr__(self) -> str:
        """Leave the payload out: it may be personal."""
        return f"<{type(self).__name__}, {self.size} bytes>"

    @property
    def record(self) -> UserRecord:
        """What the application put."""
        return UserRecord(self.partition_key, self.data, self.explicit_hash_key)

    @property
    def hash_key(self) -> int:
        """Where it belongs, 0 to 2**128 - 1."""
        explicit = self.explicit_hash_key
        return hash_key_of(self.partition_key) if explicit is None else explicit

    def failed(self, attempt: Attempt) -> None:
        """Remember an attempt that failed."""
        self.attempts = (*self.attempts[1 - REMEMBERED_ATTEMPTS :], attempt)
        self.failures += 1
