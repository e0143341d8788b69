"""Whose a token is, and every way in which it is nobody's."""

import base64
import hashlib
import hmac
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from fakes.callers import ALGORITHMS, NOW, POLICY, bearers, claims, key_set, segment, signing_key
from orderstream_orders.callers import READ, WRITE, Caller, Refusal
from orderstream_orders.callers.caller import MAX_CALLER
from orderstream_orders.callers.key_set import read_key_set
from orderstream_orders.callers.token import MAX_TOKEN, TokenPolicy, _decoded, _NotValidError, verify

KEYS = read_key_set(key_set(*map(signing_key, ALGORITHMS)))
STAMP = int(NOW.timestamp())
RSA, EC = signing_key("RS256"), signing_key("ES256")
OTHER = signing_key("ES256", "of somebody else")


def judged(token: str, policy: TokenPolicy = POLICY) -> Any:
    return verify(token, KEYS, policy, NOW)


@pytest.mark.parametrize("algorithm", [*ALGORITHMS, "Ed25519"])
@pytest.mark.parametrize(
    "more",
    [
        {},
        {"aud": ["other", "orderstream"]},
        {"aud": None, "client_id": "orderstream"},
        {"nbf": None},
        {"exp": STAMP - 29},
        {"iat": STAMP + 30, "nbf": STAMP + 30},
        {"scope": None, "scp": ["orders:read", "orders:write"]},
        {"exp": STAMP + 600.5},
    ],
)
def test_a_good_token_is_its_subject_s(algorithm: str, more: dict[str, Any]) -> None:
    """Each pinned algorithm, each form of audience and scopes, Cognito's too, and clocks within 30 s."""
    key = signing_key(algorithm if algorithm in ALGORITHMS else "EdDSA")
    token = key.sign(claims(**more), alg=algorithm)
    assert judged(token) == Caller("alice", frozenset({READ, WRITE}))


@pytest.mark.parametrize(
    ("scope", "prefix", "granted"),
    [
        ("orders:read openid profile", "", {READ}),
        ("orderstream/orders:write orders:read", "orderstream/", {WRITE}),
        ("", "", set()),
        ("orders:writer ORDERS:READ", "", set()),
    ],
)
def test_scopes_are_those_of_ours_that_are_granted(scope: str, prefix: str, granted: set[str]) -> None:
    """What is not ours, or not under the issuer's prefix, grants nothing."""
    found = judged(RSA.sign(claims(scope=scope)), TokenPolicy(POLICY.issuer, POLICY.audience, prefix))
    assert isinstance(found, Caller)
    assert found.scopes == granted


def _hmac(secret: bytes, alg: str = "HS256", kid: str | None = None) -> str:
    signed = f"{segment({'alg': alg, 'typ': 'JWT', 'kid': kid or RSA.kid})}.{segment(claims())}"
    return f"{signed}.{segment(hmac.new(secret, signed.encode(), hashlib.sha256).digest())}"


def _public(encoding: Encoding, form: PublicFormat = PublicFormat.SubjectPublicKeyInfo) -> bytes:
    return RSA.private.public_key().public_bytes(encoding, form)


def _twice(text: bytes, name: str, value: str) -> bytes:
    return text[:-1] + f', "{name}": {value}}}'.encode()


GOOD = EC.sign(claims())
HEADER, CLAIMS, SIGNATURE = GOOD.split(".")
TOLD = json.dumps({"alg": "ES256", "kid": EC.kid}).encode()

FORGED: dict[str, str] = {
    # Without a signature, under all its spellings.
    **{
        f"none: {alg}": f"{segment({'alg': alg, 'kid': EC.kid})}.{CLAIMS}.{signature}"
        for alg in ("none", "None", "NONE", "nOnE", "")
        for signature in ("", SIGNATURE)
    },
    "none, stripped": f"{HEADER}.{CLAIMS}.",
    # The public key taken for the secret of an HMAC.
    "HS256 with the PEM": _hmac(_public(Encoding.PEM)),
    "HS256 with the PEM, stripped": _hmac(_public(Encoding.PEM).strip()),
    "HS256 with PKCS1": _hmac(_public(Encoding.PEM, PublicFormat.PKCS1)),
    "HS256 with the DER": _hmac(_public(Encoding.DER)),
    "HS256 with the JWK": _hmac(json.dumps(RSA.jwk()).encode()),
    "HS256 with the modulus": _hmac(RSA.jwk()["n"].encode()),
    "HS256 with nothing": _hmac(b""),
    "HS384": _hmac(_public(Encoding.PEM), "HS384"),
    # Algorithms that the key is not for.
    "RS256 said of an EC key": EC.sign(claims(), alg="RS256"),
    "PS256": RSA.sign(claims(), alg="PS256"),
    "RS512": RSA.sign(claims(), alg="RS512"),
    "ES384": EC.sign(claims(), alg="ES384"),
    "alg as a list": EC.sign(claims(), alg=["ES256"]),
    "alg missing": EC.sign_raw(json.dumps({"kid": EC.kid}).encode(), claims()),
    # Keys that the token brings along, or says where they are.
    "embedded jwk": OTHER.sign(claims(), kid=EC.kid, jwk=OTHER.jwk()),
    "embedded jwk of ours": EC.sign(claims(), jwk=EC.jwk()),
    "jku": OTHER.sign(claims(), jku="http://169.254.169.254/keys"),
    "x5u": OTHER.sign(claims(), x5u="https://attacker.example.com/cert"),
    "x5c": OTHER.sign(claims(), x5c=["AAAA"]),
    "jku, truly signed": EC.sign(claims(), jku="https://issuer.example.com/keys"),
    # Ids of keys.
    **{
        f"kid: {str(kid)[:20]!r}": OTHER.sign(claims(), kid=kid)
        for kid in (
            *("../../../../dev/null", "/dev/null", "' OR '1'='1", "ES256-key\0", "", "x" * 3_000),
            *("ES256-KEY", 7, None, ["ES256-key"], {"": ""}, True),
        )
    },
    "kid missing": EC.sign_raw(b'{"alg": "ES256"}', claims()),
    "kid of another key of ours": EC.sign(claims(), kid=RSA.kid),
    "signed by somebody else": OTHER.sign(claims(), kid=EC.kid),
    # What a verifier would have to understand.
    "crit": EC.sign(claims(), crit=["exp"], exp=1),
    "crit, empty": EC.sign(claims(), crit=[]),
    "crit, unknown": EC.sign(claims(), crit=["x"], x=1),
    "b64": EC.sign(claims(), b64=False, crit=["b64"]),
    "zip": EC.sign(claims(), zip="DEF"),
    "another type": EC.sign(claims(), typ="logout+jwt"),
    "no type at all": EC.sign(claims(), typ=7),
    # Claims of somebody else, or of another time.
    **{
        f"{name}: {json.dumps(value)[:40]}": EC.sign(claims(**{name: value}))
        for name, values in {
            "iss": ("https://issuer.example.com", "https://issuer.example.com//", None, [POLICY.issuer], ""),
            "aud": (
                "orderstream2",
                "ORDERSTREAM",
                "",
                [],
                ["other"],
                None,
                7,
                {"orderstream": 1},
                [["orderstream"]],
            ),
            "exp": (
                STAMP - 30,
                0,
                -1,
                None,
                "tomorrow",
                True,
                1e300,
                2**53 + 2,
                10**400,
                STAMP + 10 * 86_400,
                [1],
            ),
            "nbf": (STAMP + 31, "now", 1e300, -5, [], True),
            "iat": (STAMP + 31, None, "now", 1e300, -1, STAMP - 86_400, False),
            "sub": (
                None,
                "",
                7,
                ["alice"],
                "anonymous",
                "a\0b",
                "a\n",
                " a",
                "\u200ba",
                "x" * (MAX_CALLER + 1),
            ),
            "scope": (7, {"orders:write": 1}, ["orders:write", 7], [[]]),
        }.items()
        for value in values
    },
    # JSON that two readers read differently.
    "alg twice": EC.sign_raw(_twice(TOLD, "alg", '"none"'), claims()),
    "kid twice": EC.sign_raw(_twice(TOLD, "kid", '"other"'), claims()),
    "sub twice": EC.sign(_twice(json.dumps(claims()).encode(), "sub", '"bob"')),
    "exp twice, inside": EC.sign(_twice(json.dumps(claims()).encode(), "x", '{"exp": 1, "exp": 2}')),
    "NaN": EC.sign(json.dumps(claims()).encode().replace(b'"exp": ', b'"exp": NaN, "y": ')),
    "Infinity": EC.sign(json.dumps(claims()).encode().replace(b'"exp": ', b'"exp": Infinity, "y": ')),
    "1e999": EC.sign(json.dumps(claims()).encode().replace(b'"exp": ', b'"exp": 1e999, "y": ')),
    "UTF-16": EC.sign(json.dumps(claims()).encode("utf-16")),
    "byte order mark": EC.sign(b"\xef\xbb\xbf" + json.dumps(claims()).encode()),
    "no UTF-8": EC.sign(b'{"sub": "\xff"}'),
    "a surrogate": EC.sign(json.dumps(claims()).encode().replace(b'"alice"', b'"\\ud800"')),
    "a list": EC.sign(b"[]"),
    "a number": EC.sign(b"1" * 5_000),
    "nothing": EC.sign(b" "),
    "deep": EC.sign(b'{"a":' + b"[" * 4_000),
    # Form.
    "empty": "",
    "too large": EC.sign(claims(x="x" * MAX_TOKEN)),
    "two parts": f"{HEADER}.{CLAIMS}",
    "four parts": f"{GOOD}.{SIGNATURE}",
    "five parts, as JWE has": f"{HEADER}..{CLAIMS}.{SIGNATURE}.{SIGNATURE}",
    "padded": f"{HEADER}.{CLAIMS}.{SIGNATURE}==",
    "not the canonical bits": f"{HEADER}.{CLAIMS}.{SIGNATURE[:-1]}{'x' if SIGNATURE[-1] != 'x' else 'y'}",
    "white space": f" {GOOD}",
    "line feed": f"{GOOD}\n",
    "standard base64": GOOD.replace("-", "+").replace("_", "/") + "+/",
    "one part's length is impossible": f"{HEADER}.{CLAIMS}.{SIGNATURE}A",
    "full-width digits": GOOD.replace("e", "\uff45", 1),
    "signature cut": GOOD[:-4],
    "signature doubled": f"{HEADER}.{CLAIMS}.{segment(base64.urlsafe_b64decode(SIGNATURE + '==') * 2)}",
    "signature of zeros": f"{HEADER}.{CLAIMS}.{segment(bytes(64))}",
    "signature in DER": f"{HEADER}.{CLAIMS}.{segment(b'0D' + bytes(66))}",
    "claims changed": f"{HEADER}.{segment(claims('bob'))}.{SIGNATURE}",
    "header changed": f"{segment({'alg': 'ES256', 'kid': EC.kid, 'x': 1})}.{CLAIMS}.{SIGNATURE}",
    "JSON serialization": json.dumps({"payload": CLAIMS, "protected": HEADER, "signature": SIGNATURE}),
}


REASONS = {
    ("none: ", "HS", "PS", "RS", "ES", "kid of another key"): {"algorithm"},
    ("embedded", "jku", "x5", "crit", "b64", "zip"): {"forbidden header"},
    ("kid: ",): {"unknown key", "header"},
    ("alg ", "kid twice", "kid missing", "another type", "no type"): {"header"},
    ("iss: ",): {"issuer"},
    ("aud: ",): {"audience"},
    ("exp: ", "nbf: ", "iat: "): {"time", "expired", "not yet valid", "lives too long"},
    ("sub: ", "a surrogate"): {"subject"},
    ("scope: ",): {"scope"},
    (
        "sub twice",
        "exp twice",
        "NaN",
        "Inf",
        "UTF",
        "byte",
        "no UTF",
        "a list",
        "a number",
        "nothing",
        "deep",
    ): {"claims"},
    ("1e999",): {"time"},
    ("not the canon", "one part's", "signature", "signed", "claims changed", "header changed"): {"signature"},
}
"""What each attack fails by: one that failed by a slip in the test would show nothing."""


@pytest.mark.parametrize("name", FORGED)
def test_what_is_forged_is_nobody_s(name: str) -> None:
    """Each known attack, and each claim that is not as it has to be: no caller, and no exception."""
    expected = [reasons for starts, reasons in REASONS.items() if name.startswith(starts)]
    assert judged(FORGED[name]) in (expected[0] if expected else {"no JWS", "too large"})


@pytest.mark.parametrize("name", FORGED)
def test_the_client_hears_nothing_of_what_was_wrong(name: str) -> None:
    """One kind of refusal for all; the reason is a word of ours, and no part of the token."""
    refusal = bearers().identify({"Authorization": [f"Bearer {FORGED[name]}"]}.get)  # type: ignore[arg-type]
    assert isinstance(refusal, Refusal)
    assert refusal.kind == "unauthenticated"
    assert len(refusal.reason) < 20


@pytest.mark.parametrize(
    "given",
    [
        [],
        ["Basic YTpi"],
        ["Bearer"],
        ["bearer "],
        [GOOD],
        [f"Bearer {GOOD}", f"Bearer {GOOD}"],
        ["Bearer  " + GOOD],
    ],
)
def test_a_token_comes_once_and_as_a_bearer_s(given: list[str]) -> None:
    """None, another scheme, or two of which nobody could say which one counts."""
    refusal = bearers().identify(lambda name: given if name == "Authorization" else [])
    assert isinstance(refusal, Refusal)
    assert refusal.kind == "unauthenticated"


def test_a_caller_that_says_who_it_is_beside_its_token_is_refused() -> None:
    """The header of gateways is never passed over: whoever sends it tries whether it decides."""
    headers = {"Authorization": [f"Bearer {GOOD}"], "X-Caller": ["bob"]}
    refusal = bearers().identify(lambda name: headers.get(name, []))
    assert refusal == Refusal("foreign_header", "caller header")


ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def test_bytes_have_one_form() -> None:
    """Of all segments of up to four characters that differ in their end, those of an encoder are taken."""
    for beginning in ("", "A", "_w", "AQI"):
        for last in ALPHABET:
            text = beginning + last
            try:
                canonical = segment(base64.urlsafe_b64decode(text + "==")) == text
            except ValueError:
                canonical = False
            try:
                taken = segment(_decoded(text, "no JWS")) == text
            except _NotValidError:
                taken = False
            assert taken == canonical, text
