"""Callers as their tokens say (RFC 6750), verified in the process itself."""

import datetime as dt
from collections.abc import Callable
from typing import Final

from orderstream_orders.callers.caller import CALLER_HEADER, Caller, HeaderValues, Refusal
from orderstream_orders.callers.key_store import IssuerKeys
from orderstream_orders.callers.token import TokenPolicy, verify

_SCHEME: Final = "bearer"


class BearerCallers:
    """The caller is the subject of the token in ``Authorization: Bearer``.

    Args:
        keys: The issuer's keys, which another component refreshes.
        policy: Which tokens are ours.
        clock: The time (UTC, with zone).
    """

    knows_callers = True

    def __init__(self, keys: IssuerKeys, policy: TokenPolicy, clock: Callable[[], dt.datetime]) -> None:
        self._keys = keys
        self._policy = policy
        self._clock = clock

    def identify(self, headers: HeaderValues) -> Caller | Refusal:
        """See ``Authentication.identify``."""
        given = headers("Authorization")
        scheme, _, token = given[0].partition(" ") if len(given) == 1 else ("", "", "")
        if scheme.lower() != _SCHEME:
            return Refusal("unauthenticated", "no token")
        keys = self._keys.good()
        if not keys:
            return Refusal("unavailable", "no keys")
        found = verify(token, keys, self._policy, self._clock())
        if not isinstance(found, Caller):
            if found == "unknown key":
                self._keys.want()
            return Refusal("unauthenticated", found)
        # Not ignored: its sender believes that it decides, or tests whether it does.
        return Refusal("foreign_header", "caller header") if headers(CALLER_HEADER) else found
