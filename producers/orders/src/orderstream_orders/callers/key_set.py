"""An issuer's key set (RFC 7517), read strictly: public keys, each with the algorithms that it is for.

What a token says of itself never chooses the algorithm: the key does. An RSA key verifies RS256 and nothing
else, so its public half can never be taken for the secret of an HMAC.
"""

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey
from joserfc.jws import JWSRegistry

from orderstream.errors import OrderstreamError

MAX_KEY_SET: Final = 256 * 1024
"""Largest key set that is read, in bytes."""

MAX_KEYS: Final = 64
"""Most keys of a set."""

MAX_KEY_ID: Final = 255
"""Most characters of a key's id."""

_RSA_BITS: Final = range(2048, 8193)
"""Below, RFC 7518 (section 3.3) forbids it; above, each verification would cost the API too much."""

_PRIVATE: Final = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})

Verify = Callable[[bytes, bytes], bool]
"""Whether a signature (second) is one of some bytes (first)."""


class KeySetError(OrderstreamError):
    """A document is no key set, or has no key that can be used.

    Args:
        reason: Why not.
    """

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(f"the key set cannot be used: {reason}")


@dataclass(frozen=True, slots=True)
class VerificationKey:
    """A public key of the issuer.

    Attributes:
        algorithms: What a token's ``alg`` may be if this is its key.
        verify: Verifies a signature.
    """

    algorithms: frozenset[str]
    verify: Verify


def read_key_set(document: bytes) -> Mapping[str, VerificationKey]:
    """Read a key set.

    A key that cannot be used is passed over: of another kind or use, without an id, too weak, or with its
    private half. Of an id that comes twice no key is taken, since it is unknown which one signed.

    Args:
        document: The JSON document.

    Returns:
        The keys by id, at least one.

    Raises:
        KeySetError: there is none.
    """
    if len(document) > MAX_KEY_SET:
        raise KeySetError(f"it has more than {MAX_KEY_SET:,} bytes")
    try:
        entries = msgspec.json.decode(document, type=_KeySet).keys
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise KeySetError("it is not JSON with a list `keys` of objects") from error
    if len(entries) > MAX_KEYS:
        raise KeySetError(f"it has more than {MAX_KEYS} keys")
    ids = [entry.get("kid") for entry in entries]
    found: dict[str, VerificationKey] = {}
    for entry, kid in zip(entries, ids, strict=True):
        if not isinstance(kid, str) or not 1 <= len(kid) <= MAX_KEY_ID or ids.count(kid) > 1:
            continue
        if (key := _usable(entry)) is not None:
            found[kid] = key
    if not found:
        raise KeySetError("none of its keys is a public one for RS256, ES256 or EdDSA with an id of its own")
    return found


class _KeySet(msgspec.Struct):
    keys: list[dict[str, Any]]


def _usable(entry: Mapping[str, Any]) -> VerificationKey | None:
    if not _PRIVATE.isdisjoint(entry) or entry.get("use", "sig") != "sig":
        return None
    key_operations = entry.get("key_ops", ["verify"])
    if not isinstance(key_operations, list) or "verify" not in key_operations:
        return None
    try:
        key = _imported(entry)
    except (JoseError, ValueError, TypeError, KeyError):
        return None
    if key is None or entry.get("alg", next(iter(key.algorithms))) not in key.algorithms:
        return None
    return key


def _imported(entry: Mapping[str, Any]) -> VerificationKey | None:
    match entry.get("kty"), entry.get("crv"):
        case "RSA", None:
            if _bits(entry["n"]) not in _RSA_BITS:
                return None
            rsa = RSAKey.import_key({name: entry[name] for name in ("kty", "n", "e")})
            assert rsa.public_key is not None
            return VerificationKey(frozenset({"RS256"}), _verifier("RS256", rsa))
        case "EC", "P-256":
            ec = ECKey.import_key({name: entry[name] for name in ("kty", "crv", "x", "y")})
            assert ec.public_key is not None
            return VerificationKey(frozenset({"ES256"}), _verifier("ES256", ec))
        case "OKP", "Ed25519":
            okp = OKPKey.import_key({name: entry[name] for name in ("kty", "crv", "x")})
            if not isinstance(okp.public_key, Ed25519PublicKey):
                return None
            # RFC 9864 names the algorithm after its curve; tokens say either.
            return VerificationKey(frozenset({"EdDSA", "Ed25519"}), _verifier("EdDSA", okp))
        case _:
            return None


def _bits(number: str) -> int:
    return int.from_bytes(base64.urlsafe_b64decode(number + "==")).bit_length()


def _verifier(algorithm: str, key: RSAKey | ECKey | OKPKey) -> Verify:
    model = JWSRegistry.algorithms[algorithm]
    return lambda signed, signature: model.verify(signed, signature, key)
