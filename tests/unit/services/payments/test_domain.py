"""The payment's state machine, as a table: every phase hears everything."""

import datetime as dt

import pytest

from fakes.payments import NOW, capture_command, refund_command
from orderstream_orders.contracts import PaymentCaptured, PaymentDeclined, PaymentRefunded
from orderstream_workers.services.payments import domain
from orderstream_workers.services.payments.domain import (
    FINAL,
    OPEN,
    Charge,
    Payment,
    PaymentOutcome,
    Phase,
    Refund,
)

LATER = NOW + dt.timedelta(minutes=10)
TOO_LATE = LATER + dt.timedelta(seconds=1)
CAPTURED = PaymentCaptured(order_id="o-1", amount_minor=1230, currency="GBP", charge_id="ch_1")
REFUNDED = PaymentRefunded(order_id="o-1", amount_minor=1230, currency="GBP", refund_id="re_1")
NOTHING_REFUNDED = PaymentRefunded(order_id="o-1", amount_minor=0)


def declined(reason: str) -> PaymentDeclined:
    return PaymentDeclined(order_id="o-1", reason=reason)


def payment(phase: Phase, *, refund_requested: bool = False) -> Payment:
    charged = phase in {Phase.CAPTURED, Phase.REFUNDING, Phase.REFUNDED}
    return Payment(
        order_id="o-1",
        phase=phase,
        amount_minor=1230,
        currency="GBP",
        not_after=LATER,
        refund_requested=refund_requested,
        charge_id="ch_1" if charged else None,
        refund_id="re_1" if phase is Phase.REFUNDED else None,
        reason="card_declined" if phase is Phase.DECLINED else None,
    )


def summary(outcome: PaymentOutcome) -> tuple[Phase, object, object]:
    return outcome.payment.phase, outcome.to_capture, outcome.to_refund


@pytest.mark.parametrize(
    ("phase", "after", "reply"),
    [
        (None, Phase.QUEUED, None),
        (Phase.QUEUED, Phase.QUEUED, None),
        (Phase.CAPTURING, Phase.CAPTURING, None),
        (Phase.CAPTURED, Phase.CAPTURED, CAPTURED),
        (Phase.DECLINED, Phase.DECLINED, declined("card_declined")),
        (Phase.VOIDED, Phase.VOIDED, declined("refunded")),
        (Phase.REFUNDING, Phase.REFUNDING, CAPTURED),
        (Phase.REFUNDED, Phase.REFUNDED, CAPTURED),
    ],
)
def test_a_capture_is_heard_in_every_phase(phase: Phase | None, after: Phase, reply: object) -> None:
    """Only the first capture starts anything; what is known is answered, and a refund is never undone."""
    before = payment(phase) if phase else None
    assert summary(domain.capture(before, capture_command())) == (after, reply, None)


@pytest.mark.parametrize(
    ("phase", "after", "to_capture", "to_refund"),
    [
        (None, Phase.VOIDED, None, NOTHING_REFUNDED),
        (Phase.QUEUED, Phase.VOIDED, declined("refunded"), NOTHING_REFUNDED),
        (Phase.CAPTURING, Phase.CAPTURING, None, None),
        (Phase.CAPTURED, Phase.REFUNDING, None, None),
        (Phase.DECLINED, Phase.DECLINED, None, NOTHING_REFUNDED),
        (Phase.VOIDED, Phase.VOIDED, None, NOTHING_REFUNDED),
        (Phase.REFUNDING, Phase.REFUNDING, None, None),
        (Phase.REFUNDED, Phase.REFUNDED, None, REFUNDED),
    ],
)
def test_a_refund_is_heard_in_every_phase(
    phase: Phase | None, after: Phase, to_capture: object, to_refund: object
) -> None:
    """A refund is answered at once wherever nothing is in doubt or charged."""
    before = payment(phase) if phase else None
    assert summary(domain.refund(before, refund_command())) == (after, to_capture, to_refund)


def test_a_refund_while_capturing_waits_for_the_capture() -> None:
    """It is noted, and decides what the capture's answer leads to."""
    noted = domain.refund(payment(Phase.CAPTURING), refund_command()).payment
    assert noted.refund_requested
    assert summary(domain.charged(noted, "ch_1")) == (Phase.REFUNDING, CAPTURED, None)
    after_decline = (Phase.DECLINED, declined("card_declined"), NOTHING_REFUNDED)
    assert summary(domain.declined(noted, "card_declined")) == after_decline


@pytest.mark.parametrize(
    ("phase", "now", "after", "reply"),
    [
        (Phase.QUEUED, NOW, Phase.CAPTURING, None),
        (Phase.QUEUED, LATER, Phase.CAPTURING, None),
        (Phase.QUEUED, TOO_LATE, Phase.DECLINED, declined("expired")),
        (Phase.CAPTURING, TOO_LATE, Phase.CAPTURING, None),
        (Phase.CAPTURED, TOO_LATE, Phase.CAPTURED, None),
        (Phase.REFUNDING, TOO_LATE, Phase.REFUNDING, None),
    ],
)
def test_only_a_first_call_can_be_too_late(
    phase: Phase, now: dt.datetime, after: Phase, reply: object
) -> None:
    """What is in doubt is resolved however late it is; what was never asked is not asked too late."""
    assert summary(domain.begin(payment(phase), now)) == (after, reply, None)


@pytest.mark.parametrize("phase", list(Phase))
def test_the_provider_is_asked_behind_an_intent_only(phase: Phase) -> None:
    """Exactly the two intents lead to a call, each under the order's own key of the step."""
    expected = {
        Phase.CAPTURING: Charge("o-1", 1230, "GBP", "o-1:capture"),
        Phase.REFUNDING: Refund("o-1", "ch_1", 1230, "GBP", "o-1:refund"),
    }
    assert domain.call_of(payment(phase)) == expected.get(phase)


@pytest.mark.parametrize("phase", list(Phase))
def test_answers_move_only_their_own_intent(phase: Phase) -> None:
    """The same reply twice, or one that came after another worker's, changes nothing."""
    before = payment(phase)
    charged, refused = domain.charged(before, "ch_1"), domain.declined(before, "card_declined")
    refunded = domain.refunded(before, "re_1")
    assert (charged.payment == before) == (phase is not Phase.CAPTURING)
    assert (refused.payment == before) == (phase is not Phase.CAPTURING)
    assert (refunded.payment == before) == (phase is not Phase.REFUNDING)
    if phase is Phase.REFUNDING:
        assert summary(refunded) == (Phase.REFUNDED, None, REFUNDED)


@pytest.mark.parametrize("phase", sorted(FINAL, key=lambda phase: phase.value))
def test_what_is_final_stays(phase: Phase) -> None:
    """No message and no reply moves a final payment, and no worker has anything to do with it."""
    before = payment(phase)
    outcomes = [
        domain.capture(before, capture_command()),
        domain.refund(before, refund_command()),
        domain.begin(before, TOO_LATE),
        domain.charged(before, "ch_2"),
        domain.declined(before, "expired"),
        domain.refunded(before, "re_2"),
    ]
    assert {outcome.payment.phase for outcome in outcomes} == {phase}
    assert phase not in OPEN


BY_HAND = PaymentRefunded(order_id="o-1", amount_minor=1230, currency="GBP", refund_id="by-hand")


CHARGEABLE = {Phase.CAPTURING, Phase.CAPTURED, Phase.REFUNDING}


@pytest.mark.parametrize("phase", sorted(set(Phase) - CHARGEABLE, key=lambda phase: phase.value))
def test_a_refund_by_hand_of_what_was_never_charged_changes_nothing(phase: Phase) -> None:
    """Only money that was charged, or may have been, can be given back past the provider."""
    before = payment(phase)
    assert domain.refund_by_hand(before) == PaymentOutcome(before)


def test_a_refund_by_hand_ends_what_the_provider_was_to_be_asked() -> None:
    """The payment is refunded, its saga is answered, and nothing is left to ask for."""
    outcome = domain.refund_by_hand(payment(Phase.REFUNDING))
    assert summary(outcome) == (Phase.REFUNDED, None, BY_HAND)
    assert domain.call_of(outcome.payment) is None
    assert domain.refunded(outcome.payment, "re_1") == PaymentOutcome(outcome.payment)


def test_a_charge_that_comes_to_light_after_a_refund_by_hand_is_not_given_back_again() -> None:
    """While nobody knows whether there is a charge, it is still asked for, and ends refunded or declined."""
    waiting = domain.refund_by_hand(payment(Phase.CAPTURING, refund_requested=True))
    assert summary(waiting) == (Phase.CAPTURING, None, None)
    assert summary(domain.charged(waiting.payment, "ch_1")) == (Phase.REFUNDED, CAPTURED, BY_HAND)
    assert domain.declined(waiting.payment, "card_declined").payment.phase is Phase.DECLINED


def test_a_refund_by_hand_may_come_before_the_command() -> None:
    """Payments were down when it was asked for: the command finds the money given back, and asks nobody."""
    noted = domain.refund_by_hand(payment(Phase.CAPTURED))
    assert summary(noted) == (Phase.CAPTURED, None, None)
    refunded = domain.refund(noted.payment, refund_command())
    assert summary(refunded) == (Phase.REFUNDED, None, BY_HAND)
    assert domain.call_of(refunded.payment) is None
    assert domain.capture(refunded.payment, capture_command()).to_capture == CAPTURED
