"""How many user records share a Kinesis record when producers aggregate as ``orderstream.producer`` does.

A producer has one aggregate under way to each shard. What arrives meanwhile waits for the response, and then
for the linger of the first record that waits, and leaves together:

    producer   a1 sent ----- latency ----- response | a2 a3 a4 sent together
    user records       a2    a3              a4

So a producer sends at most one Kinesis record to a shard in each ``max(latency, linger)``, and never more
than it has user records. Many producers that each have little for a shard therefore aggregate hardly
anything: the number of producers, and not the rate alone, decides. An aggregate of the target size leaves
without lingering.
"""

from typing import Final

import msgspec
import numpy as np

from orderstream.producer.config import ProducerConfig
from shard_sizing.model.workload.peaks import Floats

LATENCY: Final = 0.015
"""Seconds of a PutRecords call within a Region, as producers usually measure it."""

FRAME_BYTES: Final = 25
"""Of an aggregate: magic number, digest, its partition key, and varints."""

RECORD_FRAME_BYTES: Final = 9
"""Of a user record in an aggregate, at most: tags, lengths and its index in the key table."""

_DEFAULTS: Final = ProducerConfig()


class Aggregation(msgspec.Struct, frozen=True):
    """Who aggregates, and how long.

    Attributes:
        producers: Producers that send to the stream side by side, each with a part of every shard's records.
        linger: Seconds that a record waits for company at least; default as the SDK's, 0.
        latency: Seconds that a PutRecords call takes.
        target_bytes: Size at which an aggregate leaves at once; default as the SDK's, 50 KiB.
    """

    producers: float
    linger: float = _DEFAULTS.linger
    latency: float = LATENCY
    target_bytes: float = _DEFAULTS.aggregate_target_bytes

    def kinesis_records(self, user_records: Floats, record_bytes: float) -> Floats:
        """Return the Kinesis records a second on a shard whose user records arrive at random.

        Args:
            user_records: User records a second on the shard.
            record_bytes: Mean bytes of one, its key included.
        """
        each = np.maximum(user_records / self.producers, 1e-12)
        pause = self._pause(each, record_bytes)
        waits = np.maximum(0.0, self.latency - np.minimum(self.linger, pause))
        sent: Floats = self.producers / (pause + np.exp(-each * waits) / each)
        return np.minimum(sent, user_records)

    def most_kinesis_records(self, user_records: Floats, record_bytes: float) -> Floats:
        """Return the most Kinesis records a second: those of producers whose records come evenly paced.

        Arguments as of ``kinesis_records``. Bursts only bring more records together.
        """
        each = np.maximum(user_records / self.producers, 1e-12)
        pause = np.maximum(self._pause(each, record_bytes), 1e-12)
        most: Floats = np.minimum(user_records, self.producers / pause)
        return most

    def _pause(self, each: Floats, record_bytes: float) -> Floats:
        """Return the seconds between two aggregates of a producer that always has records."""
        fills = self.target_bytes / (each * (record_bytes + RECORD_FRAME_BYTES))
        pause: Floats = np.maximum(self.latency, np.minimum(self.linger, fills))
        return pause


def measured_pace(per_shard: float) -> Aggregation:
    """Return what was measured: at most so many Kinesis records a second on each shard."""
    return Aggregation(producers=per_shard, latency=1.0)


def aggregated_bytes(user_records: Floats, kinesis_records: Floats, record_bytes: float) -> Floats:
    """Return the bytes a second of user records that travel in so many Kinesis records.

    A record without company travels as it is.
    """
    shared = np.clip((user_records / np.maximum(kinesis_records, 1e-12) - 1.0), 0.0, 1.0)
    frames = kinesis_records * FRAME_BYTES + user_records * RECORD_FRAME_BYTES
    whole: Floats = user_records * record_bytes + shared * frames
    return whole
