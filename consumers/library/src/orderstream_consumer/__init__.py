"""Consume Kinesis streams as Amazon's KCL does: leases, checkpoints, lanes, parking. It knows no orders."""

from orderstream.configuration import ConfigError
from orderstream.errors import DependencyError, OrderstreamError
from orderstream_consumer.consumer.config import ConsumerConfig
from orderstream_consumer.consumer.consumer import Consumer
from orderstream_consumer.consumer.errors import (
    ConsumerDrainingError,
    ConsumerNotReadyError,
    ConsumerStateError,
    HandlerNotImportableError,
    OtherStreamError,
    RecordFailedError,
)
from orderstream_consumer.consumer.stream import KinesisReads
from orderstream_consumer.delivery import ParkedKey, ParkedRecord, ParkedRecords, RedriveStoppedError
from orderstream_consumer.idempotency import CommandService
from orderstream_consumer.processing.record import DeliveredRecord, Position

__all__ = [
    "CommandService",
    "ConfigError",
    "Consumer",
    "ConsumerConfig",
    "ConsumerDrainingError",
    "ConsumerNotReadyError",
    "ConsumerStateError",
    "DeliveredRecord",
    "DependencyError",
    "HandlerNotImportableError",
    "KinesisReads",
    "OrderstreamError",
    "OtherStreamError",
    "ParkedKey",
    "ParkedRecord",
    "ParkedRecords",
    "Position",
    "RecordFailedError",
    "RedriveStoppedError",
]
