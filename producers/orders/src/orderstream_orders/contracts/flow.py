"""Every message of the flow, in the order of an order's life; importing it makes them known."""

from typing import Final

from orderstream.messages import REGISTRY, Message
from orderstream_orders.contracts.inventory import (
    LowStockDetected,
    ReleaseStock,
    ReserveStock,
    StockCorrected,
    StockReceived,
    StockRejected,
    StockReleased,
    StockReserved,
    StockSold,
)
from orderstream_orders.contracts.notification import CustomerNotified
from orderstream_orders.contracts.order import (
    OrderCancellationRefused,
    OrderCancellationRequested,
    OrderCancelled,
    OrderConfirmed,
    OrderPlaced,
    StepOverdue,
    StepResolved,
)
from orderstream_orders.contracts.payment import (
    CapturePayment,
    PaymentCaptured,
    PaymentDeclined,
    PaymentRefunded,
    RefundPayment,
)
from orderstream_orders.contracts.shipment import OrderShipped, RefuseShipment, ShipmentRefused, ShipOrder

MESSAGE_TYPES: Final[tuple[type[Message], ...]] = (
    OrderPlaced,
    ReserveStock,
    StockReserved,
    StockRejected,
    CapturePayment,
    PaymentCaptured,
    PaymentDeclined,
    ShipOrder,
    OrderShipped,
    ShipmentRefused,
    OrderConfirmed,
    StockSold,
    OrderCancellationRequested,
    OrderCancellationRefused,
    StepOverdue,
    StepResolved,
    RefuseShipment,
    ReleaseStock,
    StockReleased,
    RefundPayment,
    PaymentRefunded,
    OrderCancelled,
    CustomerNotified,
    StockReceived,
    StockCorrected,
    LowStockDetected,
)

for _message_type in MESSAGE_TYPES:
    REGISTRY.register(_message_type)
