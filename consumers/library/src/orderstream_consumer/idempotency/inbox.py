"""The inbox of one order: what was applied, from where, and what it led to.

```
 arrives ──> not in the inbox ─────────────────────────> FRESH: decide, commit, publish
         └─> in it, from this very position ───────────> REDELIVERED: publish the stored outputs again
         └─> in it, from another position ─────────────> DUPLICATE: drop, so that duplicates do not cascade
         └─> in it with another digest ────────────────> FORGED: drop, and raise the alarm
```

An order that waits for months is asked about again and again, and its item must not grow with that. So only
the last ``CAPACITY`` entries are kept. A message whose entry is gone is FRESH again: in a replay from
TRIM_HORIZON, or in the hands of a worker that was frozen meanwhile. Therefore each guard replies from its own
state, never from the inbox alone: the state keeps the reply to a command and when that was decided, so
that a second decision gives the first one's bytes under the first one's id, or nothing at all.
"""

import zlib
from collections.abc import Mapping, Sequence
from enum import Enum
from typing import Final

import msgspec

from orderstream_consumer.idempotency.received import Received
from orderstream_consumer.store import Attribute, ItemUnreadableError

INBOX: Final = "inbox"
"""The attribute of an order's item that holds its inbox."""


CAPACITY: Final = 64
"""Entries of one order that are kept: several times what an order needs that goes well."""


ARRIVAL: Final = "orderstream.arrival"
"""The attribute of a span that says which ``Arrival`` it was."""


class Arrival(Enum):
    """What a delivery is to an order's inbox."""

    FRESH = "fresh"
    REDELIVERED = "redelivered"
    DUPLICATE = "duplicate"
    FORGED = "forged"


class _Entry(msgspec.Struct, frozen=True):
    """What is kept of a message that was applied.

    Attributes:
        record_id: Its position in the stream.
        digest: Of its type and data.
        outputs: The messages that it led to, packed.
        number: When it was added: a redriven message is further up in the stream than those applied
            before it.
    """

    record_id: str
    digest: str
    outputs: bytes
    number: int


class Inbox:
    """What was applied to one order.

    Args:
        entries: By event id: record id, digest and packed outputs.
        capacity: Entries that are kept, at least 1; ``CAPACITY`` by default.
    """

    def __init__(self, entries: Mapping[str, Attribute] | None = None, capacity: int = CAPACITY) -> None:
        self._entries = dict(entries or {})
        self._capacity = capacity

    @property
    def entries(self) -> Mapping[str, Attribute]:
        """What is stored of it, by event id."""
        return self._entries

    def classify(self, received: Received) -> Arrival:
        """Say what a delivery is."""
        if received.envelope.id not in self._entries:
            return Arrival.FRESH
        entry = self._entry(received.envelope.id)
        if entry.digest != received.digest:
            return Arrival.FORGED
        return Arrival.REDELIVERED if entry.record_id == received.record_id else Arrival.DUPLICATE

    def outputs(self, event_id: str) -> list[bytes]:
        """The encoded messages that an applied event led to, byte for byte."""
        return unpack(self._entry(event_id).outputs)

    def with_entry(self, received: Received, outputs: Sequence[bytes]) -> dict[str, Attribute]:
        """The entries once a delivery has been applied, the oldest left out beyond the capacity.

        Args:
            received: What was applied.
            outputs: The encoded messages that it led to.
        """
        numbers = {event_id: self._entry(event_id).number for event_id in self._entries}
        numbers[received.envelope.id] = number = max(numbers.values(), default=0) + 1
        entry: dict[str, Attribute] = {
            "record_id": received.record_id,
            "digest": received.digest,
            "outputs": pack(outputs),
            "number": number,
        }
        entries = {**self._entries, received.envelope.id: entry}
        kept = sorted(entries, key=numbers.__getitem__)[-self._capacity :]
        return {event_id: entries[event_id] for event_id in kept}

    def _entry(self, event_id: str) -> _Entry:
        try:
            return msgspec.convert(self._entries[event_id], _Entry, builtin_types=(bytes,))
        except msgspec.ValidationError as error:
            raise ItemUnreadableError(f"the inbox's entry of event {event_id}", str(error)) from error


def pack(outputs: Sequence[bytes]) -> bytes:
    """Encoded messages in few bytes: an order of 675 lines has to fit an item of 400 KB several times."""
    return zlib.compress(msgspec.msgpack.encode(list(outputs)))


def unpack(packed: bytes) -> list[bytes]:
    """The messages that ``pack`` has packed."""
    return msgspec.msgpack.decode(zlib.decompress(packed), type=list[bytes])
