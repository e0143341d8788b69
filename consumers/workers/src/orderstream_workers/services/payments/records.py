"""Where payments are kept: one item per order, with its state, its inbox and the replies already decided."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import msgspec

from orderstream.messages import Envelope, Reply, replying
from orderstream_consumer.idempotency import StateItems
from orderstream_consumer.idempotency.inbox import pack, unpack
from orderstream_consumer.store import Attribute, Store, TableSpec
from orderstream_workers.services.payments.domain import Payment, PaymentOutcome

SOURCE: Final = "payments"

PAYMENTS: Final = TableSpec("payments")
"""Key: order id. Attributes: state (a ``PaymentRecord`` as JSON) and inbox, as ``effects.Once`` has them."""


class PaymentRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A payment and what its replies need.

    Attributes:
        payment: The payment.
        capture: The command that the capture's reply follows from.
        refund: The command that the refund's reply follows from.
        packed_answers: The worker's replies, encoded; sent whenever a worker brings the order to rest.
        capture_decided_at: When the reply to the capture was decided (UTC): the time of every such reply.
        refund_decided_at: The same of the refund.
    """

    payment: Payment
    capture: Envelope | None = None
    refund: Envelope | None = None
    packed_answers: bytes = b""
    capture_decided_at: dt.datetime | None = None
    refund_decided_at: dt.datetime | None = None

    @property
    def replies(self) -> list[bytes]:
        """The worker's encoded replies, in the order in which they were decided."""
        return unpack(self.packed_answers) if self.packed_answers else []

    def decided(self, outcome: PaymentOutcome, now: dt.datetime) -> "PaymentRecord":
        """The record after a step. A decision keeps its time, however often its reply is given again.

        Args:
            outcome: What the step led to.
            now: The time (UTC).
        """
        return msgspec.structs.replace(
            self,
            payment=outcome.payment,
            capture_decided_at=self.capture_decided_at or (now if outcome.to_capture else None),
            refund_decided_at=self.refund_decided_at or (now if outcome.to_refund else None),
        )

    def replies_to(
        self, outcome: PaymentOutcome, *, capture: Envelope | None = None, refund: Envelope | None = None
    ) -> list[Envelope]:
        """The replies of a step, with the times of this record, which has received it.

        Args:
            outcome: What the step led to.
            capture: The command to capture that is replied to; by default the one that is kept.
            refund: The command to refund that is replied to; by default the one that is kept.
        """
        return [
            *reply(capture or self.capture, outcome.to_capture, self.capture_decided_at),
            *reply(refund or self.refund, outcome.to_refund, self.refund_decided_at),
        ]

    def keeping(self, envelopes: list[Envelope]) -> "PaymentRecord":
        """The record with more replies of the worker."""
        encoded = [*self.replies, *(envelope.encode() for envelope in envelopes)]
        return msgspec.structs.replace(self, packed_answers=pack(encoded) if encoded else b"")


@dataclass(frozen=True, slots=True)
class Stored:
    """A record as it is stored.

    Attributes:
        record: The record.
        version: The item's version.
        inbox: The inbox's entries, which the worker carries along untouched.
    """

    record: PaymentRecord
    version: int
    inbox: Mapping[str, Attribute]


class PaymentRecords:
    """Reads payments and advances them, each on condition that it is unchanged.

    Args:
        store: Where they are kept.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def load(self, order_id: str) -> Stored | None:
        """The payment of an order; None where it is not known.

        Raises:
            DependencyError: the store did not respond.
        """
        item = self._store.get(PAYMENTS.name, order_id)
        if item is None:
            return None
        return Stored(_ITEMS.state(item), item.version, _ITEMS.inbox(item).entries)

    def advance(self, stored: Stored, record: PaymentRecord) -> Stored:
        """Replace a record.

        Args:
            stored: The record as it was read.
            record: What it becomes.

        Raises:
            ConditionFailedError: another worker was faster; load it again.
            DependencyError: the store did not respond; it may have been written.
        """
        put = _ITEMS.put(record.payment.order_id, record, inbox=stored.inbox, version=stored.version)
        self._store.transact([put])
        return Stored(record, stored.version + 1, stored.inbox)


_ITEMS: Final = StateItems(PAYMENTS.name, PaymentRecord)


def reply(command: Envelope | None, message: Reply | None, decided_at: dt.datetime | None) -> list[Envelope]:
    """A reply as envelopes: one, or none where there is no reply.

    Args:
        command: The command.
        message: Its reply, if it is known.
        decided_at: When it was decided (UTC); there where there is a reply.
    """
    if command is None or message is None or decided_at is None:
        return []
    return [replying(command, message, source=SOURCE, time=decided_at)]
