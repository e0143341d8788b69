"""A Kinesis producer in the manner of Amazon's KPL, and the format it shares with KCL; it knows no orders."""

from orderstream.kpl.aggregation import AggregateCorruptError, Opened, deaggregate
from orderstream.kpl.async_producer import AsyncProducer
from orderstream.kpl.config import ProducerConfig
from orderstream.kpl.delivery import Delivery
from orderstream.kpl.errors import (
    AwsSettingsError,
    BufferFullError,
    ConfigError,
    DeliveryFailedError,
    DeliveryPendingError,
    ForkedProducerError,
    HeldUpError,
    ProducerClosedError,
    RecordInvalidError,
    RecordTooLargeError,
    StreamUnavailableError,
    StreamUnreachableError,
    UnclosedProducerWarning,
    UnsentRecordsError,
    WaitInCallbackError,
)
from orderstream.kpl.hooks import Interceptor, Partitioner
from orderstream.kpl.metrics import ProducerMetrics
from orderstream.kpl.outcome import Attempt, Delivered
from orderstream.kpl.producer import Producer
from orderstream.kpl.salting import salted, unsalted
from orderstream.kpl.target import KinesisCalls
from orderstream.kpl.user_record import MAX_HASH_KEY, UserRecord, hash_key_of

__all__ = [
    "MAX_HASH_KEY",
    "AggregateCorruptError",
    "AsyncProducer",
    "Attempt",
    "AwsSettingsError",
    "BufferFullError",
    "ConfigError",
    "Delivered",
    "Delivery",
    "DeliveryFailedError",
    "DeliveryPendingError",
    "ForkedProducerError",
    "HeldUpError",
    "Interceptor",
    "KinesisCalls",
    "Opened",
    "Partitioner",
    "Producer",
    "ProducerClosedError",
    "ProducerConfig",
    "ProducerMetrics",
    "RecordInvalidError",
    "RecordTooLargeError",
    "StreamUnavailableError",
    "StreamUnreachableError",
    "UnclosedProducerWarning",
    "UnsentRecordsError",
    "UserRecord",
    "WaitInCallbackError",
    "deaggregate",
    "hash_key_of",
    "salted",
    "unsalted",
]
