"""Effects that happen once: guards, inbox, stored outputs, and the shared rate limit."""

from orderstream_workers.effects.dispatch import Count, MessageHandler, Route, uncounted
from orderstream_workers.effects.emitter import CollectingEmitter, Emitter, KinesisEmitter
from orderstream_workers.effects.host_clock import TOLERATED_SKEW, ClockSkewedError, HostClock
from orderstream_workers.effects.inbox import CAPACITY, INBOX, Arrival, Inbox
from orderstream_workers.effects.once import Change, Decision, Once, report_repetition
from orderstream_workers.effects.rate_limit import (
    RATE_LIMITS,
    Permits,
    RateLimiter,
    StoredRateLimiter,
    gcra,
)
from orderstream_workers.effects.received import Received

__all__ = [
    "CAPACITY",
    "INBOX",
    "RATE_LIMITS",
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
    "Permits",
    "RateLimiter",
    "Received",
    "Route",
    "StoredRateLimiter",
    "gcra",
    "report_repetition",
    "uncounted",
]
