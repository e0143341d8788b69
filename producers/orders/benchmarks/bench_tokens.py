"""What it costs to verify a caller's token: CPU time of one, by algorithm. Exit status 1 above the level.

The best of several rounds counts: other work on the machine makes a round slower, nothing makes one faster.
Beside it stands the signature alone, which is OpenSSL's part: two thirds of an ES256 token.
"""

import base64
import datetime as dt
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Final

import msgspec
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, RSAKey

from orderstream_orders.callers import Caller
from orderstream_orders.callers.key_set import read_key_set
from orderstream_orders.callers.token import TokenPolicy, verify

LEVEL_MICROSECONDS: Final = 150.0
ROUNDS: Final = 20
TOKENS: Final = 500


def microseconds(work: Callable[[], object]) -> float:
    """CPU time of a call, in the best round."""
    best = float("inf")
    for _ in range(ROUNDS):
        began = time.process_time()
        for _ in range(TOKENS):
            work()
        best = min(best, (time.process_time() - began) / TOKENS * 1e6)
    return best


def main() -> int:
    """Measure, print, and compare with the level."""
    now = dt.datetime.now(dt.UTC)
    policy = TokenPolicy("https://issuer.example.com/", "orderstream")
    claims = {
        "iss": policy.issuer,
        "aud": policy.audience,
        "sub": "a-caller-with-a-name-of-usual-length",
        "iat": int(now.timestamp()),
        "exp": int(now.timestamp()) + 3600,
        "scope": "orders:read orders:write",
    }
    keys = {
        "RS256": RSAKey.generate_key(2048, {"kid": "rsa"}),
        "ES256": ECKey.generate_key("P-256", {"kid": "ec"}),
    }
    published = read_key_set(msgspec.json.encode(KeySet(list(keys.values())).as_dict(private=False)))
    slowest = 0.0
    for algorithm, key in keys.items():
        token = jwt.encode({"alg": algorithm, "kid": key.kid}, claims, key)
        assert isinstance(verify(token, published, policy, now), Caller)
        signed, _, signature = token.rpartition(".")
        message, raw = signed.encode(), base64.urlsafe_b64decode(signature + "==")
        verify_signature = published[str(key.kid)].verify
        best = microseconds(partial(verify, token, published, policy, now))
        alone = microseconds(partial(verify_signature, message, raw))
        print(
            f"{algorithm}: {best:.1f} us a token (level {LEVEL_MICROSECONDS:g} us), {alone:.1f} its signature"
        )
        slowest = max(slowest, best)
    return 0 if slowest <= LEVEL_MICROSECONDS else 1


if __name__ == "__main__":
    sys.exit(main())
