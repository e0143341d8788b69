"""The host's clock, for callers that inject no other."""

import datetime as dt


def utc_now() -> dt.datetime:
    """The time (UTC)."""
    return dt.datetime.now(dt.UTC)
