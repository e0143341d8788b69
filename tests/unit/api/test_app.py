"""The orders API over HTTP, in memory."""

import asyncio
import json
from typing import Any

import pytest

from fakes.asgi import AsgiClient
from fakes.callers import as_caller
from fakes.orders_api import BODY, KEY, ORDER_ID, SHOP, World
from fakes.publishing import gave_up
from orderstream import BufferFullError, EventPublisher
from orderstream.messages import decode_envelope, initial_event_id
from orderstream_orders.api import (
    Standing,
    create_app,
)
from orderstream_orders.callers import LoopbackCallers
from orderstream_orders.contracts import OrderPlaced, order_id_for


def test_an_order_is_published_before_it_is_accepted(world: World, client: AsgiClient) -> None:
    """202 carries the derived id, and the stream has the priced order under it."""
    response = client.post("/orders", json=BODY, headers=KEY)
    assert (response.status_code, response.json()) == (202, {"order_id": ORDER_ID})
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
    response = client.post("/orders", json=BODY | {"country": "France"}, headers=KEY)
    assert (response.status_code, response.json()["code"]) == (422, "idempotency_conflict")
    assert len(world.producer.records) == 1


def test_keys_of_different_callers_never_meet(world: World, client: AsgiClient) -> None:
    """The key is scoped by the caller."""
    first = client.post("/orders", json=BODY, headers=KEY)
    second = client.post("/orders", json=BODY, headers=KEY | as_caller("other"))
    assert first.json()["order_id"] != second.json()["order_id"] == order_id_for("other", "invoice-1")


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
    response = client.post("/orders", json=BODY, headers=KEY)
    assert (response.status_code, response.json()["code"]) == (503, "unknown_outcome")
    assert int(response.headers["Retry-After"]) >= 1
    assert client.post("/orders", json=BODY, headers=KEY).status_code == 202
    accepted = world.store.get(ORDER_ID)
    assert accepted is not None
    assert {decode_envelope(data).time for _, data in world.producer.records} == {accepted.placed_at}
    assert len({data for _, data in world.producer.records}) == 1


def test_the_response_says_where_the_order_is_shown(client: AsgiClient) -> None:
    """202 carries `Location`, for the order and for its cancellation, which the order shows, too."""
    where = f"/orders/{ORDER_ID}"
    assert client.post("/orders", json=BODY, headers=KEY).headers["Location"] == where
    assert client.post(f"{where}/cancel", headers=SHOP).headers["Location"] == where


def test_a_caller_that_goes_away_is_no_defect(world: World) -> None:
    """A body that breaks off is a bad request, not a failure of ours."""
    messages = iter([{"type": "http.request", "body": b"{", "more_body": True}, {"type": "http.disconnect"}])
    responses: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return next(messages)

    async def send(message: dict[str, Any]) -> None:
        responses.append(message)

    headers = [(name.lower().encode(), value.encode()) for name, value in KEY.items()]
    scope = {"type": "http", "method": "POST", "path": "/orders", "headers": headers, "query_string": b""}
    asyncio.run(world.app(scope, receive, send))
    assert responses[0]["status"] == 400


def test_a_guest_may_order(world: World, client: AsgiClient) -> None:
    """Without a customer and a country the order is taken all the same."""
    body = BODY | {"customer": None, "country": None}
    assert client.post("/orders", json=body, headers=KEY).status_code == 202
    placed = json.loads(world.producer.records[0][1])["data"]
    assert placed["customer"] == {}


@pytest.mark.parametrize(
    ("standing", "status", "health", "ready"),
    [
        (Standing(), "ok", 200, 200),
        (Standing(ready=False, reason="the table t has not responded yet"), "starting", 200, 503),
        (Standing(healthy=False, ready=False, reason="the table t has not responded"), "failing", 503, 503),
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
        authentication=LoopbackCallers(),
        clock=world.tick,
        standing=lambda: standing,
    )
    with AsgiClient(app) as client:
        responses = {path: client.get(path) for path in ("/health", "/health/ready", "/health/live")}
    assert [response.status_code for response in responses.values()] == [health, ready, 200]
    assert {(response.json()["status"], response.json()["reason"]) for response in responses.values()} == {
        (status, standing.reason)
    }


def test_health_counts_and_other_routes_are_served(client: AsgiClient) -> None:
    """Outcomes are counted; what is mounted beside the API answers."""
    client.post("/orders", json=BODY, headers=KEY)
    client.post("/orders", json=BODY, headers=as_caller("shop"))
    health = client.get("/health").json()
    assert (health["status"], health["accepted"], health["rejected"]) == ("ok", 1, 1)
    assert (health["unknown_outcomes"], health["in_flight"]) == (0, 0)
    assert health["rejected_by_code"] == {"malformed": 1}
    assert client.get("/extra", headers=KEY).text == "here"


def test_what_is_no_service_by_its_own_words_is_taken_from_stock(world: World, client: AsgiClient) -> None:
    """The code alone says nothing: whoever orders postage says that it is a service."""
    body = BODY | {"lines": [{"sku": "post", "quantity": 1, "unit_price": "1"}]}
    assert client.post("/orders", json=body, headers=KEY).status_code == 202
    placed = decode_envelope(world.producer.records[0][1]).message()
    assert isinstance(placed, OrderPlaced)
    assert [line.service for line in placed.lines] == [False]
