"""A message as a service receives it: the envelope, and where in the stream it stood."""

import hashlib
from dataclasses import dataclass

from orderstream.events import Envelope
from orderstream_workers.engine.record import Position


@dataclass(frozen=True, slots=True)
class Received:
    """One delivery of one message.

    Attributes:
        envelope: The message.
        shard_id: The shard that it was read from.
        position: Its place in that shard.
    """

    envelope: Envelope
    shard_id: str
    position: Position

    @property
    def order_id(self) -> str:
        """The order that it is about."""
        return self.envelope.subject

    @property
    def place(self) -> str:
        """Its place in the stream, as the inbox writes it down."""
        return f"{self.shard_id}/{self.position.sequence_number}/{self.position.subsequence_number}"

    @property
    def digest(self) -> str:
        """SHA-256 over type and data. Trace headers may differ between two sendings of one message."""
        content = self.envelope.type.encode() + b"\0" + bytes(self.envelope.data)
        return hashlib.sha256(content).hexdigest()
