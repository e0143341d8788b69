"""What users need to test their handlers: a stream in the process, and delivery as a consumer does it."""

from orderstream_consumer.testing.command_fixture import CommandFixture, CommandParkedError
from orderstream_consumer.testing.fixture import ConsumerFixture, NotDeliveredError
from orderstream_consumer.testing.memory_leases import MemoryLeaseTable
from orderstream_consumer.testing.memory_store import Fault, FaultHook, MemoryStore

__all__ = [
    "CommandFixture",
    "CommandParkedError",
    "ConsumerFixture",
    "Fault",
    "FaultHook",
    "MemoryLeaseTable",
    "MemoryStore",
    "NotDeliveredError",
]
