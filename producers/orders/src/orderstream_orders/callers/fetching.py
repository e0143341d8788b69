"""An issuer's key set, from a file or over HTTPS."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

import httpx

from orderstream.errors import DependencyError, OrderstreamError
from orderstream_orders.callers.key_set import MAX_KEY_SET
from orderstream_orders.callers.loopback import is_loopback

FETCH_SECONDS: Final = 5.0
"""Seconds for each part of a request for the set."""


_PLAIN: Final = {"Accept": "application/json", "Accept-Encoding": "identity"}
"""Nothing is decompressed, so that what is read is bounded by what was sent."""


class KeySetLocationError(OrderstreamError):
    """A key set cannot be read from where it is said to be.

    Args:
        reason: Why not, and where it may be.
    """

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


def fetch_from(location: str, client: httpx.Client) -> Callable[[], bytes]:
    """Return a function that reads a key set, again at each call.

    Args:
        location: A file's path, or a URL with ``https``; ``http`` on the loopback interface alone, since one
            who can change the response in transit can sign tokens.
        client: Asks a URL. It must follow no redirects.

    Raises:
        KeySetLocationError: the URL cannot be used.
    """
    if "://" not in location:
        return lambda: _read(Path(location))
    try:
        url = httpx.URL(location)
    except httpx.InvalidURL as error:
        raise KeySetLocationError(f"{location!r} is neither a file nor a URL") from error
    if url.scheme != "https" and not (url.scheme == "http" and is_loopback(url.host)):
        raise KeySetLocationError(
            f"{location!r} is no URL with https: a response changed in transit could admit forged tokens"
        )
    return lambda: _ask(client, url)


def _read(file: Path) -> bytes:
    try:
        with file.open("rb") as opened:
            return opened.read(MAX_KEY_SET + 1)
    except OSError as error:
        raise DependencyError("issuer", "the key set", f"{file}: {error.strerror}") from error


def _ask(client: httpx.Client, url: httpx.URL) -> bytes:
    body = bytearray()
    try:
        with client.stream(
            "GET", url, headers=_PLAIN, follow_redirects=False, timeout=FETCH_SECONDS
        ) as response:
            if response.status_code != httpx.codes.OK:
                raise DependencyError("issuer", "the key set", f"{url} responds with {response.status_code}")
            for chunk in response.iter_raw():
                body += chunk
                if len(body) > MAX_KEY_SET:
                    break  # the reader refuses it by its size
    except httpx.HTTPError as error:
        raise DependencyError("issuer", "the key set", f"{url}: {error!r}") from error
    return bytes(body)
