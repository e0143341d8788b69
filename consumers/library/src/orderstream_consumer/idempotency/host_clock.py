"""The host's clock, held against AWS' own: no decision is made by a clock that is wrong.

::

                          |skew| > 5 s                     |skew| > 30 s
    TRUSTED ──────────────────────────> TRUSTED, a warning ──────────────> SKEWED: ``DependencyError``
       ^                                                                      │
       └──────────────────────── the clock was set right <────────────────────┘

Every AWS response names the time in its ``Date`` header, to the second. A date may be old, from a cache or
from a server that is too busy to renew it, but never early: where one is behind what earlier ones let expect,
the earlier ones count, for a minute. A decision that depends on the time
reads the store first, so the clock was compared a moment before it is asked. Where no response carries a
date, as behind a proxy that removes it, the host's clock is taken as it is, and a warning says so.
"""

import datetime as dt
import logging
import time
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from orderstream.aws import responded_at
from orderstream.errors import DependencyError
from orderstream_consumer.processing.clock import utc_now
from orderstream_consumer.processing.log_throttle import LogThrottle

logger = logging.getLogger(__name__)

TOLERATED_SKEW: Final = dt.timedelta(seconds=30)
"""How far a clock may be off AWS' and still decide. What rests on a deadline allows for as much."""

_WARNED_SKEW: Final = dt.timedelta(seconds=5)
_WARNING_EVERY: Final = 60.0
_UNDATED_EVERY: Final = 3600.0
_LONGEST_ROUND_TRIP: Final = 2.0
"""Seconds after which a response says little about the present: the process may have been frozen."""

_BELIEVED: Final = 60.0
"""Seconds for which dates count against later ones that are older than these let expect."""

_EXPECTED_WITHIN: Final = dt.timedelta(seconds=2)
"""Dates have whole seconds, and responses take different times."""

_HALF_A_SECOND: Final = dt.timedelta(seconds=0.5)
_ASKED_AT: Final = "orderstream_asked_at"


class ClockSkewedError(DependencyError):
    """This host's clock is too far off AWS' to decide anything by it.

    Args:
        skew: How far it is ahead; negative where it is behind.
    """

    def __init__(self, skew: dt.timedelta) -> None:
        self.skew = skew
        super().__init__(
            "the host's clock",
            "a decision",
            f"it is {skew.total_seconds():+.0f} s off AWS' clock, {TOLERATED_SKEW.total_seconds():.0f} s are "
            "tolerated; set it right (NTP)",
        )


class _Believed(NamedTuple):
    """A date by AWS' clock, when it came, and when one last agreed with it, both by the monotonic clock."""

    date: dt.datetime
    at: float
    confirmed_at: float


class HostClock:
    """The time, for decisions. Safe to use from many threads.

    Args:
        wall: The host's clock (UTC, with zone).
        monotonic: Seconds on a monotonic clock.
    """

    def __init__(
        self,
        wall: Callable[[], dt.datetime] = utc_now,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._wall = wall
        self._monotonic = monotonic
        self._warnings, self._undated = LogThrottle(_WARNING_EVERY), LogThrottle(_UNDATED_EVERY)
        self._believed: _Believed | None = None
        self.skew: dt.timedelta | None = None
        """How far the clock is ahead of AWS', to a second or two; None before the first comparison."""

    def __call__(self) -> dt.datetime:
        """The time (UTC).

        Raises:
            ClockSkewedError: the clock is wrong; decide later, or on another host.
        """
        if self.skewed:
            assert self.skew is not None
            raise ClockSkewedError(self.skew)
        return self._wall()

    @property
    def skewed(self) -> bool:
        """True while nothing may be decided by this clock."""
        return self.skew is not None and abs(self.skew) > TOLERATED_SKEW

    def trouble(self) -> str | None:
        """What is wrong with the clock, in one sentence; None if it may decide."""
        if not self.skewed:
            return None
        assert self.skew is not None
        return f"this host's clock is {self.skew.total_seconds():+.0f} s off AWS' clock and decides nothing"

    def report(self) -> dict[str, Any]:
        """What ``/health`` says of the clock."""
        return {"clock_skew_seconds": round(self.skew.total_seconds()) if self.skew is not None else None}

    def listen_to(self, client: Any) -> None:
        """Compare the clock with the date of every response that a boto3 client gets.

        Args:
            client: The client, of any service.
        """
        client.meta.events.register("request-created", self._on_request)
        client.meta.events.register("response-received", self._on_response)

    def observe(self, date: dt.datetime, round_trip: float) -> None:
        """Compare the clock with a date that was just received.

        Args:
            date: What AWS said (UTC), to the second.
            round_trip: Seconds since the request was sent.
        """
        if not 0 <= round_trip <= _LONGEST_ROUND_TRIP:
            return
        self.skew = self._wall() - self._aws_time(date) - _HALF_A_SECOND
        if abs(self.skew) > _WARNED_SKEW:
            self._warn(self.skew)

    def _aws_time(self, date: dt.datetime) -> dt.datetime:
        """AWS' time now, by a date that has just come and by the earlier ones."""
        now, believed = self._monotonic(), self._believed
        if believed is not None:
            expected = believed.date + dt.timedelta(seconds=now - believed.at)
            confirmed = date >= expected - _EXPECTED_WITHIN
            if date <= expected and (confirmed or now - believed.confirmed_at <= _BELIEVED):
                if confirmed:
                    self._believed = believed._replace(confirmed_at=now)
                return expected
        self._believed = _Believed(date, now, now)
        return date

    def _warn(self, skew: dt.timedelta) -> None:
        if not self._warnings.is_due(self._monotonic()):
            return
        logger.log(
            logging.ERROR if self.skewed else logging.WARNING,
            "this host's clock is %+.0f s off AWS' clock%s",
            skew.total_seconds(),
            "; it decides nothing until it is set right" if self.skewed else "",
        )

    def _on_request(self, request: Any, **_: Any) -> None:
        request.context[_ASKED_AT] = self._monotonic()

    def _on_response(self, response_dict: Any, context: Any, **_: Any) -> None:
        asked_at = (context or {}).get(_ASKED_AT)
        if asked_at is None or not response_dict:
            return
        date = responded_at(response_dict.get("headers") or {})
        if date is not None:
            self.observe(date, self._monotonic() - asked_at)
        elif self.skew is None and self._undated.is_due(self._monotonic()):
            logger.warning(
                "AWS' responses carry no Date, so this host's clock is taken as it is: a proxy may remove it"
            )
