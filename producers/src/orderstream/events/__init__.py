"""The contracts: every event and command of the order flow, and the envelope that carries them."""

from orderstream.events.compression import MAX_DATA_BYTES, compressed, uncompressed
from orderstream.events.envelope import Envelope, check_identifiers, decode_envelope, following, initial
from orderstream.events.errors import (
    DataTooLargeError,
    IdentifierInvalidError,
    MessageTypeTakenError,
    NotAnEventError,
    UnknownMessageTypeError,
    UnsupportedSchemaVersionError,
)
from orderstream.events.identity import check_identifier, derived_id, initial_event_id, order_id_for
from orderstream.events.inventory import (
    LowStockDetected,
    ReleaseStock,
    ReserveStock,
    StockLine,
    StockRejected,
    StockReleased,
    StockReserved,
    StockSold,
)
from orderstream.events.message import Command, Event, Message, OrderMessage, StockEvent
from orderstream.events.notification import CustomerNotified
from orderstream.events.order import (
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
from orderstream.events.payment import (
    CapturePayment,
    PaymentCaptured,
    PaymentDeclined,
    PaymentRefunded,
    RefundPayment,
)
from orderstream.events.registry import MESSAGE_TYPES, REGISTRY, Registry, register
from orderstream.events.shipment import OrderShipped, RefuseShipment, ShipmentRefused, ShipOrder

__all__ = [
    "MAX_DATA_BYTES",
    "MESSAGE_TYPES",
    "REGISTRY",
    "CapturePayment",
    "Command",
    "Customer",
    "CustomerNotified",
    "DataTooLargeError",
    "Envelope",
    "Event",
    "IdentifierInvalidError",
    "LowStockDetected",
    "Message",
    "MessageTypeTakenError",
    "NotAnEventError",
    "OrderCancellationRefused",
    "OrderCancellationRequested",
    "OrderCancelled",
    "OrderConfirmed",
    "OrderLine",
    "OrderMessage",
    "OrderPlaced",
    "OrderShipped",
    "PaymentCaptured",
    "PaymentDeclined",
    "PaymentRefunded",
    "RefundPayment",
    "RefuseShipment",
    "Registry",
    "ReleaseStock",
    "ReserveStock",
    "ShipOrder",
    "ShipmentRefused",
    "StepOverdue",
    "StepResolved",
    "StockEvent",
    "StockLine",
    "StockRejected",
    "StockReleased",
    "StockReserved",
    "StockSold",
    "UnknownMessageTypeError",
    "UnsupportedSchemaVersionError",
    "check_identifier",
    "check_identifiers",
    "compressed",
    "decode_envelope",
    "derived_id",
    "following",
    "initial",
    "initial_event_id",
    "order_id_for",
    "register",
    "uncompressed",
]
