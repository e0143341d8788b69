"""The stream's shards at a moment."""

import datetime as dt
from dataclasses import dataclass

from orderstream.kinesis.shard import Shard


@dataclass(frozen=True, slots=True)
class Listing:
    """What ListShards gave.

    Attributes:
        shards: All shards within retention, closed ones included.
        at: A moment by Kinesis' clock at or shortly before that of the listing, or of the look that it is
            compared with (UTC).
    """

    shards: tuple[Shard, ...]
    at: dt.datetime
