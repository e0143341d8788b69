"""Callers for tests: by a gateway's word, and an issuer whose tokens can be forged in every way."""

import base64
import datetime as dt
import functools
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from joserfc.jwk import ECKey, OKPKey, RSAKey

from orderstream_orders.callers import GatewayCallers
from orderstream_orders.callers.bearer import BearerCallers
from orderstream_orders.callers.key_store import IssuerKeys
from orderstream_orders.callers.token import TokenPolicy

SECRET: Final = "a-gateway-secret-of-more-than-32-characters"
NOW: Final = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
POLICY: Final = TokenPolicy(issuer="https://issuer.example.com/", audience="orderstream")

ALGORITHMS: Final = ("RS256", "ES256", "EdDSA")

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey


def gateway() -> GatewayCallers:
    return GatewayCallers([SECRET])


def as_caller(name: str) -> dict[str, str]:
    """What the gateway sends with a caller's request."""
    return {"X-Caller": name, "X-Gateway-Secret": SECRET}


def segment(content: bytes | Mapping[str, Any]) -> str:
    """A part of a token, whatever is in it."""
    if not isinstance(content, bytes):
        content = json.dumps(content).encode()
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


@dataclass(frozen=True)
class SigningKey:
    kid: str
    algorithm: str
    private: PrivateKey

    def signature(self, signed: bytes) -> bytes:
        match self.private:
            case rsa.RSAPrivateKey():
                return self.private.sign(signed, padding.PKCS1v15(), hashes.SHA256())
            case ec.EllipticCurvePrivateKey():
                r, s = decode_dss_signature(self.private.sign(signed, ec.ECDSA(hashes.SHA256())))
                return r.to_bytes(32, "big") + s.to_bytes(32, "big")
            case _:
                return self.private.sign(signed)

    def jwk(self, **more: Any) -> dict[str, Any]:
        kind = {"RS256": RSAKey, "ES256": ECKey}.get(self.algorithm, OKPKey)
        public = kind(self.private.public_key(), self.private.public_key()).as_dict(private=False)
        return {**public, "kid": self.kid, "use": "sig", **more}

    def sign(self, claims: bytes | Mapping[str, Any], **header: Any) -> str:
        """A token, truly signed, whatever its claims and its header say."""
        told = {"alg": self.algorithm, "typ": "JWT", "kid": self.kid} | header
        return self.sign_raw(json.dumps(told).encode(), claims)

    def sign_raw(self, header: bytes, claims: bytes | Mapping[str, Any]) -> str:
        signed = f"{segment(header)}.{segment(claims)}"
        return f"{signed}.{segment(self.signature(signed.encode()))}"


@functools.cache
def signing_key(algorithm: str, kid: str | None = None) -> SigningKey:
    private: PrivateKey
    match algorithm:
        case "RS256":
            private = rsa.generate_private_key(65537, 2048)
        case "ES256":
            private = ec.generate_private_key(ec.SECP256R1())
        case _:
            private = ed25519.Ed25519PrivateKey.generate()
    return SigningKey(kid or f"{algorithm}-key", algorithm, private)


def key_set(*keys: SigningKey) -> bytes:
    return json.dumps({"keys": [key.jwk() for key in keys]}).encode()


def claims(caller: str = "alice", now: dt.datetime = NOW, **more: Any) -> dict[str, Any]:
    """What a good token says; None leaves a claim out."""
    issued = int(now.timestamp())
    said = {
        "iss": POLICY.issuer,
        "aud": POLICY.audience,
        "sub": caller,
        "iat": issued - 10,
        "nbf": issued - 10,
        "exp": issued + 600,
        "scope": "orders:write orders:read",
    } | more
    return {name: value for name, value in said.items() if value is not None}


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def known_keys() -> IssuerKeys:
    """The keys of an issuer that has one of each kind."""
    keys = IssuerKeys(lambda: key_set(*map(signing_key, ALGORITHMS)), lambda: 0.0)
    keys.refresh_if_due()
    return keys


def bearers() -> BearerCallers:
    return BearerCallers(known_keys(), POLICY, lambda: NOW)
