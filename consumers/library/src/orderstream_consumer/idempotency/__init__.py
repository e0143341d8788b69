"""Effects that happen once: guards, inbox, stored outputs."""

from orderstream_consumer.idempotency.dispatch import Count, MessageHandler, Route, uncounted
from orderstream_consumer.idempotency.emitter import CollectingEmitter, Emitter, KinesisEmitter
from orderstream_consumer.idempotency.host_clock import TOLERATED_SKEW, ClockSkewedError, HostClock
from orderstream_consumer.idempotency.inbox import CAPACITY, INBOX, Arrival, Inbox
from orderstream_consumer.idempotency.once import Change, Decision, Once, report_repetition
from orderstream_consumer.idempotency.received import Received

__all__ = [
    "CAPACITY",
    "INBOX",
    "TOLERATED_SKEW",
    "Arrival",
    "Change",
    "ClockSkewedError",
    "CollectingEmitter",
    "Count",
    "Decision",
    "Emitter",
    "HostClock",
    "Inbox",
    "KinesisEmitter",
    "MessageHandler",
    "Once",
    "Received",
    "Route",
    "report_repetition",
    "uncounted",
]
