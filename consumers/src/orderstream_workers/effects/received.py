"""A message as a service receives it: the envelope, and where in the stream it stood."""

import datetime as dt
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
        arrival: When Kinesis took the record (UTC): the one time on which all hosts agree.
    """

    envelope: Envelope
    shard_id: str
    position: Position
    arrival: dt.datetime

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
