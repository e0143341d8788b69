"""Which keys of an issuer's set are used, and for which algorithms."""

import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from joserfc.jwk import ECKey, OctKey, OKPKey

from fakes.callers import ALGORITHMS, key_set, segment, signing_key
from orderstream_orders.callers.key_set import MAX_KEY_SET, MAX_KEYS, KeySetError, read_key_set

EC = signing_key("ES256")


def test_a_key_says_what_it_verifies() -> None:
    """One algorithm for each kind of key; Ed25519 has two names."""
    found = read_key_set(key_set(*map(signing_key, ALGORITHMS)))
    assert {kid: set(key.algorithms) for kid, key in found.items()} == {
        "RS256-key": {"RS256"},
        "ES256-key": {"ES256"},
        "EdDSA-key": {"EdDSA", "Ed25519"},
    }


def _weak() -> dict[str, Any]:
    modulus = rsa.generate_private_key(65537, 1024).public_key().public_numbers().n
    return {"kty": "RSA", "e": "AQAB", "n": segment(modulus.to_bytes(128, "big"))}


USELESS: dict[str, dict[str, Any]] = {
    "for encryption": EC.jwk(use="enc"),
    "for signing only": EC.jwk(key_ops=["sign"]),
    "operations that are no list": EC.jwk(key_ops="verify"),
    "of another algorithm": EC.jwk(alg="ES384"),
    "of an HMAC by its word": signing_key("RS256").jwk(alg="HS256"),
    "with its private half": EC.jwk(d="AAAA"),
    "a shared secret": OctKey.generate_key(256).as_dict(),
    "1,024 bits": _weak(),
    "another curve": ECKey.import_key(ec.generate_private_key(ec.SECP384R1())).as_dict(private=False),
    "for key agreement": OKPKey.generate_key("X25519").as_dict(private=False),
    "not on the curve": EC.jwk(x=EC.jwk()["y"]),
    "a part missing": {name: value for name, value in EC.jwk().items() if name != "y"},
    "a part that is no text": EC.jwk(x=7),
    "a kind that is none": EC.jwk(kty="PQ"),
    "no kind": {"x": 1},
}


@pytest.mark.parametrize("name", USELESS)
def test_a_key_that_cannot_be_used_is_passed_over(name: str) -> None:
    """Beside good ones it does no harm, and alone the set is none."""
    entry = {**USELESS[name], "kid": "useless"}
    document = json.dumps({"keys": [entry, EC.jwk()]}).encode()
    assert set(read_key_set(document)) == {EC.kid}
    with pytest.raises(KeySetError, match="none of its keys"):
        read_key_set(json.dumps({"keys": [entry]}).encode())


@pytest.mark.parametrize("kid", [None, "", 7, "k" * 256, EC.kid])
def test_a_key_needs_an_id_of_its_own(kid: Any) -> None:
    """Without one no token can name it; of two with one id nobody could say which one signed."""
    other = signing_key("ES256", "other")
    document = json.dumps({"keys": [other.jwk(kid=kid), EC.jwk(), signing_key("RS256").jwk()]}).encode()
    assert set(read_key_set(document)) == {"RS256-key"} | ({EC.kid} if kid != EC.kid else set())


@pytest.mark.parametrize(
    "document",
    [
        *(
            b"",
            b"{",
            b"[]",
            b"{}",
            b'{"keys": {}}',
            b'{"keys": [7]}',
            b'{"keys": []}',
            b"<html>gateway</html>",
        ),
        *(b"\xff", b'{"keys":' + b"[" * 100_000, b" " * (MAX_KEY_SET + 1)),
        json.dumps({"keys": [EC.jwk(kid=str(number)) for number in range(MAX_KEYS + 1)]}).encode(),
    ],
)
def test_what_is_no_key_set_is_refused_with_a_sentence(document: bytes) -> None:
    """A gateway's page, another form, or too much of it: never an empty set of keys."""
    with pytest.raises(KeySetError, match="the key set cannot be used"):
        read_key_set(document)
