"""No authentication: for a machine of one's own."""

import ipaddress
from typing import Final

from orderstream_orders.callers.caller import (
    ANONYMOUS,
    CALLER_HEADER,
    SCOPES,
    Caller,
    HeaderValues,
    Refusal,
)

_ANONYMOUS: Final = Caller(ANONYMOUS, SCOPES)


class LoopbackCallers:
    """All clients that can reach the process are one caller, who may do everything."""

    knows_callers = False

    def identify(self, headers: HeaderValues) -> Caller | Refusal:
        """See ``Authentication.identify``; who names itself is refused, for the name would not count."""
        return Refusal("foreign_header", "caller header") if headers(CALLER_HEADER) else _ANONYMOUS


def is_loopback(host: str) -> bool:
    """Whether this machine alone can reach an address. Of names, only ``localhost`` is one."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
