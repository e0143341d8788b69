"""Deliveries of envelopes to handlers, without a stream."""

import datetime as dt

from orderstream.messages import Envelope
from orderstream_consumer.idempotency.received import Received
from orderstream_consumer.processing.record import Position


def delivered(
    envelope: Envelope,
    sequence: int = 1,
    shard: str = "shardId-000000000000",
    arrival: dt.datetime | None = None,
) -> Received:
    """An envelope as it is read at a position in a shard; without an arrival it arrived at its own time."""
    return Received(envelope, shard, Position(sequence), arrival or envelope.time)
