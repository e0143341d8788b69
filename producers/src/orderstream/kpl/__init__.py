"""A Kinesis producer in the manner of Amazon's KPL, and the format it shares with KCL; it knows no orders."""

from orderstream.kpl.aggregation import AggregateCorruptError, Opened, deaggregate
from orderstream.kpl.config import ProducerConfig
from orderstream.kpl.delivery import Delivery
from orderstream.kpl.errors import (
    BufferFullError,
    ConfigError,
    DeliveryFailedError,
    ProducerClosedError,
    RecordInvalidError,
    RecordTooLargeError,
    UnsentRecordsError,
)
from orderstream.kpl.outcome import Attempt, Delivered
from orderstream.kpl.producer import Producer
from orderstream.kpl.user_record import MAX_HASH_KEY, UserRecord, hash_key_of

__all__ = [
    "MAX_HASH_KEY",
    "AggregateCorruptError",
    "Attempt",
    "BufferFullError",
    "ConfigError",
    "Delivered",
    "Delivery",
    "DeliveryFailedError",
    "Opened",
    "Producer",
    "ProducerClosedError",
    "ProducerConfig",
    "RecordInvalidError",
    "RecordTooLargeError",
    "UnsentRecordsError",
    "UserRecord",
    "deaggregate",
    "hash_key_of",
]
