"""What users need to test their handlers: a stream in the process, and delivery as a consumer does it."""

from orderstream_consumer.engines.embedded.leases import MemoryLeaseTable
from orderstream_consumer.store import MemoryStore
from orderstream_consumer.testing.fixture import ConsumerFixture, NotDeliveredError

__all__ = ["ConsumerFixture", "MemoryLeaseTable", "MemoryStore", "NotDeliveredError"]
