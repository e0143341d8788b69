"""The inputs of the producer's core, and the commands that it returns."""

from collections.abc import Sequence

import msgspec

from orderstream.kinesis.shard import Shard
from orderstream.producer.core.kinesis_record import KinesisRecord
from orderstream.producer.core.pending import PendingRecord
from orderstream.producer.core.troubles import TroubleReport
from orderstream.producer.outcome import Acknowledged, Completion, Failure, Landed, Rejected


class Put(msgspec.Struct, frozen=True):
    """Records were put, in this order."""

    records: Sequence[PendingRecord]


class MapLoaded(msgspec.Struct, frozen=True):
    """ListShards returned all its pages."""

    shards: Sequence[Shard]


class MapFailed(msgspec.Struct, frozen=True):
    """ListShards failed."""

    failure: Failure


class RequestCompleted(msgspec.Struct, frozen=True):
    """PutRecords returned: one result per entry, in the order of the entries."""

    request_id: int
    results: Sequence[Acknowledged | Failure]


class RequestFailed(msgspec.Struct, frozen=True):
    """PutRecords failed as a whole, or its response was lost."""

    request_id: int
    failure: Failure


class Reported(msgspec.Struct, frozen=True):
    """The failures of given-up records are visible to the application; these records were put before that.

    It follows upon GiveUp; nothing else comes in between.
    """

    records: Sequence[PendingRecord]


class Tick(msgspec.Struct, frozen=True):
    """Nothing but time has passed."""


class Flush(msgspec.Struct, frozen=True):
    """Send everything put so far without lingering."""


class Close(msgspec.Struct, frozen=True):
    """Give up every outstanding record."""


Input = Put | Reported | MapLoaded | MapFailed | RequestCompleted | RequestFailed | Tick | Flush | Close


class SendPutRecords(msgspec.Struct, frozen=True):
    """Make this call and respond with RequestCompleted or RequestFailed."""

    request_id: int
    entries: Sequence[KinesisRecord]


class ListShards(msgspec.Struct, frozen=True):
    """Read the shard map and respond with MapLoaded or MapFailed."""


class Complete(msgspec.Struct, frozen=True):
    """Report the one outcome of these records; their index is the sub-sequence number.

    Attributes:
        records: All records that share the completion.
        completion: Receives their outcome.
        size: What they take from the buffer, in bytes.
        outcome: Their outcome.
    """

    records: Sequence[PendingRecord]
    completion: Completion
    size: int
    outcome: Landed | Rejected


class GiveUp(msgspec.Struct, frozen=True):
    """Make all these outcomes visible at one moment, and respond with Reported."""

    completions: Sequence[Complete]


class WakeAt(msgspec.Struct, frozen=True):
    """Send a Tick at this time unless another input comes first; replaces any earlier wish."""

    at: float


Command = SendPutRecords | ListShards | Complete | GiveUp | TroubleReport | WakeAt
