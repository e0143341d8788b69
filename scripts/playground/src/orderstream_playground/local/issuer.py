"""The issuer of callers' tokens in a local environment: a key in a file, and tokens that it signs."""

import datetime as dt
import os
from collections.abc import Callable, Generator, Iterable
from pathlib import Path
from typing import Final, Self

import httpx
import msgspec
from joserfc import jwt
from joserfc.jwk import ECKey

from orderstream_orders.callers import READ, WRITE

ISSUER: Final = "https://issuer.localhost"
"""The tokens' ``iss``. No server listens there: the key set is a file."""

AUDIENCE: Final = "orderstream"
"""The tokens' ``aud``."""

KEY_SET: Final = "issuer-keys.json"
"""The file of the public key, in the environment's folder."""

_PRIVATE: Final = "issuer-private-key.json"


class LocalIssuer:
    """Signs tokens (ES256) that the orders API of a local environment takes.

    Args:
        key: Its private key, with an id.
    """

    def __init__(self, key: ECKey) -> None:
        self._key = key

    @classmethod
    def of(cls, home: Path) -> Self:
        """The issuer of the environment in a folder; it makes its key if it has none yet.

        The key outlives the environment, so that a token in a shell does, too. Only its owner may read it.

        Args:
            home: The folder, which exists.
        """
        private = home / _PRIVATE
        if private.exists():
            key = ECKey.import_key(msgspec.json.decode(private.read_bytes()))
        else:
            key = ECKey.generate_key("P-256", {"use": "sig"}, auto_kid=True)
            new = home / f"{_PRIVATE}.new"
            new.unlink(missing_ok=True)
            with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(msgspec.json.encode(key.as_dict(private=True)))
            new.replace(private)
        (home / KEY_SET).write_bytes(msgspec.json.encode({"keys": [key.as_dict(private=False)]}))
        return cls(key)

    def token(self, caller: str, scopes: Iterable[str], now: dt.datetime, life: dt.timedelta) -> str:
        """Sign a token.

        Args:
            caller: Whose it is.
            scopes: What it grants.
            now: The time (UTC).
            life: For how long it is good; the API takes none that lives longer than a day.
        """
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": caller,
            "iat": int(now.timestamp()),
            "exp": int((now + life).timestamp()),
            "scope": " ".join(sorted(scopes)),
        }
        return jwt.encode({"alg": "ES256", "typ": "JWT", "kid": self._key.kid}, claims, self._key)


class AsCaller(httpx.Auth):
    """Makes every request of an HTTP client with a caller's token, which is renewed before it expires.

    Args:
        issuer: Signs them.
        caller: Whose requests they are.
        now: The time (UTC).
    """

    _LIFE: Final = dt.timedelta(hours=1)

    def __init__(
        self,
        issuer: LocalIssuer,
        caller: str,
        now: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC),
    ) -> None:
        self._issuer = issuer
        self._caller = caller
        self._now = now
        self._token = ""
        self._renewed_at = dt.datetime.min.replace(tzinfo=dt.UTC)

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """See ``httpx.Auth``."""
        now = self._now()
        if now >= self._renewed_at + self._LIFE / 2:
            self._token = self._issuer.token(self._caller, (READ, WRITE), now, self._LIFE)
            self._renewed_at = now
        request.headers["Authorization"] = f"Bearer {self._token}"
        yield request
