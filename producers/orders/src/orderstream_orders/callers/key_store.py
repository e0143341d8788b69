"""Which keys are good now, and when the issuer is asked for them again.

One key::

    unknown ──in a set──> current ──not in the next set──> retired ──grace is over──> unknown
                             ^────────── in a set again ──────┘

The set::

    never had ──set──> fresh ──5 min, or an unknown key and 1 min──> due ──set──> fresh
                                                                      └──no reply──> due again after 1 min

A client that presents a token changes only one bit: that a key was unknown. So a flood of made-up keys asks
the issuer once a minute, as one token does. A set that could not be confirmed for a day is trusted no more.
"""

import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from orderstream.errors import DependencyError, OrderstreamError
from orderstream_orders.callers.key_set import VerificationKey, read_key_set

logger = logging.getLogger(__name__)

REFRESH_EVERY: Final = 300.0
"""Seconds between two questions for the set, while all goes well."""

AT_MOST_EVERY: Final = 60.0
"""Fewest seconds between two questions, whatever is presented and however they end."""

GRACE: Final = 600.0
"""Seconds for which a key that has left the set is still good: for tokens that it signed just before."""

TRUSTED_FOR: Final = 86_400.0
"""Seconds for which a set is good that the issuer does not confirm."""

_LOOK_EVERY: Final = 0.5
"""Seconds between two looks at whether the set is due."""


@dataclass(frozen=True, slots=True)
class KeyStoreState:
    """What is known of the issuer's keys. Times are seconds of a clock that never goes back.

    Attributes:
        current: The keys of the newest set.
        retired: Keys that have left it, each with the time at which it was seen to be gone.
        confirmed_at: When the newest set came; None before the first.
        asked_at: When the issuer was asked last; None before.
        wanted: Whether a token has named an unknown key since.
    """

    current: Mapping[str, VerificationKey] = field(default_factory=dict)
    retired: Mapping[str, tuple[VerificationKey, float]] = field(default_factory=dict)
    confirmed_at: float | None = None
    asked_at: float | None = None
    wanted: bool = False

    def is_due(self, now: float) -> bool:
        """Whether the issuer should be asked."""
        if self.asked_at is None:
            return True
        since = now - self.asked_at
        answered = self.confirmed_at is not None and self.confirmed_at >= self.asked_at
        return since >= (AT_MOST_EVERY if self.wanted or not answered else REFRESH_EVERY)

    def asked(self, now: float) -> "KeyStoreState":
        """The issuer is being asked."""
        return replace(self, asked_at=now, wanted=False)

    def responded(self, keys: Mapping[str, VerificationKey], now: float) -> "KeyStoreState":
        """The issuer has given its set."""
        gone = {kid: (key, now) for kid, key in self.current.items() if kid not in keys}
        kept = {
            kid: (key, since)
            for kid, (key, since) in self.retired.items()
            if kid not in keys and now - since < GRACE
        }
        return replace(self, current=keys, retired=kept | gone, confirmed_at=now)

    def good(self, now: float) -> Mapping[str, VerificationKey]:
        """The keys that verify tokens now; none before the first set, or once it is trusted no more."""
        if self.confirmed_at is None or now - self.confirmed_at >= TRUSTED_FOR:
            return {}
        if not self.retired:
            return self.current
        retired = {kid: key for kid, (key, since) in self.retired.items() if now - since < GRACE}
        return {**retired, **self.current}


class IssuerKeys:
    """The issuer's keys in a process; ``run`` belongs to a thread, the rest is safe from any thread.

    Args:
        fetch: Gives the issuer's key set as it is now; raises an ``OrderstreamError`` if it cannot be had.
        clock: Seconds of a clock that never goes back.
    """

    def __init__(self, fetch: Callable[[], bytes], clock: Callable[[], float]) -> None:
        self._fetch = fetch
        self._clock = clock
        self._state = KeyStoreState()
        self._failure = "it was not asked for yet"
        self._lock = threading.Lock()

    def good(self) -> Mapping[str, VerificationKey]:
        """The keys that verify tokens now, by id."""
        return self._state.good(self._clock())

    def want(self) -> None:
        """A token has named a key that is not among them."""
        if not self._state.wanted:
            with self._lock:
                self._state = replace(self._state, wanted=True)

    def ask(self) -> None:
        """Say whether tokens can be verified; it calls nothing.

        Raises:
            DependencyError: there are no keys.
        """
        if not self.good():
            raise DependencyError("issuer", "the key set", self._failure)

    def refresh_if_due(self) -> None:
        """Ask the issuer if it is time to."""
        with self._lock:
            now = self._clock()
            if not self._state.is_due(now):
                return
            self._state = self._state.asked(now)
        try:
            keys = read_key_set(self._fetch())
        except OrderstreamError as error:
            self._failure = str(error)
            logger.warning("the issuer's key set cannot be had", extra={"reason": self._failure})
            return
        with self._lock:
            known = set(self._state.current)
            self._state = self._state.responded(keys, self._clock())
        if known != set(keys):
            logger.info("the issuer's keys", extra={"key_ids": sorted(keys)})

    def run(self, stop: threading.Event) -> None:
        """Keep the keys fresh until stopped."""
        self.refresh_if_due()
        while not stop.wait(_LOOK_EVERY):
            self.refresh_if_due()
