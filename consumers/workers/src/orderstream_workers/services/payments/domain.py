"""One order's payment: charged at most once, given back at most once, and never again after that.

::

    (none) ──CapturePayment──> QUEUED ──intent──> CAPTURING ──charged──> CAPTURED
      │                        │    │              │     │                  │
      │                  Refund│    │too late      │     │charged, and a    │RefundPayment
      │                        │    │              │     │refund was asked  │
      │RefundPayment           │    v              │     v                  v
      └──────> VOIDED <────────┘  DECLINED <───────┘  REFUNDING <───────────┘
                                          declined       │given back
                                                         v
                                                      REFUNDED

DECLINED, VOIDED and REFUNDED are final. A refund that finds nothing leaves VOIDED behind forever, so that a
capture which it overtook is declined. A refund during CAPTURING is only noted: whether there is anything to
give back is known once the capture has resolved.

The reply to a command follows from the payment for good: a payment with a charge was captured, whatever
was given back since. So a command that arrives again after years, at a worker that has forgotten it, gets
the reply that it had: a customer who was charged is never said to have been declined.

Where the provider never answers, a person may give the money back and say so. REFUNDING is REFUNDED by that
at once, and CAPTURED as soon as the refund is asked for; CAPTURING still waits for its response, since it is
unknown whether there is a charge, and is REFUNDED then.

CAPTURING and REFUNDING are intents. They are written before the provider is asked, and from then on only the
provider's response moves the payment: what was asked may have happened, so it is asked again under the same
idempotency key, however late it is. Everything here is a pure function; repeating it gives the same result.
"""

import datetime as dt
from dataclasses import dataclass
from enum import Enum
from typing import Final

import msgspec

from orderstream_orders.contracts import (
    CapturePayment,
    PaymentCaptured,
    PaymentDeclined,
    PaymentRefunded,
    RefundPayment,
)

BY_HAND: Final = "by-hand"
"""Id of a refund that a person has made past us."""


class Phase(Enum):
    """The phase of a payment."""

    QUEUED = "queued"
    CAPTURING = "capturing"
    CAPTURED = "captured"
    DECLINED = "declined"
    VOIDED = "voided"
    REFUNDING = "refunding"
    REFUNDED = "refunded"


OPEN: Final = frozenset({Phase.QUEUED, Phase.CAPTURING, Phase.REFUNDING})
"""The phases in which a payment worker has something to do."""

FINAL: Final = frozenset({Phase.DECLINED, Phase.VOIDED, Phase.REFUNDED})
"""The phases that nothing leaves."""


class Payment(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is known of one order's payment.

    Attributes:
        order_id: The order.
        phase: Its phase.
        amount_minor: What is to be charged, in minor units; 0 where no capture has been asked for.
        currency: ISO 4217 code; None where no capture has been asked for.
        not_after: The first call to the provider is not made after this time (UTC).
        refund_requested: True if a refund waits for the capture to resolve.
        refunded_by_hand: True if a person has given the money back, so that the provider is not asked to.
        charge_id: The provider's id of the charge.
        refund_id: The provider's id of the refund.
        reason: Why it was declined.
    """

    order_id: str
    phase: Phase
    amount_minor: int = 0
    currency: str | None = None
    not_after: dt.datetime | None = None
    refund_requested: bool = False
    refunded_by_hand: bool = False
    charge_id: str | None = None
    refund_id: str | None = None
    reason: str | None = None

    @property
    def open(self) -> bool:
        """True if a payment worker has something to do."""
        return self.phase in OPEN


@dataclass(frozen=True, slots=True)
class PaymentOutcome:
    """What a step leads to.

    Attributes:
        payment: The payment afterwards.
        to_capture: The reply to the command to capture, if it is known now.
        to_refund: The reply to the command to refund, if it is known now.
    """

    payment: Payment
    to_capture: PaymentCaptured | PaymentDeclined | None = None
    to_refund: PaymentRefunded | None = None


@dataclass(frozen=True, slots=True)
class Charge:
    """Ask the provider to charge.

    Attributes:
        order_id: The order.
        amount_minor: Minor units.
        currency: ISO 4217 code.
        key: The idempotency key: one per order and step, for every worker and every attempt.
    """

    order_id: str
    amount_minor: int
    currency: str
    key: str


@dataclass(frozen=True, slots=True)
class Refund:
    """Ask the provider to give a charge back.

    Attributes:
        order_id: The order.
        charge_id: The provider's id of the charge.
        amount_minor: Minor units.
        currency: ISO 4217 code.
        key: The idempotency key.
    """

    order_id: str
    charge_id: str
    amount_minor: int
    currency: str
    key: str


def capture(
    payment: Payment | None, command: CapturePayment, held_back: dt.timedelta = dt.timedelta(0)
) -> PaymentOutcome:
    """Apply a command to capture. A repeated one gets the reply that it had, if there was one.

    Args:
        payment: What is known of the order's payment; None where nothing is.
        command: The command.
        held_back: How long after its decision it reached the stream, at least 0: its publisher was down,
            which uses up none of the time that the payment has.
    """
    if payment is None:
        queued = Payment(
            order_id=command.order_id,
            phase=Phase.QUEUED,
            amount_minor=command.amount_minor,
            currency=command.currency,
            not_after=command.not_after + held_back,
        )
        return PaymentOutcome(queued)
    match payment.phase:
        case Phase.QUEUED | Phase.CAPTURING:
            return PaymentOutcome(payment)
        case Phase.CAPTURED | Phase.REFUNDING | Phase.REFUNDED:
            return PaymentOutcome(payment, to_capture=_captured(payment))
        case Phase.DECLINED:
            return PaymentOutcome(payment, to_capture=_declined(payment, payment.reason or "card_declined"))
        case Phase.VOIDED:
            return PaymentOutcome(payment, to_capture=_declined(payment, "refunded"))


def refund(payment: Payment | None, command: RefundPayment) -> PaymentOutcome:
    """Apply a command to refund. From now on the order's charges end at zero."""
    if payment is None:
        voided = Payment(order_id=command.order_id, phase=Phase.VOIDED)
        return PaymentOutcome(voided, to_refund=_refunded(voided))
    match payment.phase:
        case Phase.QUEUED:
            voided = msgspec.structs.replace(payment, phase=Phase.VOIDED)
            return PaymentOutcome(
                voided, to_capture=_declined(voided, "refunded"), to_refund=_refunded(voided)
            )
        case Phase.CAPTURING:
            return PaymentOutcome(msgspec.structs.replace(payment, refund_requested=True))
        case Phase.CAPTURED if payment.refunded_by_hand:
            returned = msgspec.structs.replace(
                payment, phase=Phase.REFUNDED, refund_requested=True, refund_id=BY_HAND
            )
            return PaymentOutcome(returned, to_refund=_refunded(returned))
        case Phase.CAPTURED:
            return PaymentOutcome(
                msgspec.structs.replace(payment, phase=Phase.REFUNDING, refund_requested=True)
            )
        case Phase.REFUNDING:
            return PaymentOutcome(payment)
        case Phase.DECLINED | Phase.VOIDED | Phase.REFUNDED:
            return PaymentOutcome(payment, to_refund=_refunded(payment))


def refund_by_hand(payment: Payment) -> PaymentOutcome:
    """Apply an operator's decision that the money is returned; it changes nothing where there is none.

    The command to refund may not have arrived yet: then it finds that nothing is left to do.
    """
    if payment.phase is Phase.REFUNDING:
        changed = msgspec.structs.replace(
            payment, phase=Phase.REFUNDED, refunded_by_hand=True, refund_id=BY_HAND
        )
        return PaymentOutcome(changed, to_refund=_refunded(changed))
    if payment.phase in {Phase.CAPTURING, Phase.CAPTURED}:
        return PaymentOutcome(msgspec.structs.replace(payment, refunded_by_hand=True))
    return PaymentOutcome(payment)


def begin(payment: Payment, now: dt.datetime, doubt: dt.timedelta = dt.timedelta(0)) -> PaymentOutcome:
    """Decide whether a queued payment is still to be charged; anything else stays as it is.

    It is expired only where that is beyond doubt: a charge that comes a moment late is given back if need be,
    and an order that is declined too early is lost.

    Args:
        payment: The payment.
        now: The time just before the provider would be asked (UTC).
        doubt: How far the clock may be wrong, at least 0.
    """
    if payment.phase is not Phase.QUEUED:
        return PaymentOutcome(payment)
    if payment.not_after is not None and now - doubt > payment.not_after:
        return declined(msgspec.structs.replace(payment, phase=Phase.CAPTURING), "expired")
    return PaymentOutcome(msgspec.structs.replace(payment, phase=Phase.CAPTURING))


def call_of(payment: Payment) -> Charge | Refund | None:
    """What the provider is to be asked, now that the intent is written; None if nothing."""
    if payment.phase is Phase.CAPTURING:
        assert payment.currency is not None
        key = f"{payment.order_id}:capture"
        return Charge(payment.order_id, payment.amount_minor, payment.currency, key)
    if payment.phase is Phase.REFUNDING:
        assert payment.currency is not None
        assert payment.charge_id is not None
        key = f"{payment.order_id}:refund"
        return Refund(payment.order_id, payment.charge_id, payment.amount_minor, payment.currency, key)
    return None


def charged(payment: Payment, charge_id: str) -> PaymentOutcome:
    """Apply the provider's charge; a response that came twice changes nothing."""
    if payment.phase is not Phase.CAPTURING:
        return PaymentOutcome(payment)
    if payment.refunded_by_hand:
        settled = msgspec.structs.replace(
            payment, phase=Phase.REFUNDED, charge_id=charge_id, refund_id=BY_HAND
        )
        return PaymentOutcome(settled, to_capture=_captured(settled), to_refund=_refunded(settled))
    phase = Phase.REFUNDING if payment.refund_requested else Phase.CAPTURED
    changed = msgspec.structs.replace(payment, phase=phase, charge_id=charge_id)
    return PaymentOutcome(changed, to_capture=_captured(changed))


def declined(payment: Payment, reason: str) -> PaymentOutcome:
    """Apply the provider's refusal to charge; a refund that waited has nothing to return."""
    if payment.phase is not Phase.CAPTURING:
        return PaymentOutcome(payment)
    changed = msgspec.structs.replace(payment, phase=Phase.DECLINED, reason=reason)
    to_refund = _refunded(changed) if payment.refund_requested else None
    return PaymentOutcome(changed, to_capture=_declined(changed, reason), to_refund=to_refund)


def refunded(payment: Payment, refund_id: str) -> PaymentOutcome:
    """Apply the provider's refund; a response that came twice changes nothing."""
    if payment.phase is not Phase.REFUNDING:
        return PaymentOutcome(payment)
    changed = msgspec.structs.replace(payment, phase=Phase.REFUNDED, refund_id=refund_id)
    return PaymentOutcome(changed, to_refund=_refunded(changed))


def _captured(payment: Payment) -> PaymentCaptured:
    assert payment.currency is not None
    assert payment.charge_id is not None
    return PaymentCaptured(
        order_id=payment.order_id,
        amount_minor=payment.amount_minor,
        currency=payment.currency,
        charge_id=payment.charge_id,
    )


def _declined(payment: Payment, reason: str) -> PaymentDeclined:
    return PaymentDeclined(order_id=payment.order_id, reason=reason)


def _refunded(payment: Payment) -> PaymentRefunded:
    """What was given back: nothing, unless there was a charge."""
    if payment.refund_id is None:
        return PaymentRefunded(order_id=payment.order_id, amount_minor=0)
    return PaymentRefunded(
        order_id=payment.order_id,
        amount_minor=payment.amount_minor,
        currency=payment.currency,
        refund_id=payment.refund_id,
    )
