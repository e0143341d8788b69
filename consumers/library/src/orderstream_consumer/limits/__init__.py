"""Limits that the workers of a fleet share."""

from orderstream_consumer.limits.rate_limit import RATE_LIMITS, Permits, RateLimiter, StoredRateLimiter, gcra

__all__ = ["RATE_LIMITS", "Permits", "RateLimiter", "StoredRateLimiter", "gcra"]
