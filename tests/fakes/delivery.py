"""Deliveries of envelopes to handlers, without a stream."""

from orderstream.events import Envelope
from orderstream_workers.effects.received import Received
from orderstream_workers.engine.record import Position


def delivered(envelope: Envelope, sequence: int = 1, shard: str = "shardId-000000000000") -> Received:
    """An envelope as it is read at a place in a shard."""
    return Received(envelope, shard, Position(sequence))
