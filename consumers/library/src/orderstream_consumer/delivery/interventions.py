"""What people did to parked records: who, when, to which, and why. Kept where every operator can read it.

Layout of the table ``interventions`` (sorted)::

    key            sort                       attributes
    APPLICATION    TIME/DIGEST OF THE KEY     partition_key, action, operator, reason, and what was parked

A discard is written down in the transaction that discards, so that nothing goes without a name beside it; a
redrive before its first record, since its effects are in the stream.
"""

import datetime as dt
import hashlib
from dataclasses import asdict, dataclass
from typing import Final, Literal

from orderstream_consumer.store import Item, Put, Store, TableSpec

INTERVENTIONS: Final = TableSpec("interventions", sorted=True)

_MANY: Final = 1_000_000
"""More than there will ever be: no limit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Intervention:
    """What an operator did to one key.

    Attributes:
        application: Whose records they are.
        partition_key: The key.
        action: What was done.
        operator: Who did it; at least one character.
        reason: Why, in the operator's words; may be empty.
        at: When (UTC, with zone).
        records: How many records it was about, at least 0.
        first_position: Position of the first of them in the stream; empty where it came from no stream.
        parked_for: Why the first of them was parked.
    """

    application: str
    partition_key: str
    action: Literal["redrive", "discard"]
    operator: str
    reason: str
    at: dt.datetime
    records: int
    first_position: str
    parked_for: str

    def __post_init__(self) -> None:
        """Check that it names an operator and a reason."""
        if not self.operator.strip():
            raise ValueError("operator must not be empty")

    def write(self) -> Put:
        """The write that keeps it."""
        # A sort key holds 1,024 bytes, and a partition key alone may have that many.
        digest = hashlib.sha256(
            f"{self.action}\0{self.first_position}\0{self.partition_key}".encode()
        ).hexdigest()[:16]
        attributes = {**asdict(self), "at": self.at.isoformat()}
        del attributes["application"]
        return Put(
            INTERVENTIONS.name,
            self.application,
            attributes,
            expected_version=None,
            sort=f"{self.at.astimezone(dt.UTC).isoformat(timespec='microseconds')}/{digest}",
        )


def interventions(store: Store, application: str) -> list[Intervention]:
    """What was done to an application's parked records, the oldest first.

    Args:
        store: Where they are kept.
        application: The application.

    Raises:
        DependencyError: the store did not respond.
    """
    return [_read(item) for item in store.query(INTERVENTIONS.name, application, limit=_MANY)]


def _read(item: Item) -> Intervention:
    kept = item.attributes
    return Intervention(
        application=item.key,
        partition_key=str(kept["partition_key"]),
        action="discard" if kept["action"] == "discard" else "redrive",
        operator=str(kept["operator"]),
        reason=str(kept["reason"]),
        at=dt.datetime.fromisoformat(str(kept["at"])),
        records=item.value("records", int),
        first_position=str(kept["first_position"]),
        parked_for=str(kept["parked_for"]),
    )
