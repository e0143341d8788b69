"""Callers as a gateway names them, which proves by a shared secret that it is the gateway."""

import hashlib
import hmac
from collections.abc import Sequence
from typing import Final

from orderstream.errors import OrderstreamError
from orderstream_orders.callers.caller import (
    CALLER_HEADER,
    READ,
    WRITE,
    Caller,
    HeaderValues,
    Refusal,
    is_name,
)

SECRET_HEADER: Final = "X-Gateway-Secret"  # noqa: S105 - the header's name, not what is in it
"""Carries the secret."""

MIN_SECRET: Final = 32
"""Fewest characters of a secret: 128 bits, where each character is a hexadecimal digit."""

MAX_SECRETS: Final = 2
"""Secrets at a time: the one that the gateway sends, and its successor or predecessor while it changes."""


class GatewaySecretError(OrderstreamError):
    """The secrets cannot be used. It quotes none of them.

    Args:
        reason: Why not, and what they have to be.
    """

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class GatewayCallers:
    """The caller is who the gateway says in ``X-Caller``, if ``X-Gateway-Secret`` is one of the secrets.

    The gateway checks what its callers may do; it admits to reading and writing.

    Args:
        secrets: One or two, each of at least 32 visible characters of ASCII, without white space.

    Raises:
        GatewaySecretError: there is none, one is too short, or there are more than two.
    """

    knows_callers = True

    def __init__(self, secrets: Sequence[str]) -> None:
        if not 1 <= len(secrets) <= MAX_SECRETS:
            raise GatewaySecretError(f"there have to be 1 or {MAX_SECRETS} secrets, not {len(secrets)}")
        for number, secret in enumerate(secrets, start=1):
            if len(secret) < MIN_SECRET or not (secret.isascii() and secret.isprintable()) or " " in secret:
                raise GatewaySecretError(
                    f"secret {number} has to have at least {MIN_SECRET} visible characters of ASCII, "
                    "for example the output of `openssl rand -hex 32`"
                )
        self._digests = tuple(_digest(secret) for secret in secrets)

    def identify(self, headers: HeaderValues) -> Caller | Refusal:
        """See ``Authentication.identify``."""
        given, names = headers(SECRET_HEADER), headers(CALLER_HEADER)
        # Digests have one length, and each is compared: the time says nothing of the secrets.
        digest = _digest(given[0] if given else "")
        matches = [hmac.compare_digest(digest, known) for known in self._digests]
        if not any(matches) or len(given) != 1:
            return Refusal("unauthenticated", "gateway secret")
        if len(names) != 1 or not is_name(names[0]):
            return Refusal("unauthenticated", "caller header")
        return Caller(names[0], frozenset({READ, WRITE}))


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).digest()
