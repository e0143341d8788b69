"""The orders API over HTTP, in memory."""

import asyncio
import datetime as dt
import json
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from fakes.asgi import AsgiClient
from fakes.publishing import CollectingProducer, gave_up
from orderstream import BufferFullError, DependencyError, EventPublisher
from orderstream.api import (
    MAX_BODY_BYTES,
    MAX_ORDER_BYTES,
    Accepted,
    MemoryIdempotencyStore,
    Standing,
    create_app,
)
from orderstream.events import OrderPlaced, decode_envelope, initial_event_id, order_id_for

KEY = {"Idempotency-Key": "invoice-1", "X-Caller": "shop"}
ORDER_ID = order_id_for("shop", "invoice-1")
BODY: dict[str, Any] = {
    "customer": {"customer_id": "17850", "email": "someone@example.com"},
    "country": "United Kingdom",
    "currency": "GBP",
    "lines": [
        {"sku": "85123a", "quantity": 6, "unit_price": "2.55", "description": "HEART HOLDER"},
        {"sku": "POST", "quantity": 1, "unit_price": "18.0", "service": True},
    ],
}


class World:
    def __init__(self) -> None:
        self.producer = CollectingProducer()
        self.store = FailingStore()
        self.now = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
        self.app = create_app(
            publisher=EventPublisher(self.producer, source="orders"),
            idempotency_store=self.store,
            clock=self.tick,
            extra_routes=[Route("/extra", lambda _: PlainTextResponse("here"))],
        )

    def tick(self) -> dt.datetime:
        self.now += dt.timedelta(seconds=1)
        return self.now


class FailingStore(MemoryIdempotencyStore):
    """Fails as often as it is told to, after the commit: a lost acknowledgement."""

    failures = 0

    def put_if_absent(self, order_id: str, accepted: Accepted) -> Accepted:
        found = super().put_if_absent(order_id, accepted)
        if self.failures:
            self.failures -= 1
            raise DependencyError("dynamodb", "PutItem", "no answer")
        return found


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def client(world: World) -> Iterator[AsgiClient]:
    with AsgiClient(world.app) as client:
        yield client


def test_an_order_is_published_before_it_is_accepted(world: World, client: AsgiClient) -> None:
    """202 carries the derived id, and the stream has the priced order under it."""
    answer = client.post("/orders", json=BODY, headers=KEY)
    assert (answer.status_code, answer.json()) == (202, {"order_id": ORDER_ID})
    ((key, data),) = world.producer.records
    envelope = decode_envelope(data)
    placed = envelope.message()
    assert isinstance(placed, OrderPlaced)
    assert key == ORDER_ID
    assert envelope.id == initial_event_id("orders", "shop", "invoice-1") == envelope.conversation_id
    assert [line.sku for line in placed.lines] == ["85123A", "POST"]
    assert [line.service for line in placed.lines] == [False, True]
    assert [line.total_minor for line in placed.lines] == [1530, 1800]
    assert placed.total_minor == 3330


def test_a_repeated_order_publishes_the_same_bytes(world: World, client: AsgiClient) -> None:
    """The same request under the same key is answered alike, and its event is byte for byte the first."""
    for body in (BODY, dict(reversed(BODY.items()))):
        assert client.post("/orders", json=body, headers=KEY).json() == {"order_id": ORDER_ID}
    first, second = world.producer.records
    assert first == second


def test_another_order_under_a_used_key_is_refused(world: World, client: AsgiClient) -> None:
    """A key stands for one body; what is refused is not published."""
    client.post("/orders", json=BODY, headers=KEY)
    answer = client.post("/orders", json=BODY | {"country": "France"}, headers=KEY)
    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_conflict")
    assert len(world.producer.records) == 1


def test_keys_of_different_callers_never_meet(world: World, client: AsgiClient) -> None:
    """The key is scoped by the caller, who is anonymous unless named."""
    first = client.post("/orders", json=BODY, headers=KEY)
    second = client.post("/orders", json=BODY, headers={"Idempotency-Key": "invoice-1"})
    assert first.json()["order_id"] != second.json()["order_id"] == order_id_for("anonymous", "invoice-1")


@pytest.mark.parametrize(
    "plant",
    [
        lambda world: world.producer.refusals.append(BufferFullError(1, 1)),
        lambda world: world.producer.failures.append(gave_up()),
        lambda world: world.producer.failures.append(TimeoutError("no outcome within 10 s")),
        lambda world: setattr(world.store, "failures", 1),
    ],
)
def test_an_outage_leaves_the_outcome_unknown_and_the_key_resolves_it(
    world: World, client: AsgiClient, plant: Any
) -> None:
    """503 asks the caller to come again; the retry carries the time of the first try."""
    plant(world)
    answer = client.post("/orders", json=BODY, headers=KEY)
    assert (answer.status_code, answer.json()["code"]) == (503, "unknown_outcome")
    assert int(answer.headers["Retry-After"]) >= 1
    assert client.post("/orders", json=BODY, headers=KEY).status_code == 202
    accepted = world.store.get(ORDER_ID)
    assert accepted is not None
    assert {decode_envelope(data).time for _, data in world.producer.records} == {accepted.placed_at}
    assert len({data for _, data in world.producer.records}) == 1


def line(**changes: Any) -> dict[str, Any]:
    return {"sku": "85123A", "quantity": 1, "unit_price": "1.00"} | changes


@pytest.mark.parametrize(
    ("lines", "code", "field", "at"),
    [
        ([line(), line(quantity=0)], "non_positive_quantity", "quantity", 2),
        ([line(unit_price="-1"), line(quantity=-2)], "non_positive_quantity", "quantity", 2),
        ([line(), line(), line(unit_price="-0.01")], "negative_price", "unit_price", 3),
        ([line(unit_price="0"), line(unit_price="0.00")], "nothing_to_pay", None, None),
        ([line(unit_price="0.005")], "nothing_to_pay", None, None),
        ([line(unit_price="NaN")], "malformed", "unit_price", 1),
        ([line(), line(unit_price="one")], "malformed", "unit_price", 2),
        ([line(), line(quantity=1.5)], "malformed", "quantity", 2),
        ([line(), {"quantity": 1, "unit_price": "1"}], "malformed", "sku", 2),
        ([line(quantity=10**9, unit_price="999999999999")], "malformed", None, None),
        ([], "malformed", "lines", None),
        ([line()] * 2001, "malformed", "lines", None),
        ([line(), line(sku="A\0")], "malformed", "sku", 2),
    ],
)
def test_the_first_fault_is_named(
    world: World, client: AsgiClient, lines: Any, code: str, field: str | None, at: int | None
) -> None:
    """Quantities come before prices and prices before the total; field and line say where."""
    answer = client.post("/orders", json=BODY | {"lines": lines}, headers=KEY)
    assert answer.status_code == 422
    fault = answer.json()
    assert (fault["code"], fault["field"], fault["line"]) == (code, field, at)
    assert fault["message"]
    assert world.producer.records == []
    assert world.store.get(ORDER_ID) is None


@pytest.mark.parametrize(
    "body", [b"", b"{", b"\xff", b'{"lines":', '{"x": 1}'.encode("utf-16"), b'{"x":' + b"[" * 100_000]
)
def test_what_is_no_json_is_malformed(client: AsgiClient, body: bytes) -> None:
    """Bytes that cannot be read at all are a bad request."""
    answer = client.post("/orders", content=body, headers=KEY)
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed")


@pytest.mark.parametrize(
    "headers", [{}, {"Idempotency-Key": "k" * 201}, {"Idempotency-Key": "k", "X-Caller": "c" * 201}]
)
def test_headers_have_their_bounds(client: AsgiClient, headers: dict[str, str]) -> None:
    """A key is required, and neither key nor caller is endless."""
    answer = client.post("/orders", json=BODY, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed")


def test_a_body_has_its_bound(client: AsgiClient) -> None:
    """A body over the cap is refused, and the answer says the cap."""
    answer = client.post("/orders", content=b" " * (MAX_BODY_BYTES + 1), headers=KEY)
    assert answer.status_code == 413
    assert f"{MAX_BODY_BYTES:,}" in answer.json()["message"]


def test_a_body_that_is_too_large_is_not_read(world: World) -> None:
    """What is declared too large is refused before its first byte, what grows too large at the byte over."""

    def asked(length: int | None) -> tuple[int, int]:
        read = 0
        answers: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            nonlocal read
            read += 65_536
            return {"type": "http.request", "body": b" " * 65_536, "more_body": True}

        async def send(message: dict[str, Any]) -> None:
            answers.append(message)

        headers = [(b"idempotency-key", b"k")]
        headers += [(b"content-length", b"%d" % length)] if length is not None else []
        scope = {"type": "http", "method": "POST", "path": "/orders", "headers": headers, "query_string": b""}
        asyncio.run(world.app(scope, receive, send))
        return answers[0]["status"], read

    assert asked(10**12) == (413, 0)
    assert asked(10**30) == (413, 0)
    assert asked(None) == (413, MAX_BODY_BYTES + 65_536)


def test_an_order_that_fits_no_item_is_refused(world: World, client: AsgiClient) -> None:
    """An order whose event would be too large is refused, and the answer says the cap."""
    lines = [line(sku=f"{number:0199}A") for number in range(1_500)]
    answer = client.post("/orders", json=BODY | {"lines": lines}, headers=KEY)
    assert (answer.status_code, answer.json()["code"], answer.json()["field"]) == (413, "malformed", "lines")
    assert f"{MAX_ORDER_BYTES:,}" in answer.json()["message"]
    assert (world.producer.records, world.store.get(ORDER_ID)) == ([], None)


def test_a_caller_that_goes_away_is_no_defect(world: World) -> None:
    """A body that breaks off is a bad request, not a failure of ours."""
    messages = iter([{"type": "http.request", "body": b"{", "more_body": True}, {"type": "http.disconnect"}])
    answers: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return next(messages)

    async def send(message: dict[str, Any]) -> None:
        answers.append(message)

    headers = [(b"idempotency-key", b"k")]
    scope = {"type": "http", "method": "POST", "path": "/orders", "headers": headers, "query_string": b""}
    asyncio.run(world.app(scope, receive, send))
    assert answers[0]["status"] == 400


def test_what_the_router_refuses_is_a_problem_like_any_other(client: AsgiClient) -> None:
    """An unknown path is 404 and a wrong method 405, in JSON, with what is allowed."""
    missing, wrong = client.get("/nothing"), client.get("/orders")
    assert (missing.status_code, missing.json()["code"]) == (404, "not_found")
    assert (wrong.status_code, wrong.json()["code"]) == (405, "method_not_allowed")
    assert wrong.headers["Allow"] == "POST"


def test_a_guest_may_order(world: World, client: AsgiClient) -> None:
    """Without a customer and a country the order is taken all the same."""
    body = BODY | {"customer": None, "country": None}
    assert client.post("/orders", json=body, headers=KEY).status_code == 202
    placed = json.loads(world.producer.records[0][1])["data"]
    assert placed["customer"] == {}


def test_a_cancellation_joins_the_order_s_conversation(world: World, client: AsgiClient) -> None:
    """A repeated request has the same id; one under another key is a new event of the same conversation."""
    client.post("/orders", json=BODY, headers=KEY)
    for headers in ({}, {}, {"Idempotency-Key": "again"}):
        answer = client.post(f"/orders/{ORDER_ID}/cancel", headers=headers)
        assert (answer.status_code, answer.json()) == (202, {"order_id": ORDER_ID})
    placed, *requests = (decode_envelope(data) for _, data in world.producer.records)
    assert {envelope.conversation_id for envelope in requests} == {placed.id}
    assert {envelope.type for envelope in requests} == {"OrderCancellationRequested"}
    assert len({envelope.id for envelope in requests}) == 2


def test_keys_without_number_make_a_handful_of_cancellations(world: World, client: AsgiClient) -> None:
    """Nobody fills an order's inbox by making up keys: eight events differ at most, and one without a key."""
    client.post("/orders", json=BODY, headers=KEY)
    for number in range(300):
        headers = {"Idempotency-Key": f"key-{number}"} if number else {}
        assert client.post(f"/orders/{ORDER_ID}/cancel", headers=headers).status_code == 202
    _, *requests = (decode_envelope(data) for _, data in world.producer.records)
    assert len({envelope.id for envelope in requests}) == 9


@pytest.mark.parametrize("path", ["/orders/", "/health/", "/openapi.json/"])
def test_a_slash_too_many_is_no_redirect(client: AsgiClient, path: str) -> None:
    """It would name this process's own scheme and host, and a client behind TLS would go on without it."""
    for answer in (client.get(path), client.post(path, json=BODY, headers=KEY)):
        assert answer.status_code in {404, 405}
        assert "location" not in answer.headers


def test_a_body_that_does_not_come_is_given_up() -> None:
    """408 as a problem, counted; the connection's own bound is the server's."""
    world = World()
    app = create_app(
        publisher=EventPublisher(world.producer, source="orders"),
        idempotency_store=world.store,
        clock=world.tick,
        body_patience=0.05,
    )

    async def scenario() -> tuple[int, Any]:
        said: list[Any] = []

        async def receive() -> Any:
            return await asyncio.get_running_loop().create_future()

        async def send(message: Any) -> None:
            said.append(message)

        scope = {
            "type": "http",
            "method": "POST",
            "path": "/orders",
            "query_string": b"",
            "headers": [(b"idempotency-key", b"k")],
        }
        await app(scope, receive, send)
        return said[0]["status"], json.loads(said[1]["body"])

    status, problem = asyncio.run(scenario())
    assert (status, problem["code"]) == (408, "malformed")
    assert world.producer.records == []


@pytest.mark.parametrize(
    ("standing", "status", "health", "ready"),
    [
        (Standing(), "ok", 200, 200),
        (Standing(ready=False, reason="the table t has not answered yet"), "starting", 200, 503),
        (Standing(healthy=False, ready=False, reason="the table t has not answered"), "failing", 503, 503),
    ],
)
def test_health_says_whether_the_dependencies_answer(
    standing: Standing, status: str, health: int, ready: int
) -> None:
    """Ready once each has answered, unhealthy while one does not, alive all the while."""
    world = World()
    app = create_app(
        publisher=EventPublisher(world.producer, source="orders"),
        idempotency_store=world.store,
        clock=world.tick,
        standing=lambda: standing,
    )
    with AsgiClient(app) as client:
        answers = {path: client.get(path) for path in ("/health", "/health/ready", "/health/live")}
    assert [answer.status_code for answer in answers.values()] == [health, ready, 200]
    assert {(answer.json()["status"], answer.json()["reason"]) for answer in answers.values()} == {
        (status, standing.reason)
    }


def test_an_order_that_was_never_placed_cannot_be_cancelled(world: World, client: AsgiClient) -> None:
    """404, and nothing is published."""
    for order_id in ("unknown", "u" * 5_000):
        answer = client.post(f"/orders/{order_id}/cancel")
        assert (answer.status_code, answer.json()["code"]) == (404, "unknown_order")
    assert world.producer.records == []


def test_an_outage_leaves_a_cancellation_unknown(world: World, client: AsgiClient) -> None:
    """503, as for an order."""
    client.post("/orders", json=BODY, headers=KEY)
    world.producer.failures.append(gave_up())
    assert client.post(f"/orders/{ORDER_ID}/cancel").status_code == 503


def test_health_counts_and_other_routes_are_served(client: AsgiClient) -> None:
    """Outcomes are counted; what is mounted beside the API answers."""
    client.post("/orders", json=BODY, headers=KEY)
    client.post("/orders", json=BODY)
    health = client.get("/health").json()
    assert (health["status"], health["accepted"], health["rejected"]) == ("ok", 1, 1)
    assert (health["unknown_outcomes"], health["in_flight"]) == (0, 0)
    assert health["rejected_by_code"] == {"malformed": 1}
    assert client.get("/extra").text == "here"


@pytest.mark.parametrize(
    "sku",
    [
        " 85123A",
        "85123A ",
        "85123A\n",
        "\ufeff85123A",
        "\u200b85123A",
        "\uff18\uff1523A",
        "85 \u00a0123",
        "a  b",
        "",
    ],
)
def test_a_sku_that_is_not_what_it_seems_is_refused(world: World, client: AsgiClient, sku: str) -> None:
    """White space, invisible and full-width characters: another SKU than the one that was meant."""
    body = BODY | {"lines": [{"sku": sku, "quantity": 1, "unit_price": "1"}]}
    answer = client.post("/orders", json=body, headers=KEY)
    assert (answer.status_code, answer.json()["code"]) == (422, "malformed")
    assert (answer.json()["field"], answer.json()["line"]) == ("sku", 1)
    assert world.producer.records == []


def test_what_is_no_service_by_its_own_words_is_taken_from_stock(world: World, client: AsgiClient) -> None:
    """The code alone says nothing: whoever orders postage says that it is a service."""
    body = BODY | {"lines": [{"sku": "post", "quantity": 1, "unit_price": "1"}]}
    assert client.post("/orders", json=body, headers=KEY).status_code == 202
    placed = decode_envelope(world.producer.records[0][1]).message()
    assert isinstance(placed, OrderPlaced)
    assert [line.service for line in placed.lines] == [False]


@pytest.mark.parametrize("currency", ["XXQ", "XAU", "XTS", "ZZZ"])
def test_a_currency_that_nobody_pays_with_is_refused(client: AsgiClient, currency: str) -> None:
    """Without the digits of its minor unit no price can be turned into a charge."""
    answer = client.post("/orders", json=BODY | {"currency": currency}, headers=KEY)
    assert (answer.status_code, answer.json()["code"], answer.json()["field"]) == (
        422,
        "malformed",
        "currency",
    )


@pytest.mark.parametrize("customer", ["a\x01b", "\u200bann", " ann", "ann\n"])
def test_a_customer_s_id_can_be_seen(client: AsgiClient, customer: str) -> None:
    """An identifier goes into keys and headers, where the invisible is cut off or refused."""
    answer = client.post("/orders", json=BODY | {"customer": {"customer_id": customer}}, headers=KEY)
    assert (answer.status_code, answer.json()["code"]) == (422, "malformed")
