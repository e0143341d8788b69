"""Effects that happen once: guards, inbox, stored outputs."""

from orderstream_consumer.idempotency.commands import CommandService
from orderstream_consumer.idempotency.dispatch import (
    Count,
    IsKnown,
    MessageHandler,
    Route,
    nobody_knows,
    uncounted,
)
from orderstream_consumer.idempotency.host_clock import TOLERATED_SKEW, ClockSkewedError, HostClock
from orderstream_consumer.idempotency.inbox import CAPACITY, Arrival, Inbox
from orderstream_consumer.idempotency.once import Change, Decision, Once, report_repetition
from orderstream_consumer.idempotency.publisher import CollectingPublisher, KinesisPublisher, Publisher
from orderstream_consumer.idempotency.received import Received
from orderstream_consumer.idempotency.state_items import StateItems

__all__ = [
    "CAPACITY",
    "TOLERATED_SKEW",
    "Arrival",
    "Change",
    "ClockSkewedError",
    "CollectingPublisher",
    "CommandService",
    "Count",
    "Decision",
    "HostClock",
    "Inbox",
    "IsKnown",
    "KinesisPublisher",
    "MessageHandler",
    "Once",
    "Publisher",
    "Received",
    "Route",
    "StateItems",
    "nobody_knows",
    "report_repetition",
    "uncounted",
]
