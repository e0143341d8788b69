"""Orderstream: put events into Kinesis Data Streams as Amazon's KPL does, in pure Python."""

from orderstream.aggregation import UserRecord
from orderstream.configuration import ConfigError
from orderstream.errors import AwsSettingsError, DependencyError, MissingExtraError, OrderstreamError
from orderstream.observability.metrics import AggregatingMeter, EmfExporter, Exporting, Meter, Metric
from orderstream.producer.async_producer import AsyncProducer
from orderstream.producer.config import ProducerConfig
from orderstream.producer.delivery import Delivery
from orderstream.producer.errors import (
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
from orderstream.producer.outcome import Attempt, Delivered
from orderstream.producer.producer import Producer
from orderstream.producer.requests.target import KinesisCalls
from orderstream.producer.salting import salted, unsalted
from orderstream.publisher import EventPublisher

__all__ = [
    "AggregatingMeter",
    "AsyncProducer",
    "Attempt",
    "AwsSettingsError",
    "BufferFullError",
    "ConfigError",
    "Delivered",
    "Delivery",
    "DeliveryFailedError",
    "DeliveryPendingError",
    "DependencyError",
    "EmfExporter",
    "EventPublisher",
    "Exporting",
    "ForeignLoopError",
    "ForkedProducerError",
    "HeldUpError",
    "Interceptor",
    "KinesisCalls",
    "Meter",
    "Metric",
    "MissingExtraError",
    "OrderstreamError",
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
    "UserRecord",
    "WaitInCallbackError",
    "salted",
    "unsalted",
]
