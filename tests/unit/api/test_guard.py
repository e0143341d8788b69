"""The door of the API: nobody comes in unknown, and nobody hears why not."""

import datetime as dt
import socket
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

import pytest

from fakes.asgi import AsgiClient
from fakes.callers import ALGORITHMS, NOW, POLICY, as_caller, bearer, bearers, claims, key_set, signing_key
from fakes.orders_api import BODY, World
from fakes.publishing import CollectingProducer
from orderstream import DependencyError, EventPublisher
from orderstream_orders.api import create_app
from orderstream_orders.callers import Authentication
from orderstream_orders.callers.bearer import BearerCallers
from orderstream_orders.callers.key_store import IssuerKeys
from orderstream_orders.testing import MemoryIdempotencyStore

ROUTES = [
    ("POST", "/orders"),
    ("POST", "/orders/o-1/cancel"),
    ("GET", "/orders/o-1"),
    ("HEAD", "/orders/o-1"),
    ("GET", "/nothing"),
    ("GET", "/openapi.json/"),
    ("GET", "//health"),
    ("GET", "/health/../orders"),
    ("POST", "/health"),
    ("DELETE", "/openapi.json"),
]


def served(authentication: Authentication, **more: Any) -> Any:
    return create_app(
        publisher=EventPublisher(CollectingProducer(), source="orders"),
        idempotency_store=MemoryIdempotencyStore(),
        authentication=authentication,
        clock=lambda: NOW,
        **more,
    )


@pytest.fixture
def client() -> Iterator[AsgiClient]:
    with AsgiClient(served(bearers())) as client:
        yield client


def forged() -> dict[str, str | None]:
    good = signing_key("ES256").sign(claims())
    other = signing_key("ES256", "other")
    return {
        "nothing": None,
        "another scheme": "Basic YTpi",
        "none": f"Bearer {good.rpartition('.')[0]}.",
        "jku": f"Bearer {other.sign(claims(), jku='http://127.0.0.1:9/keys')}",
        "x5u": f"Bearer {other.sign(claims(), x5u='http://127.0.0.1:9/cert')}",
        "unknown key": f"Bearer {other.sign(claims())}",
        "expired": f"Bearer {signing_key('ES256').sign(claims(exp=1))}",
        "another audience": f"Bearer {signing_key('RS256').sign(claims(aud='x'))}",
        "deep": f"Bearer {signing_key('ES256').sign(b'[' * 4_000)}",
        "text": "Bearer \u00e9\u00e9",
    }


def test_every_refusal_is_the_same_and_no_socket_is_opened(
    client: AsgiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Status, headers and body are equal for whatever is wrong, on every route, served or not."""

    def trap(*_: object, **__: object) -> None:
        raise AssertionError("a request opened a connection")

    for name in ("connect", "connect_ex", "sendto"):
        monkeypatch.setattr(socket.socket, name, trap)
    monkeypatch.setattr(socket, "getaddrinfo", trap)
    answers = set()
    for method, path in ROUTES:
        for value in forged().values():
            headers = {} if value is None else {"Authorization": value.encode("latin-1")}
            response = client.request(method, path, headers=headers)
            answers.add(
                (
                    response.status_code,
                    tuple(sorted(response.headers.items())),
                    response.text if method != "HEAD" else "",
                )
            )
            assert response.headers["WWW-Authenticate"] == 'Bearer realm="orders"'
    assert {status for status, _, _ in answers} == {HTTPStatus.UNAUTHORIZED}
    assert len({headers for _, headers, _ in answers}) == 1
    assert len({body for _, _, body in answers} - {""}) == 1


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_token_lets_its_caller_in(client: AsgiClient, algorithm: str) -> None:
    """With the token of each algorithm, an order is taken."""
    headers = bearer(signing_key(algorithm).sign(claims())) | {"Idempotency-Key": algorithm}
    assert client.post("/orders", json=BODY, headers=headers).status_code == HTTPStatus.ACCEPTED


@pytest.mark.parametrize("path", ["/health", "/health/live", "/health/ready", "/openapi.json"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_probes_and_the_document_need_no_token(client: AsgiClient, path: str, method: str) -> None:
    """Nobody gives a load balancer one."""
    assert client.request(method, path).status_code == HTTPStatus.OK


@pytest.mark.parametrize(
    ("scope", "method", "path", "status"),
    [
        ("orders:read", "POST", "/orders", 403),
        ("orders:read", "POST", "/orders/o-1/cancel", 403),
        ("orders:write", "GET", "/nothing", 403),
        ("orders:operate", "GET", "/nothing", 403),
        ("orders:operate", "POST", "/orders", 403),
        ("orders:read", "GET", "/nothing", 404),
        ("orders:write", "POST", "/orders/o-1/cancel", 404),
        ("orders:read", "DELETE", "/orders", 403),
    ],
)
def test_a_token_allows_what_it_grants(
    client: AsgiClient, scope: str, method: str, path: str, status: int
) -> None:
    """Reading is no writing, and the other way round; the response names the scope that is missing."""
    response = client.request(method, path, headers=bearer(signing_key("ES256").sign(claims(scope=scope))))
    assert response.status_code == status
    if status == HTTPStatus.FORBIDDEN:
        assert response.json()["code"] == "insufficient_scope"
        assert 'error="insufficient_scope"' in response.headers["WWW-Authenticate"]


def test_a_client_that_names_itself_is_refused(client: AsgiClient) -> None:
    """The header is the gateway's: beside a token it is refused, and nothing is taken."""
    headers = bearer(signing_key("ES256").sign(claims())) | {"X-Caller": "bob", "Idempotency-Key": "1"}
    response = client.post("/orders", json=BODY, headers=headers)
    assert (response.status_code, response.json()["field"]) == (HTTPStatus.BAD_REQUEST, "X-Caller")


def test_while_no_key_was_had_nobody_is_judged() -> None:
    """503 and no 401: a caller whose token is good must not throw it away."""

    def away() -> bytes:
        raise DependencyError("issuer", "the key set", "it is away")

    keys = IssuerKeys(away, lambda: 0.0)
    keys.refresh_if_due()
    with AsgiClient(served(BearerCallers(keys, POLICY, lambda: NOW))) as client:
        response = client.get("/orders/o-1", headers=bearer(signing_key("ES256").sign(claims())))
    assert (response.status_code, response.headers["Retry-After"]) == (HTTPStatus.SERVICE_UNAVAILABLE, "1")


def test_a_greedy_caller_waits_and_nobody_else_does() -> None:
    """429 with the seconds to wait, before anything is read; after them it is admitted again."""
    now = 0.0
    app = served(bearers(), requests_per_second=0.5, monotonic=lambda: now)
    tokens = {name: bearer(signing_key("ES256").sign(claims(name))) for name in ("greedy", "other")}
    with AsgiClient(app) as client:
        assert client.get("/nothing", headers=tokens["greedy"]).status_code == HTTPStatus.NOT_FOUND
        response = client.get("/nothing", headers=tokens["greedy"])
        assert (response.status_code, response.json()["code"]) == (429, "too_many_requests")
        assert response.headers["Retry-After"] == "2"
        assert client.get("/nothing", headers=tokens["other"]).status_code == HTTPStatus.NOT_FOUND
        assert client.get("/health").status_code == HTTPStatus.OK
        now += 2.0
        assert client.get("/nothing", headers=tokens["greedy"]).status_code == HTTPStatus.NOT_FOUND


def test_refusals_are_counted_and_logged_without_names(caplog: pytest.LogCaptureFixture) -> None:
    """Health shows how many; the log has a pseudonym, and neither a name nor a token."""
    caplog.set_level("INFO")
    app = served(bearers())
    token = signing_key("ES256").sign(claims("alice.liddell"))
    with AsgiClient(app) as client:
        client.get("/orders/o-1", headers=bearer("x.y.z"))
        client.post("/orders", json=BODY, headers=bearer(token) | {"Idempotency-Key": "1"})
        assert client.get("/health").json()["rejected_by_code"] == {"unauthenticated": 1}
    said = "".join(str(record.__dict__) for record in caplog.records if record.name.startswith("orderstream"))
    assert "x.y.z" not in said
    assert "alice" not in said
    assert token not in said
    assert "request accepted" in said


def test_keys_change_while_the_api_serves() -> None:
    """A token of the new key is refused until the issuer's set has been had, and taken then."""
    now, published = 0.0, key_set(signing_key("ES256"))
    keys = IssuerKeys(lambda: published, lambda: now)
    keys.refresh_if_due()
    new = signing_key("ES256", "new")
    with AsgiClient(served(BearerCallers(keys, POLICY, lambda: NOW + dt.timedelta(seconds=now)))) as client:
        published = key_set(new)
        asked = bearer(new.sign(claims()))
        assert client.get("/nothing", headers=asked).status_code == HTTPStatus.UNAUTHORIZED
        now = 61.0
        keys.refresh_if_due()
        assert client.get("/nothing", headers=asked).status_code == HTTPStatus.NOT_FOUND


def test_a_gateway_s_callers_order_and_others_do_not() -> None:
    """Behind a gateway its secret counts, and its word for who calls; a client's own word is nobody's."""
    with AsgiClient(World().app) as client:
        key = {"Idempotency-Key": "1"}
        assert client.post("/orders", json=BODY, headers=key | as_caller("shop")).status_code == 202
        for headers in ({"X-Caller": "shop"}, as_caller("shop") | {"X-Gateway-Secret": "guess"}):
            assert client.post("/orders", json=BODY, headers=key | headers).status_code == 401
