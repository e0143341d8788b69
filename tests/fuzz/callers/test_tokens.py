"""Tokens changed at random: no exception, and nobody is let in but by the very bytes that the issuer signed.

``make fuzz-tokens`` plays 100,000 of them; a plain run of the tests a slice.
"""

import base64
import json
import os
import random
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings

from fakes.callers import ALGORITHMS, NOW, POLICY, claims, key_set, segment, signing_key
from orderstream_orders.callers import Caller
from orderstream_orders.callers.key_set import read_key_set
from orderstream_orders.callers.token import verify

KEYS = read_key_set(key_set(*map(signing_key, ALGORITHMS)))
TOKENS = int(os.environ.get("FUZZED_TOKENS", "3000"))
SLICE = 500

ODD: list[Any] = [
    *(
        None,
        True,
        0,
        -1,
        2**53,
        10**30,
        1e308,
        "",
        "none",
        "HS256",
        "RS256",
        "ES256",
        "EdDSA",
        "../../etc/passwd",
    ),
    *(
        [],
        {},
        [[]],
        ["exp"],
        {"kty": "oct", "k": "AA"},
        "http://127.0.0.1:1/",
        "orderstream",
        "a\u0000",
        "x" * 300,
    ),
]
NAMES = [
    "alg",
    "kid",
    "typ",
    "crit",
    "b64",
    "jwk",
    "jku",
    "x5u",
    "zip",
    "iss",
    "aud",
    "sub",
    "exp",
    "nbf",
    "iat",
    "scope",
]


def changed(draw: random.Random, token: str) -> str:
    """One change: to bytes, to a part, to what a part says, or to who signs."""
    parts = token.split(".")
    match draw.randrange(8):
        case 0:
            index = draw.randrange(len(token) + 1)
            return (
                token[:index]
                + draw.choice(["", "=", "A", "-", "\n", "\u212a", "%"])
                + token[index + draw.randrange(3) :]
            )
        case 1:
            draw.shuffle(parts)
            return ".".join(parts)
        case 2:
            return ".".join([*parts[: draw.randrange(4)], draw.choice(["", "e30", "bnVsbA", parts[-1]])])
        case 3:
            flipped = bytearray(base64.urlsafe_b64decode(parts[2] + "=="))
            flipped[draw.randrange(len(flipped))] ^= 1 << draw.randrange(8)
            return ".".join([*parts[:2], segment(bytes(flipped))])
        case 4 | 5:
            which = draw.randrange(2)
            said = json.loads(base64.urlsafe_b64decode(parts[which] + "=="))
            said[draw.choice(NAMES)] = draw.choice(ODD)
            parts[which] = segment(said)
            return ".".join(parts)
        case 6:
            key = signing_key(draw.choice(ALGORITHMS), "of somebody else")
            return key.sign(
                claims(), kid=draw.choice(sorted(KEYS)), alg=draw.choice(["RS256", "ES256", "EdDSA", "none"])
            )
        case _:
            return draw.randbytes(draw.randrange(200)).decode("latin-1")


@pytest.mark.parametrize("seed", range(max(1, TOKENS // SLICE)))
def test_what_was_changed_is_nobody_s(seed: int) -> None:
    """Up to three changes to a good token of any key; only one of the signed ones is let in."""
    draw = random.Random(seed)
    good = {signing_key(algorithm).sign(claims()): algorithm for algorithm in ALGORITHMS}
    for token in good:
        assert isinstance(verify(token, KEYS, POLICY, NOW), Caller)
    for _ in range(SLICE):
        token = draw.choice(sorted(good))
        for _ in range(draw.randrange(1, 4)):
            if token.count(".") == 2 and token.isascii():
                try:
                    token = changed(draw, token)
                except (ValueError, TypeError, IndexError, AttributeError, RecursionError):
                    break  # the change needed parts that an earlier one has broken
        assert isinstance(verify(token, KEYS, POLICY, NOW), Caller) == (token in good), (seed, token)


@settings(max_examples=60, deadline=None)
@given(
    header=st.dictionaries(st.sampled_from(NAMES), st.sampled_from(ODD)),
    said=st.dictionaries(st.sampled_from(NAMES), st.sampled_from(ODD) | st.floats(allow_nan=False)),
)
def test_what_is_truly_signed_is_let_in_by_its_claims_alone(
    header: dict[str, Any], said: dict[str, Any]
) -> None:
    """An issuer that signs nonsense is no reason for an exception, and its nonsense names nobody else."""
    found = verify(signing_key("ES256").sign(claims() | said, **header), KEYS, POLICY, NOW)
    if isinstance(found, Caller):
        assert found.name == said.get("sub", "alice")
        assert header.get("alg", "ES256") == "ES256"
        assert header.get("kid", "ES256-key") == "ES256-key"


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=300) | st.binary(max_size=300).map(lambda content: content.decode("latin-1")))
def test_any_text_is_judged_without_an_exception(token: str) -> None:
    """Whatever a header may hold."""
    assert not isinstance(verify(token, KEYS, POLICY, NOW), Caller)
