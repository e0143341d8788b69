"""The public face: a handler, a stream's name, and an application that reads it."""

from orderstream.configuration import ConfigError
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

__all__ = [
    "ConfigError",
    "Consumer",
    "ConsumerConfig",
    "ConsumerDrainingError",
    "ConsumerNotReadyError",
    "ConsumerStateError",
    "HandlerNotImportableError",
    "KinesisReads",
    "OtherStreamError",
    "RecordFailedError",
]
