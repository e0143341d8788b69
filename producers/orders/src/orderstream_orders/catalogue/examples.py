"""One realistic example of every message, from the conversations of orders that end well or badly."""

import datetime as dt
from typing import Final

from orderstream.errors import OrderstreamError
from orderstream.messages import (
    Envelope,
    Message,
    following,
    initial,
    initial_event_id,
    replying,
    requesting,
)
from orderstream_orders.contracts import Command, Event, Reply, order_id_for
from orderstream_orders.contracts.inventory import (
    LowStockDetected,
    ReleaseStock,
    ReserveStock,
    StockCorrected,
    StockLine,
    StockReceived,
    StockRejected,
    StockReleased,
    StockReserved,
    StockSold,
)
from orderstream_orders.contracts.notification import CustomerNotified
from orderstream_orders.contracts.order import (
    Customer,
    OrderCancellationRefused,
    OrderCancellationRequested,
    OrderCancelled,
    OrderConfirmed,
    OrderLine,
    OrderPlaced,
    StepOverdue,
    StepResolved,
)
from orderstream_orders.contracts.parcel import (
    ParcelDelivered,
    ParcelHandedOver,
    ParcelReturned,
    ParcelScanned,
    ParcelScanRefused,
)
from orderstream_orders.contracts.payment import (
    CapturePayment,
    PaymentCaptured,
    PaymentDeclined,
    PaymentRefunded,
    RefundPayment,
)
from orderstream_orders.contracts.shipment import OrderShipped, RefuseShipment, ShipmentRefused, ShipOrder

_START: Final = dt.datetime(2010, 12, 1, 8, 26, tzinfo=dt.UTC)
_CUSTOMER: Final = Customer(customer_id="17850", email="customer-17850@example.com")
_LINES: Final = (
    OrderLine(
        sku="85123A",
        quantity=6,
        unit_price="2.55",
        total_minor=1530,
        description="WHITE HANGING HEART T-LIGHT HOLDER",
    ),
    OrderLine(
        sku="71053", quantity=6, unit_price="3.39", total_minor=2034, description="WHITE METAL LANTERN"
    ),
    OrderLine(sku="POST", quantity=1, unit_price="18.00", total_minor=1800, service=True),
)
_TOTAL: Final = 5364


class NoExampleError(OrderstreamError, LookupError):
    """The catalogue shows an example of every message, and one has none.

    Args:
        type_name: The message's type name.
    """

    def __init__(self, type_name: str) -> None:
        self.type_name = type_name
        super().__init__(
            f"{type_name} has no example yet; add one to a conversation in {__name__}, see docs/recipes.md"
        )


class _Conversation:
    """Writes one order's messages down, each a little later than the one before."""

    def __init__(self, invoice: str) -> None:
        self.order_id = order_id_for("books", invoice)
        self.envelopes: list[Envelope] = []
        self._invoice = invoice

    def opens(self, message: Event) -> Envelope:
        """The customer says something: each request under a key of its own, all in one conversation."""
        count = sum(envelope.source == "orders" for envelope in self.envelopes)
        event_id = initial_event_id("orders", "books", f"{self._invoice}/{count}")
        opening = self.envelopes[0].conversation_id if self.envelopes else None
        return self._add(
            initial(message, source="orders", event_id=event_id, time=self._now(), conversation_id=opening)
        )

    def falls_due(self, overdue: StepOverdue) -> Envelope:
        """A deadline of the coordinator passes; no message causes it."""
        correlation_id = f"{overdue.step}:{overdue.attempt}"
        return self._add(
            initial(
                overdue,
                source="saga",
                event_id=initial_event_id(
                    "saga", "timer", f"{self.order_id}/{overdue.step}/{overdue.attempt}"
                ),
                time=self._now(),
                correlation_id=correlation_id,
                conversation_id=self.envelopes[0].conversation_id,
            )
        )

    def decided(self, resolved: StepResolved) -> Envelope:
        """An operator decides about a step; no message causes it."""
        correlation_id = f"{resolved.step}:{resolved.attempt}"
        return self._add(
            initial(
                resolved,
                source="operators",
                event_id=initial_event_id(
                    "operators", resolved.operator, f"{self.order_id}/{correlation_id}"
                ),
                time=self._now(),
                correlation_id=correlation_id,
                conversation_id=self.envelopes[0].conversation_id,
            )
        )

    def scanned(self, parcel: ParcelScanned) -> Envelope:
        """A person or the carrier scans the parcel: each scan opens a conversation."""
        key = f"{self.order_id}/{len(self.envelopes)}"
        return self._add(
            initial(
                parcel,
                source="operators",
                event_id=initial_event_id("operators", parcel.operator, key),
                time=self._now(),
            )
        )

    def follows(
        self,
        cause: Envelope,
        message: Event,
        *,
        source: str,
        ordinal: int = 0,
    ) -> Envelope:
        """An event follows from another message."""
        return self._add(following(cause, message, source=source, ordinal=ordinal, time=self._now()))

    def asks(self, cause: Envelope, command: Command, correlation_id: str, ordinal: int = 0) -> Envelope:
        """The coordinator sends a command; the correlation id names its step and the attempt."""
        return self._add(
            requesting(
                cause,
                command,
                source="saga",
                ordinal=ordinal,
                time=self._now(),
                correlation_id=correlation_id,
                reply_to="saga",
            )
        )

    def replies(self, command: Envelope, reply: Reply) -> Envelope:
        """The owner of a command replies."""
        return self._add(replying(command, reply, source=reply.owner, time=self._now()))

    def _now(self) -> dt.datetime:
        return _START + dt.timedelta(milliseconds=180 * len(self.envelopes))

    def _add(self, envelope: Envelope) -> Envelope:
        self.envelopes.append(envelope)
        return envelope


def _placed(talk: _Conversation) -> Envelope:
    return talk.opens(
        OrderPlaced(
            order_id=talk.order_id,
            customer=_CUSTOMER,
            country="United Kingdom",
            lines=_LINES,
            total_minor=_TOTAL,
            currency="GBP",
            placed_by="2bd806c97f0e00af",
        )
    )


def _requested(talk: _Conversation, placed: Envelope) -> tuple[Envelope, Envelope]:
    units = (StockLine(sku="71053", quantity=6), StockLine(sku="85123A", quantity=6))
    capture = CapturePayment(
        order_id=talk.order_id,
        amount_minor=_TOTAL,
        currency="GBP",
        not_after=_START + dt.timedelta(minutes=15),
    )
    reserve = ReserveStock(order_id=talk.order_id, lines=units)
    return (
        talk.asks(placed, reserve, "reserve_stock:1"),
        talk.asks(placed, capture, "capture_payment:1", 1),
    )


def _confirmed_order() -> list[Envelope]:
    """Reserved, captured, shipped; a cancellation comes too late."""
    talk = _Conversation("536365")
    order = talk.order_id
    reserve, capture = _requested(talk, _placed(talk))
    talk.replies(reserve, StockReserved(order_id=order))
    charge = PaymentCaptured(order_id=order, amount_minor=_TOTAL, currency="GBP", charge_id="ch_7c0b4f21")
    captured = talk.replies(capture, charge)
    ship_order = ShipOrder(order_id=order, country="United Kingdom", units=12, customer=_CUSTOMER)
    ship = talk.asks(captured, ship_order, "ship_order:1")
    request = talk.opens(OrderCancellationRequested(order_id=order))
    refused = OrderCancellationRefused(order_id=order, reason="shipping_requested")
    talk.follows(request, refused, source="saga")
    shipped = talk.replies(ship, OrderShipped(order_id=order, shipment_id="sh_536365"))
    confirmed = OrderConfirmed(order_id=order, customer=_CUSTOMER, total_minor=_TOTAL, currency="GBP")
    confirmation = talk.follows(shipped, confirmed, source="saga")
    talk.follows(confirmation, StockSold(order_id=order), source="inventory")
    notified = CustomerNotified(order_id=order, about="OrderConfirmed", outcome="sent")
    talk.follows(confirmation, notified, source="notifications")
    return talk.envelopes


def _cancelled_order() -> list[Envelope]:
    """Charged but out of stock: the charge is undone, and the refused reservation needs no undoing."""
    talk = _Conversation("536544")
    order = talk.order_id
    reserve, capture = _requested(talk, _placed(talk))
    charge = PaymentCaptured(order_id=order, amount_minor=_TOTAL, currency="GBP", charge_id="ch_19d2ab90")
    talk.replies(capture, charge)
    rejected = StockRejected(order_id=order, reason="out_of_stock", sku="85123A")
    rejection = talk.replies(reserve, rejected)
    refund_payment = RefundPayment(order_id=order)
    refund = talk.asks(rejection, refund_payment, "capture_payment:2")
    repaid = PaymentRefunded(order_id=order, amount_minor=_TOTAL, currency="GBP", refund_id="re_5e88c1d0")
    refunded = talk.replies(refund, repaid)
    cancelled = OrderCancelled(
        order_id=order, customer=_CUSTOMER, reason="out_of_stock", failed_step="reserve_stock"
    )
    cancellation = talk.follows(refunded, cancelled, source="saga")
    notified = CustomerNotified(order_id=order, about="OrderCancelled", outcome="sent")
    talk.follows(cancellation, notified, source="notifications")
    return talk.envelopes


def _declined_order() -> list[Envelope]:
    """The card is declined: the reserved stock is released."""
    talk = _Conversation("536556")
    order = talk.order_id
    reserve, capture = _requested(talk, _placed(talk))
    talk.replies(reserve, StockReserved(order_id=order))
    declined = PaymentDeclined(order_id=order, reason="card_declined")
    decline = talk.replies(capture, declined)
    release = talk.asks(decline, ReleaseStock(order_id=order), "reserve_stock:2")
    talk.replies(release, StockReleased(order_id=order))
    return talk.envelopes


def _unshippable_order() -> list[Envelope]:
    """The shipment is asked for twice, for want of a reply; an operator has it refused for good."""
    talk = _Conversation("536557")
    order = talk.order_id
    reserve, capture = _requested(talk, _placed(talk))
    talk.replies(reserve, StockReserved(order_id=order))
    charge = PaymentCaptured(order_id=order, amount_minor=_TOTAL, currency="GBP", charge_id="ch_83f60d17")
    captured = talk.replies(capture, charge)
    ship_order = ShipOrder(order_id=order, country="RSA", units=12)
    talk.asks(captured, ship_order, "ship_order:1")
    overdue = talk.falls_due(StepOverdue(order_id=order, step="ship_order", attempt=1))
    talk.asks(overdue, ship_order, "ship_order:2")
    resolved = talk.decided(
        StepResolved(
            order_id=order,
            step="ship_order",
            attempt=2,
            decision="refuse",
            operator="night-shift",
            reason="the carrier does not take parcels to this address",
        )
    )
    refuse = talk.asks(resolved, RefuseShipment(order_id=order), "ship_order:3")
    refused = ShipmentRefused(order_id=order, reason="operator_decision")
    talk.replies(refuse, refused)
    return talk.envelopes


def _parcels_of_the_order() -> list[Envelope]:
    """The parcel's way: a return before it has left is refused, and later it comes back after all."""
    talk = _Conversation("536558")
    order, shipment = talk.order_id, "sh_536558"
    early = talk.scanned(ParcelScanned(order_id=order, scan="returned", operator="dock-2"))
    refused = ParcelScanRefused(order_id=order, scan="returned", reason="not_handed_over")
    talk.follows(early, refused, source="shipping")
    left = talk.scanned(ParcelScanned(order_id=order, scan="handed_over", operator="dock-2"))
    handed_over = ParcelHandedOver(order_id=order, shipment_id=shipment, customer=_CUSTOMER)
    talk.follows(left, handed_over, source="shipping")
    there = talk.scanned(ParcelScanned(order_id=order, scan="delivered", operator="carrier"))
    delivered = ParcelDelivered(order_id=order, shipment_id=shipment, customer=_CUSTOMER)
    talk.follows(there, delivered, source="shipping")
    back = talk.scanned(
        ParcelScanned(order_id=order, scan="returned", operator="goods-in", reason="the wrong colour")
    )
    returned = ParcelReturned(
        order_id=order, shipment_id=shipment, customer=_CUSTOMER, reason="the wrong colour"
    )
    talk.follows(back, returned, source="shipping")
    return talk.envelopes


def _low_stock() -> Envelope:
    """The confirmed order's units bring a SKU to the threshold."""
    return initial(
        LowStockDetected(sku="85123A", available=96, threshold=100),
        source="stock-monitor",
        event_id=initial_event_id("stock-monitor", "aws:dynamodb", "6c9c1f2e0b8d4a57"),
        time=_START + dt.timedelta(milliseconds=90),
    )


def _adjusted(message: StockReceived | StockCorrected, key: str, seconds: int) -> Envelope:
    """An operator moves stock; no message causes it."""
    return initial(
        message,
        source="inventory",
        event_id=initial_event_id("inventory", message.operator, key),
        time=_START + dt.timedelta(seconds=seconds),
    )


def _adjustments() -> tuple[Envelope, Envelope]:
    """New goods of the SKU that was low, of which three turn out to be broken."""
    received = StockReceived(sku="85123A", units=200, operator="goods-in", reason="delivery note 4711")
    corrected = StockCorrected(sku="85123A", units=-3, operator="goods-in", reason="three were broken")
    return _adjusted(received, "4711", 60), _adjusted(corrected, "4711-broken", 90)


CONFIRMED_ORDER: Final[tuple[Envelope, ...]] = tuple(_confirmed_order())
"""The whole conversation of an order that is confirmed, in stream order."""

CANCELLED_ORDER: Final[tuple[Envelope, ...]] = tuple(_cancelled_order())
"""The whole conversation of an order that is cancelled, in stream order."""


def example_of(message_type: type[Message]) -> Envelope:
    """The example of one message, in its envelope.

    Args:
        message_type: The message.

    Raises:
        NoExampleError: there is no example of it yet; add one to a conversation of this module.
    """
    try:
        return _BY_TYPE[message_type.type_name()]
    except KeyError as error:
        raise NoExampleError(message_type.type_name()) from error


_BY_TYPE: Final = {
    envelope.type: envelope
    for envelope in reversed(
        (
            *CONFIRMED_ORDER,
            *CANCELLED_ORDER,
            *_declined_order(),
            *_unshippable_order(),
            *_parcels_of_the_order(),
            _low_stock(),
            *_adjustments(),
        )
    )
}
