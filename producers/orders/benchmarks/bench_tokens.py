"""What it costs to verify a caller's token: CPU time of one, by algorithm. Exit status 1 above the level.

The best of several rounds counts: other work on the machine makes a round slower, nothing makes one faster.
"""

import datetime as dt
import sys
import time
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
        best = float("inf")
        for _ in range(ROUNDS):
            began = time.process_time()
            for _ in range(TOKENS):
                verify(token, published, policy, now)
            best = min(best, (time.process_time() - began) / TOKENS * 1e6)
        print(f"{algorithm}: {best:.1f} us a token (level {LEVEL_MICROSECONDS:g} us)")
        slowest = max(slowest, best)
    return 0 if slowest <= LEVEL_MICROSECONDS else 1


if __name__ == "__main__":
    sys.exit(main())
