"""Each fault that the messages of a stream can have is found in a stream that has exactly that."""

import json
from itertools import count
from typing import Any

import pytest

from chaos.histories import (
    REPLIES,
    effects_before_causes,
    history_violations,
    misplaced,
    two_contents,
    unpaid_refunds,
)
from chaos.streams import Message
from orderstream_orders.contracts import MESSAGE_TYPES, Command

_number = count(1)


def message(kind: str, identity: str, cause: str | None = None, **envelope: Any) -> Message:
    told = {"specversion": "1.0", "type": kind, "id": identity, "source": "somebody", "subject": "o-1"}
    told |= {"causationid": cause} if cause else {}
    told |= envelope
    return Message("shard-0", (next(_number), 0), 0.0, json.dumps(told).encode(), told)


def test_a_right_history_has_no_violation() -> None:
    """An order that is charged, refunded and cancelled, with a message that came twice."""
    asked = {"correlationid": "capture_payment:1", "replyto": "saga"}
    replied = {"correlationid": "capture_payment:1", "recipient": "saga"}
    history = [
        message("OrderPlaced", "1"),
        message("payments.CapturePayment", "1a", "1", **asked),
        message("PaymentCaptured", "2", "1a", **replied),
        message("payments.RefundPayment", "3", "2", **asked),
        message("PaymentRefunded", "4", "3", **replied),
        message("OrderCancelled", "5", "4"),
        message("LowStockDetected", "6"),
    ]
    assert list(history_violations([*history, history[4]])) == []


@pytest.mark.parametrize("kind", ["inventory.ReserveStock", "StockReserved", "OrderConfirmed"])
def test_what_begins_a_conversation_inside_the_stream_is_found(kind: str) -> None:
    """A command, a reply or an event that follows from others, without a cause."""
    (found,) = misplaced([message(kind, "1")])
    assert "has no cause" in found


@pytest.mark.parametrize(
    ("reply", "attributes", "said"),
    [
        ("StockReserved", {"correlationid": "a:1", "recipient": "saga"}, "is no reply to"),
        ("PaymentRefunded", {"correlationid": "a:2", "recipient": "saga"}, "correlation id"),
        ("PaymentRefunded", {"correlationid": "a:1", "recipient": "shipping"}, "does not go where"),
        ("PaymentRefunded", {"correlationid": "a:1"}, "does not go where"),
    ],
)
def test_a_reply_that_is_not_its_command_s_is_found(
    reply: str, attributes: dict[str, str], said: str
) -> None:
    """Of another command, under another correlation id, or to another service."""
    command = message("payments.RefundPayment", "1", "0", correlationid="a:1", replyto="saga")
    (found,) = misplaced([command, message(reply, "2", "1", **attributes)])
    assert said in found


def test_the_replies_are_those_of_the_contracts() -> None:
    """A command that is new is judged, too."""
    assert {
        kind.type_name(): {reply.type_name() for reply in kind.replies()}
        for kind in MESSAGE_TYPES
        if issubclass(kind, Command)
    } == REPLIES


def test_an_id_with_another_content_is_found() -> None:
    """Consumers keep the first of two: the other one would be lost in silence."""
    first, other = message("PaymentRefunded", "1"), message("PaymentDeclined", "1")
    (found,) = two_contents([first, other])
    assert "PaymentDeclined 1 of o-1" in found


def test_the_same_decision_in_another_span_has_the_same_content() -> None:
    """A trace decides nothing; beside it everything counts."""
    first = message("PaymentRefunded", "1", traceparent="a")
    assert list(two_contents([first, message("PaymentRefunded", "1", traceparent="b")])) == []
    assert list(two_contents([first, message("PaymentRefunded", "1", traceparent="b", time="now")]))


def test_the_same_id_of_another_source_is_another_message() -> None:
    """CloudEvents' ids are unique per source."""
    assert not list(two_contents([message("A", "1"), message("B", "1", source="another")]))


def test_an_effect_before_its_cause_is_found() -> None:
    """Only the first occurrences count: a duplicate of the cause may come later."""
    cause, effect = message("OrderPlaced", "1"), message("inventory.ReserveStock", "2", "1")
    again = Message("shard-0", (next(_number), 0), 0.0, cause.body, cause.envelope)
    assert not list(effects_before_causes([cause, effect, again]))
    late = Message("shard-0", (next(_number), 0), 0.0, cause.body, cause.envelope)
    (found,) = effects_before_causes([effect, late])
    assert "stands before its cause" in found


def test_an_effect_without_a_cause_is_found() -> None:
    """A command or a result whose cause was never written; a customer's request has none."""
    (found,) = effects_before_causes([message("OrderShipped", "2", "1")])
    assert "not in the stream" in found
    assert not list(effects_before_causes([message("OrderCancellationRequested", "2", "1")]))


def test_a_cancellation_before_the_refund_is_found() -> None:
    """The customer is told that the order is cancelled when the money is on its way back, never before."""
    charged, cancelled = message("PaymentCaptured", "1"), message("OrderCancelled", "2")
    (found,) = unpaid_refunds([charged, cancelled, message("PaymentRefunded", "3")])
    assert "no refund stands before" in found
    assert not list(unpaid_refunds([message("OrderCancelled", "4")]))


def test_a_charge_after_the_cancellation_is_found() -> None:
    """Whenever the charge was recorded: a cancelled order that was charged is refunded first."""
    assert len(list(unpaid_refunds([message("OrderCancelled", "2"), message("PaymentCaptured", "1")]))) == 1
