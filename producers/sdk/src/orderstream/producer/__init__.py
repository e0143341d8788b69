"""A Kinesis producer in the manner of Amazon's KPL."""

from orderstream.configuration import ConfigError
from orderstream.producer.async_producer import AsyncProducer
from orderstream.producer.config import ProducerConfig
from orderstream.producer.delivery import Delivery
from orderstream.producer.errors import (
    AwsSettingsError,
    BufferFullError,
    DeliveryFailedError,
    DeliveryPendingError,
    ForeignLoopError,
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
from orderstream.producer.hooks import Interceptor, Partitioner
from orderstream.producer.metrics import PRODUCER_METRICS
from orderstream.producer.outcome import Attempt, Delivered
from orderstream.producer.producer import Producer
from orderstream.producer.requests.target import KinesisCalls
from orderstream.producer.salting import salted, unsalted

__all__ = [
    "PRODUCER_METRICS",
    "AsyncProducer",
    "Attempt",
    "AwsSettingsError",
    "BufferFullError",
    "ConfigError",
    "Delivered",
    "Delivery",
    "DeliveryFailedError",
    "DeliveryPendingError",
    "ForeignLoopError",
    "ForkedProducerError",
    "HeldUpError",
    "Interceptor",
    "KinesisCalls",
    "Partitioner",
    "Producer",
    "ProducerClosedError",
    "ProducerConfig",
    "RecordInvalidError",
    "RecordTooLargeError",
    "StreamUnavailableError",
    "StreamUnreachableError",
    "UnclosedProducerWarning",
    "UnsentRecordsError",
    "WaitInCallbackError",
    "salted",
    "unsalted",
]
