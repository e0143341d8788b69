"""What an order costs by its messages, as operators see it and as the saga measures it."""

import datetime as dt
from typing import Any

import msgspec
import pytest

from orderstream_orders.contracts import Customer
from orderstream_workers.cost import estimated
from orderstream_workers.cost.estimate import units_per_message
from orderstream_workers.operations.order_cost import order_cost, rendered
from orderstream_workers.projections.order_status import HistoryEntry, OrderWithHistory
from orderstream_workers.services.saga.cost import cost_of, messages_of
from orderstream_workers.services.saga.state import Failure, Order, Phase, Progress, Saga, Status

NOW = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
CONFIRMED = (
    *("OrderPlaced", "inventory.ReserveStock", "payments.CapturePayment", "StockReserved", "PaymentCaptured"),
    *("shipping.ShipOrder", "OrderShipped", "OrderConfirmed", "StockSold", "CustomerNotified"),
)
DONE = Progress(status=Status.DONE, attempt=1, done=True)


def saga(phase: Phase, failure: Failure | None = None, *, lines: int | None = 3, **steps: Progress) -> Saga:
    order = Order(
        order_id="o-1",
        customer=Customer(customer_id="17850", email="someone@example.com"),
        country=None,
        units=3,
        total_minor=100,
        currency="GBP",
        line_count=lines,
    )
    return Saga(order=order, definition=1, phase=phase, steps=steps, failure=failure)


def story(*types: str, lines: int = 2, outcome: str = "sent", region: str = "us-east-1") -> list[str]:
    placed = {
        "lines": [{"sku": f"{n}", "service": False} for n in range(lines)]
        + [{"sku": "POST", "service": True}]
    }
    data: dict[str, dict[str, Any]] = {"OrderPlaced": placed, "CustomerNotified": {"outcome": outcome}}
    history = [
        HistoryEntry(
            order_id="o-1",
            event_id=str(number),
            type=name,
            source="test",
            time=NOW,
            correlation_id=None,
            causation_id=None,
            shard_id="shardId-000000000000",
            sequence_number=str(number),
            subsequence_number=0,
            arrived_at=NOW,
            data=msgspec.json.encode(data.get(name, {})).decode(),
        )
        for number, name in enumerate(types)
    ]
    ended = NOW if "OrderConfirmed" in types else None
    order = OrderWithHistory(order_id="o-1", conversation_id="c", ended_at=ended, history=tuple(history))
    return list(rendered(order_cost(order, region)))


def test_every_message_of_an_order_that_goes_well_has_been_counted() -> None:
    """The counted file knows each of them, and each further line costs."""
    few, many = (
        estimated(dict.fromkeys(CONFIRMED, 1), lines=lines, mails=1, region="us-east-1") for lines in (1, 20)
    )
    assert few.unknown == ()
    assert few.total is not None
    assert many.total is not None
    assert 3 < (many.units["dynamodb_write"] - few.units["dynamodb_write"]) / 19 < 6
    assert few.units["ses_mail"] == 1.0
    assert few.total < many.total


def test_the_story_is_priced_by_service_within_80_columns() -> None:
    """A total, each service with its units, what is not in it; a person reads it in a narrow terminal."""
    lines = story(*CONFIRMED)
    assert lines[0].startswith("order o-1: 0.000")
    assert "USD to its end; 2 lines that take stock, 10 messages" in lines[0]
    services = [line.split()[0] for line in lines[3:] if line and not line.startswith(" ")]
    assert services[:4] == ["DynamoDB", "Kinesis", "SQS", "SES"]
    assert max(len(line) for line in lines if line.startswith(("SERVICE", "DynamoDB", "total", " "))) <= 80
    assert any(line.startswith("Not in it: what is there without the order") for line in lines)


def test_what_is_not_known_is_said() -> None:
    """A message that was never counted, a customer without an address, an order that goes on."""
    lines = story("OrderPlaced", "OfTomorrow", "CustomerNotified", outcome="skipped")
    assert "so far" in lines[0]
    assert not any(line.startswith("SES") for line in lines)
    assert "Not counted, so not in it: messages of type OfTomorrow." in lines


def test_a_region_without_prices_gets_units() -> None:
    """Never another Region's prices in silence."""
    lines = story(*CONFIRMED, region="eu-west-1")
    assert lines[0].endswith("no prices of eu-west-1 are on file, so these are units")
    assert not any(line.startswith("total") for line in lines)
    assert any(line.startswith("DynamoDB") for line in lines)


def test_a_confirmed_order_implies_its_messages() -> None:
    """What the coordinator remembers at the end names each message once."""
    done = saga(Phase.CONFIRMED, reserve_stock=DONE, capture_payment=DONE, ship_order=DONE)
    assert sorted(message.type_name() for message in messages_of(done)) == sorted(CONFIRMED)
    by_messages = estimated(dict.fromkeys(CONFIRMED, 1), lines=3, mails=1, region="us-east-1").total
    assert cost_of(done, "us-east-1") == pytest.approx(by_messages)


def test_a_cancelled_order_implies_what_was_refused_and_undone() -> None:
    """A declined charge releases the stock; the customer's own wish is a message, too."""
    declined = saga(
        Phase.CANCELLED,
        Failure("card_declined", "capture_payment"),
        reserve_stock=Progress(status=Status.UNDONE, attempt=2, done=True),
        capture_payment=Progress(status=Status.REFUSED, attempt=1),
    )
    names = [message.type_name() for message in messages_of(declined)]
    assert names == [
        "OrderPlaced",
        "inventory.ReserveStock",
        "StockReserved",
        "inventory.ReleaseStock",
        "StockReleased",
        "payments.CapturePayment",
        "PaymentDeclined",
        "OrderCancelled",
        "CustomerNotified",
    ]
    assert set(names) <= set(units_per_message().messages)
    wished = saga(Phase.CANCELLED, Failure("customer_request"))
    assert "OrderCancellationRequested" in [message.type_name() for message in messages_of(wished)]


def test_an_order_of_an_earlier_version_or_a_region_without_prices_has_no_cost() -> None:
    """No guess is measured."""
    assert cost_of(saga(Phase.CONFIRMED, lines=None), "us-east-1") is None
    assert cost_of(saga(Phase.CONFIRMED), "eu-west-1") is None
