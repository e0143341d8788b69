"""Verification of a token: a function of the token, the keys, the policy and the time, without calls.

RFC 7519 (claims), RFC 7515 (signatures), RFC 8725 (best current practice), RFC 9068 (access tokens).
"""

import base64
import datetime as dt
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from orderstream_orders.callers.caller import SCOPES, Caller, is_name
from orderstream_orders.callers.key_set import VerificationKey

MAX_TOKEN: Final = 8_192
"""Longest token, in characters."""

LEEWAY: Final = dt.timedelta(seconds=30)
"""How far the issuer's clock and ours may be apart; the rest of the pipeline tolerates as much."""

LONGEST_LIFE: Final = dt.timedelta(days=1)
"""Longest time from ``iat`` to ``exp``: a token cannot be revoked before."""

_LARGEST_NUMBER: Final = 2.0**53
_SEGMENTS: Final = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+", re.ASCII)
_LAST_CHARACTERS: Final = (
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_",
    "",
    "AQgw",
    "AEIMQUYcgkosw048",
)
"""What a segment may end with, by its length modulo 4: it is never 1, and 2 and 3 leave bits unused."""

_TYPES: Final = frozenset({"jwt", "at+jwt", "application/at+jwt"})

_FORBIDDEN: Final = frozenset({"crit", "b64", "zip", "enc", "jwk", "jku", "x5u", "x5c"})
"""Members of a header that bring a key along, say where one is, or change what is signed."""

Reason = Literal[
    "no token",
    "too large",
    "no JWS",
    "header",
    "forbidden header",
    "algorithm",
    "unknown key",
    "signature",
    "claims",
    "issuer",
    "audience",
    "time",
    "expired",
    "not yet valid",
    "lives too long",
    "subject",
    "scope",
]
"""Why a token is not valid: for the log, never for the client."""


@dataclass(frozen=True, slots=True)
class TokenPolicy:
    """Which tokens are ours.

    Attributes:
        issuer: What ``iss`` has to be, to the letter.
        audience: What ``aud`` has to be or to contain; ``client_id`` where there is no ``aud``, as in access
            tokens of Amazon Cognito.
        scope_prefix: What the issuer puts before the names of our scopes, such as ``orderstream/``.
        leeway: How far the clocks may be apart.
        longest_life: The longest time from ``iat`` to ``exp``.
    """

    issuer: str
    audience: str
    scope_prefix: str = ""
    leeway: dt.timedelta = LEEWAY
    longest_life: dt.timedelta = LONGEST_LIFE


def verify(
    token: str, keys: Mapping[str, VerificationKey], policy: TokenPolicy, now: dt.datetime
) -> Caller | Reason:
    """Whose token it is.

    Args:
        token: In compact form (RFC 7515, section 7.1).
        keys: The issuer's keys, by id.
        policy: Which tokens are ours.
        now: The time (UTC, with zone).

    Returns:
        The caller with those of our scopes that the token grants, or why the token is not valid.
    """
    try:
        return _caller(_signed_claims(token, keys), policy, now.timestamp())
    except _NotValidError as error:
        return error.reason


class _NotValidError(Exception):
    def __init__(self, reason: Reason) -> None:
        self.reason: Final = reason
        super().__init__(reason)


def _signed_claims(token: str, keys: Mapping[str, VerificationKey]) -> dict[str, Any]:
    if len(token) > MAX_TOKEN:
        raise _NotValidError("too large")
    if _SEGMENTS.fullmatch(token) is None:
        raise _NotValidError("no JWS")
    signed, _, signature = token.rpartition(".")
    header_segment, _, claims_segment = signed.partition(".")
    header = _object(header_segment, "header")
    if not _FORBIDDEN.isdisjoint(header):
        raise _NotValidError("forbidden header")
    kind = header.get("typ", "JWT")
    if not isinstance(kind, str) or kind.lower() not in _TYPES:
        raise _NotValidError("header")
    kid, algorithm = header.get("kid"), header.get("alg")
    if not isinstance(kid, str) or not isinstance(algorithm, str):
        raise _NotValidError("header")
    key = keys.get(kid)
    if key is None:
        raise _NotValidError("unknown key")
    if algorithm not in key.algorithms:
        raise _NotValidError("algorithm")
    if not key.verify(signed.encode(), _decoded(signature, "signature")):
        raise _NotValidError("signature")
    return _object(claims_segment, "claims")


def _caller(claims: Mapping[str, Any], policy: TokenPolicy, now: float) -> Caller:
    if claims.get("iss") != policy.issuer:
        raise _NotValidError("issuer")
    audience = claims["aud"] if "aud" in claims else claims.get("client_id")
    if audience != policy.audience and not (isinstance(audience, list) and policy.audience in audience):
        raise _NotValidError("audience")
    _check_times(claims, policy, now)
    name = claims.get("sub")
    if not isinstance(name, str) or not is_name(name):
        raise _NotValidError("subject")
    return Caller(name, _scopes(claims, policy.scope_prefix))


def _check_times(claims: Mapping[str, Any], policy: TokenPolicy, now: float) -> None:
    leeway = policy.leeway.total_seconds()
    expires, issued = _number(claims, "exp"), _number(claims, "iat")
    begins = _number(claims, "nbf") if "nbf" in claims else issued
    if now >= expires + leeway:
        raise _NotValidError("expired")
    if max(issued, begins) > now + leeway:
        raise _NotValidError("not yet valid")
    if expires - issued > policy.longest_life.total_seconds():
        raise _NotValidError("lives too long")


def _number(claims: Mapping[str, Any], name: str) -> float:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= _LARGEST_NUMBER:
        raise _NotValidError("time")
    return float(value)


def _scopes(claims: Mapping[str, Any], prefix: str) -> frozenset[str]:
    given = claims.get("scope", claims.get("scp", ""))
    names = given.split(" ") if isinstance(given, str) else given
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise _NotValidError("scope")
    return SCOPES & {name.removeprefix(prefix) for name in names if name.startswith(prefix)}


def _object(segment: str, reason: Reason) -> dict[str, Any]:
    try:
        found = _JSON.decode(_decoded(segment, reason).decode())
    except (ValueError, RecursionError) as error:
        raise _NotValidError(reason) from error
    if not isinstance(found, dict):
        raise _NotValidError(reason)
    return found


def _decoded(segment: str, reason: Reason) -> bytes:
    """The bytes of a segment, in the one form that they have: unused bits at its end are 0."""
    if segment[-1] not in _LAST_CHARACTERS[len(segment) % 4]:
        raise _NotValidError(reason)
    return base64.urlsafe_b64decode(segment + "==")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """RFC 7519, section 4: the meaning of a name that comes twice is unknown."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name comes twice")
    return found


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


_JSON: Final = json.JSONDecoder(object_pairs_hook=_once, parse_constant=_no_constant)
