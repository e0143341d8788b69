"""The contracts of the order domain: every event and command of the flow; importing it makes them known."""

from typing import Final

from orderstream.messages import REGISTRY, Message
from orderstream_orders.contracts.identity import order_id_for
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
from orderstream_orders.contracts.message import Command, Event, OrderMessage, Reply, StockEvent, order_of
from orderstream_orders.contracts.notification import CustomerNotified
from orderstream_orders.contracts.order import (
    CANCELLATION_REASONS,
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
    ParcelScan,
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

__all__ = [
    "CANCELLATION_REASONS",
    "MESSAGE_TYPES",
    "CapturePayment",
    "Command",
    "Customer",
    "CustomerNotified",
    "Event",
    "LowStockDetected",
    "OrderCancellationRefused",
    "OrderCancellationRequested",
    "OrderCancelled",
    "OrderConfirmed",
    "OrderLine",
    "OrderMessage",
    "OrderPlaced",
    "OrderShipped",
    "ParcelDelivered",
    "ParcelHandedOver",
    "ParcelReturned",
    "ParcelScan",
    "ParcelScanRefused",
    "ParcelScanned",
    "PaymentCaptured",
    "PaymentDeclined",
    "PaymentRefunded",
    "RefundPayment",
    "RefuseShipment",
    "ReleaseStock",
    "Reply",
    "ReserveStock",
    "ShipOrder",
    "ShipmentRefused",
    "StepOverdue",
    "StepResolved",
    "StockCorrected",
    "StockEvent",
    "StockLine",
    "StockReceived",
    "StockRejected",
    "StockReleased",
    "StockReserved",
    "StockSold",
    "order_id_for",
    "order_of",
]

MESSAGE_TYPES: Final[tuple[type[Message], ...]] = tuple(
    kind for kind in REGISTRY.types() if issubclass(kind, (OrderMessage, StockEvent))
)
"""Every message of the flow: each registers itself by its class's decorator."""
