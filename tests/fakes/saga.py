"""One order, its messages, and the coordinator that hears them."""

import datetime as dt

from orderstream.messages import Message
from orderstream_orders.contracts import (
    CapturePayment,
    Customer,
    OrderCancellationRefused,
    OrderCancellationRequested,
    OrderCancelled,
    OrderConfirmed,
    OrderLine,
    OrderPlaced,
    OrderShipped,
    PaymentCaptured,
    PaymentDeclined,
    PaymentRefunded,
    RefundPayment,
    ReleaseStock,
    ReserveStock,
    ShipmentRefused,
    ShipOrder,
    StepOverdue,
    StockLine,
    StockRejected,
    StockReleased,
    StockReserved,
)
from orderstream_workers.services.saga.deadlines import SagaDeadlines
from orderstream_workers.services.saga.definition import definition_of
from orderstream_workers.services.saga.domain import Input, SagaOutcome, transition
from orderstream_workers.services.saga.state import Saga, Status

FLOW = definition_of(1)
"""The flow that these tests tell of, whichever new orders follow."""

NOW = dt.datetime(2010, 12, 1, 8, 26, tzinfo=dt.UTC)
DEADLINES = SagaDeadlines()
ORDER = "o-1"
CUSTOMER = Customer(customer_id="17850", email="customer-17850@example.com")


def line(sku: str, quantity: int, *, service: bool = False) -> OrderLine:
    return OrderLine(
        sku=sku, quantity=quantity, unit_price="1.00", total_minor=100 * quantity, service=service
    )


PLACED = OrderPlaced(
    order_id=ORDER,
    customer=CUSTOMER,
    country="United Kingdom",
    lines=(line("B", 1), line("A", 2), line("B", 3), line("POST", 1, service=True)),
    total_minor=700,
    currency="GBP",
)

RESERVED = StockReserved(order_id=ORDER)
REJECTED = StockRejected(order_id=ORDER, reason="out_of_stock", sku="A")
RELEASED = StockReleased(order_id=ORDER)
CAPTURED = PaymentCaptured(order_id=ORDER, amount_minor=700, currency="GBP", charge_id="ch_1")
DECLINED = PaymentDeclined(order_id=ORDER, reason="card_declined")
REFUNDED = PaymentRefunded(order_id=ORDER, amount_minor=700, currency="GBP", refund_id="re_1")
SHIPPED = OrderShipped(order_id=ORDER, shipment_id="sh_1")
UNSERVED = ShipmentRefused(order_id=ORDER, reason="destination_not_served")
CANCELLATION = OrderCancellationRequested(order_id=ORDER)
RESERVE = ReserveStock(order_id=ORDER, lines=(StockLine(sku="A", quantity=2), StockLine(sku="B", quantity=4)))

CAPTURE = CapturePayment(
    order_id=ORDER, amount_minor=700, currency="GBP", not_after=NOW + dt.timedelta(minutes=15)
)

SHIP = ShipOrder(order_id=ORDER, country="United Kingdom", units=6, customer=CUSTOMER)
RELEASE = ReleaseStock(order_id=ORDER)
REFUND = RefundPayment(order_id=ORDER)
CONFIRMED = OrderConfirmed(order_id=ORDER, customer=CUSTOMER, total_minor=700, currency="GBP")


def overdue(step: str, attempt: int) -> StepOverdue:
    return StepOverdue(order_id=ORDER, step=step, attempt=attempt)


def cancelled(reason: str, step: str | None = None) -> OrderCancelled:
    return OrderCancelled(order_id=ORDER, customer=CUSTOMER, reason=reason, failed_step=step)


def too_late(reason: str) -> OrderCancellationRefused:
    return OrderCancellationRefused(order_id=ORDER, reason=reason)


def hear(saga: Saga | None, message: Input, now: dt.datetime = NOW) -> SagaOutcome:
    outcome = transition(saga, message, now, DEADLINES, current=FLOW)
    assert isinstance(outcome, SagaOutcome)
    return outcome


def after(*messages: Input) -> Saga:
    saga = None
    for message in (PLACED, *messages):
        saga = hear(saga, message).saga
    assert saga is not None
    return saga


def said(outcome: SagaOutcome) -> list[Message]:
    return [output.message for output in outcome.outputs]


def statuses(saga: Saga | None) -> dict[str, Status]:
    assert saga is not None
    return {name: progress.status for name, progress in saga.steps.items()}
