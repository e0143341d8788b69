"""Where a key set may come from, and what becomes of a response that is none."""

from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from orderstream.errors import DependencyError
from orderstream_orders.callers.fetching import KeySetLocationError, fetch_from
from orderstream_orders.callers.key_set import MAX_KEY_SET

URL = "https://issuer.example.com/keys"


def client(answer: Callable[[httpx.Request], httpx.Response]) -> httpx.Client:
    return httpx.Client(transport=httpx.MockTransport(answer), follow_redirects=True)


def test_a_file_is_read_anew_each_time(tmp_path: Path) -> None:
    """So that keys change without a restart."""
    file = tmp_path / "keys.json"
    fetch = fetch_from(str(file), httpx.Client())
    with pytest.raises(DependencyError, match="No such file"):
        fetch()
    for content in (b"one", b"two"):
        file.write_bytes(content)
        assert fetch() == content


def test_a_url_is_asked_for_plain_json() -> None:
    """Nothing compressed, which could grow without a bound."""
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, content=iter([b"{}"]))

    assert fetch_from(URL, client(answer))() == b"{}"
    assert seen[0].headers["Accept-Encoding"] == "identity"
    assert "Authorization" not in seen[0].headers


@pytest.mark.parametrize(
    "location",
    [
        "http://issuer.example.com/keys",
        "ftp://issuer.example.com/keys",
        "file:///etc/passwd",
        "http://localhost.example.com/keys",
        "https://issuer.example.com:port/keys",
    ],
)
def test_a_location_that_others_can_change_is_refused(location: str) -> None:
    """Whoever changes the response on its way can sign tokens."""
    with pytest.raises(KeySetLocationError):
        fetch_from(location, httpx.Client())


def test_on_the_loopback_interface_http_will_do() -> None:
    """For an issuer on this machine."""
    assert (
        fetch_from("http://127.0.0.1:9/keys", client(lambda _: httpx.Response(200, content=iter([b"x"]))))()
        == b"x"
    )


@pytest.mark.parametrize("status", [301, 302, 307, 400, 401, 404, 429, 500, 503])
def test_every_other_answer_is_an_outage(status: int) -> None:
    """A redirect, too: it could lead anywhere."""
    fetch = fetch_from(
        URL, client(lambda _: httpx.Response(status, headers={"Location": "https://elsewhere/"}))
    )
    with pytest.raises(DependencyError, match=str(status)):
        fetch()


def test_no_answer_is_an_outage() -> None:
    """As everywhere: wait, and ask again."""

    def away(_: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    with pytest.raises(DependencyError, match="refused"):
        fetch_from(URL, client(away))()


def test_an_answer_without_an_end_is_not_read_to_it() -> None:
    """What is beyond the bound is left; the reader refuses what is there."""
    read = 0

    def endless() -> object:
        nonlocal read
        while True:
            read += 65_536
            yield b" " * 65_536

    found = fetch_from(URL, client(lambda _: httpx.Response(200, content=endless())))()  # type: ignore[arg-type]
    assert MAX_KEY_SET < len(found) <= MAX_KEY_SET + 65_536
    assert read <= MAX_KEY_SET + 2 * 65_536
