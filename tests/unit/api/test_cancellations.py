"""Cancellations over HTTP."""

from fakes.asgi import AsgiClient
from fakes.orders_api import BODY, KEY, ORDER_ID, SHOP, World
from fakes.publishing import gave_up
from orderstream.messages import decode_envelope


def test_a_cancellation_joins_the_order_s_conversation(world: World, client: AsgiClient) -> None:
    """A repeated request has the same id; one under another key is a new event of the same conversation."""
    client.post("/orders", json=BODY, headers=KEY)
    for headers in ({}, {}, {"Idempotency-Key": "again"}):
        response = client.post(f"/orders/{ORDER_ID}/cancel", headers=SHOP | headers)
        assert (response.status_code, response.json()) == (202, {"order_id": ORDER_ID})
    placed, *requests = (decode_envelope(data) for _, data in world.producer.records)
    assert {envelope.conversation_id for envelope in requests} == {placed.id}
    assert {envelope.type for envelope in requests} == {"OrderCancellationRequested"}
    assert len({envelope.id for envelope in requests}) == 2


def test_keys_without_number_make_a_handful_of_cancellations(world: World, client: AsgiClient) -> None:
    """Nobody fills an order's inbox by making up keys: eight events differ at most, and one without a key."""
    client.post("/orders", json=BODY, headers=KEY)
    for number in range(300):
        headers = {"Idempotency-Key": f"key-{number}"} if number else {}
        assert client.post(f"/orders/{ORDER_ID}/cancel", headers=SHOP | headers).status_code == 202
    _, *requests = (decode_envelope(data) for _, data in world.producer.records)
    assert len({envelope.id for envelope in requests}) == 9


def test_an_order_that_was_never_placed_cannot_be_cancelled(world: World, client: AsgiClient) -> None:
    """404, and nothing is published."""
    for order_id in ("unknown", "u" * 5_000):
        response = client.post(f"/orders/{order_id}/cancel", headers=SHOP)
        assert (response.status_code, response.json()["code"]) == (404, "unknown_order")
    assert world.producer.records == []


def test_an_outage_leaves_a_cancellation_unknown(world: World, client: AsgiClient) -> None:
    """503, as for an order."""
    client.post("/orders", json=BODY, headers=KEY)
    world.producer.failures.append(gave_up())
    assert client.post(f"/orders/{ORDER_ID}/cancel", headers=SHOP).status_code == 503
