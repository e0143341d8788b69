"""Orderstream: put events into Kinesis Data Streams as Amazon's KPL does, in pure Python."""

from orderstream.errors import DependencyError, OrderstreamError
from orderstream.kpl import (
    BufferFullError,
    ConfigError,
    Delivered,
    Delivery,
    DeliveryFailedError,
    ForkedProducerError,
    Producer,
    ProducerClosedError,
    ProducerConfig,
    RecordInvalidError,
    RecordTooLargeError,
    UnclosedProducerWarning,
    UnsentRecordsError,
    WaitInCallbackError,
)
from orderstream.publisher import EventPublisher

__all__ = [
    "BufferFullError",
    "ConfigError",
    "Delivered",
    "Delivery",
    "DeliveryFailedError",
    "DependencyError",
    "EventPublisher",
    "ForkedProducerError",
    "OrderstreamError",
    "Producer",
    "ProducerClosedError",
    "ProducerConfig",
    "RecordInvalidError",
    "RecordTooLargeError",
    "UnclosedProducerWarning",
    "UnsentRecordsError",
    "WaitInCallbackError",
]
