"""Limits that the workers of a fleet share: of calls a second, and of calls at the same time."""

from orderstream_consumer.limits.rate_limit import RATE_LIMITS, Permits, RateLimiter, StoredRateLimiter, gcra
from orderstream_consumer.limits.shared_slots import SharedSlots, SlotExpiredError
from orderstream_consumer.limits.slots import SlotLimit

__all__ = [
    "RATE_LIMITS",
    "Permits",
    "RateLimiter",
    "SharedSlots",
    "SlotExpiredError",
    "SlotLimit",
    "StoredRateLimiter",
    "gcra",
]
