"""How long each store keeps what is in it, and why: no shorter than a replay or an open order needs.

A consumer may be down for as long as the stream keeps records, and then reads all of them again. Until
it has, nothing may be gone that distinguishes a message which was handled from a new one.
"""

from dataclasses import dataclass
from typing import Final

from orderstream_consumer.delivery import PARKING
from orderstream_consumer.store.protocol import TableSpec
from orderstream_workers.runtime.topology.specs import (
    BucketSpec,
    DatabaseSpec,
    HttpServiceSpec,
    QueueSpec,
    Resource,
    SenderSpec,
    StreamSpec,
    TopicSpec,
)


@dataclass(frozen=True, slots=True)
class Lifetime:
    """How long something is kept.

    Attributes:
        days: Days, at least 1; None keeps it until it is deleted.
        because: Why not shorter, and why not longer.
        colder_after: Days after which it moves to storage that costs less and is read at once all the same;
            None leaves it where it is.
    """

    days: float | None
    because: str
    colder_after: int | None = None


LOGS: Final = Lifetime(
    90, "a dispute about a payment comes within weeks, and an order's conversation is looked up in them"
)
"""Of what the processes log."""

BACKUPS: Final = Lifetime(
    35, "the longest that AWS offers, for tables and databases alike: a defect may write wrongly for weeks"
)
"""Of what a table or a database is restored from."""

ARCHIVER_AWAY_DAYS: Final = 7.0
"""Days that the archiver may be away or behind, at most: what it has not archived by then is nowhere."""

_STATE: Final = Lifetime(
    None,
    "it distinguishes a message that was handled from a new one: an order whose payment is forgotten could "
    "be charged again if its records are put into a stream once more",
)
_PARKED: Final = Lifetime(
    None, "a record waits for a person, however long; only the item of a freed key expires, a month later"
)
_ARCHIVE: Final = Lifetime(
    3_653, "as long as books are kept: of what is older than the streams it is the only copy", colder_after=90
)
_READ_MODEL: Final = Lifetime(
    None, "customers look their old orders up, and only what the stream still has can be built again"
)


def lifetime_of(resource: Resource) -> Lifetime | None:
    """How long something keeps what is in it; None if it keeps nothing.

    Args:
        resource: As it is declared.
    """
    match resource:
        case StreamSpec():
            days = resource.retention_hours / 24
            return Lifetime(days, "a consumer may be down for as long, and the archive has it afterwards")
        case QueueSpec():
            days = resource.retention_seconds / 86_400
            return Lifetime(days, "the longest that SQS offers: a person has to look at dead letters before")
        case TableSpec():
            return _PARKED if resource == PARKING else _STATE
        case BucketSpec():
            return _ARCHIVE
        case DatabaseSpec():
            return _READ_MODEL
        case TopicSpec() | SenderSpec() | HttpServiceSpec():
            return None


LONGEST_OPEN_DAYS: Final = 14.0
"""Days that an order may wait for a person, at most: then its message is gone from the queue of payments."""


def needed_days(replay_days: float) -> float:
    """Days that whatever guards an order is kept at least.

    Args:
        replay_days: How far back a consumer may begin again: the retention of the stream.
    """
    return replay_days + LONGEST_OPEN_DAYS
