"""Where payments are kept: one item per order, with its state, its inbox and the answers already decided."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import msgspec

from orderstream.events import Envelope, following
from orderstream.events.message import Message
from orderstream_workers.effects import INBOX
from orderstream_workers.effects.inbox import pack, unpack
from orderstream_workers.services.payments.domain import Outcome, Payment
from orderstream_workers.store import Attribute, Put, Store, TableSpec

SOURCE: Final = "payments"

PAYMENTS: Final = TableSpec("payments")
"""Key: order id. Attributes: state (a ``PaymentRecord`` as JSON) and inbox, as ``effects.Once`` has them."""


class PaymentRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A payment and what its answers need.

    Attributes:
        payment: The payment.
        capture: The command that the capture's answer follows from.
        refund: The command that the refund's answer follows from.
        packed_answers: The worker's answers, encoded; sent whenever a worker brings the order to rest.
    """

    payment: Payment
    capture: Envelope | None = None
    refund: Envelope | None = None
    packed_answers: bytes = b""

    @property
    def answers(self) -> list[bytes]:
        """The worker's encoded answers, in the order in which they were decided."""
        return unpack(self.packed_answers) if self.packed_answers else []

    def with_answers(self, outcome: Outcome, envelopes: list[Envelope]) -> "PaymentRecord":
        """The record after a step of the worker.

        Args:
            outcome: What the step led to.
            envelopes: Its answers.
        """
        encoded = [*self.answers, *(envelope.encode() for envelope in envelopes)]
        return msgspec.structs.replace(
            self, payment=outcome.payment, packed_answers=pack(encoded) if encoded else b""
        )


@dataclass(frozen=True, slots=True)
class Stored:
    """A record as it stands in the store.

    Attributes:
        record: The record.
        version: The item's version.
        inbox: The inbox's entries, which the worker carries along untouched.
    """

    record: PaymentRecord
    version: int
    inbox: Mapping[str, Attribute]


class PaymentRecords:
    """Reads payments and advances them, each on condition that nobody else has.

    Args:
        store: Where they are kept.
    """

    def __init__(self, store: Store) -> None:
        self._store = store

    def load(self, order_id: str) -> Stored | None:
        """The payment of an order; None where it is not known.

        Raises:
            DependencyError: the store did not answer.
        """
        item = self._store.get(PAYMENTS.name, order_id)
        if item is None:
            return None
        state, inbox = item.attributes["state"], item.attributes[INBOX]
        assert isinstance(state, bytes)
        assert isinstance(inbox, dict)
        return Stored(_DECODER.decode(state), item.version, inbox)

    def advance(self, stored: Stored, record: PaymentRecord) -> Stored:
        """Replace a record.

        Args:
            stored: The record as it was read.
            record: What it becomes.

        Raises:
            ConditionFailedError: somebody else was faster; load it again.
            DependencyError: the store did not answer; it may have been written.
        """
        attributes: dict[str, Attribute] = {"state": msgspec.json.encode(record), INBOX: dict(stored.inbox)}
        self._store.transact([Put(PAYMENTS.name, record.payment.order_id, attributes, stored.version)])
        return Stored(record, stored.version + 1, stored.inbox)


_DECODER: Final = msgspec.json.Decoder(PaymentRecord)


def answer(cause: Envelope | None, message: Message | None, now: dt.datetime) -> list[Envelope]:
    """An answer as envelopes: one, or none where nothing is answered.

    A command has one answer for ever, so its ordinal is always 0: two different ones could never both pass.

    Args:
        cause: The command.
        message: Its answer, if it is known.
        now: When it was decided (UTC).
    """
    if cause is None or message is None:
        return []
    return [following(cause, message, source=SOURCE, ordinal=0, time=now)]
