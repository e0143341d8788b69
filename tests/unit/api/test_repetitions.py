"""Requests that come again after the rules have changed."""

import datetime as dt
import json
from typing import Any

import msgspec
import pytest

from fakes.asgi import AsgiClient
from fakes.orders_api import BODY, KEY, ORDER_ID, SHOP, World
from orderstream.messages import decode_envelope, initial_event_id
from orderstream_orders.api import Accepted
from orderstream_orders.api.repetition import AskedOrder, digest_of
from orderstream_orders.contracts import OrderPlaced

TAKEN_AT = dt.datetime(2025, 12, 31, tzinfo=dt.UTC)


def body_with(**changes: Any) -> dict[str, Any]:
    return BODY | {"lines": [{"sku": "85123A", "quantity": 1, "unit_price": "1.00"} | changes]}


def remember(world: World, body: dict[str, Any], event: bytes | None = None) -> None:
    """What an earlier version remembers of an order that it took; version 1 remembered no event."""
    asked = msgspec.json.decode(json.dumps(body), type=AskedOrder)
    event_id = initial_event_id("orders", "shop", "invoice-1")
    world.store.put_if_absent(ORDER_ID, Accepted(digest_of(asked), TAKEN_AT, event_id, event))


def published(world: World) -> OrderPlaced:
    placed = decode_envelope(world.producer.records[-1][1]).message()
    assert isinstance(placed, OrderPlaced)
    return placed


@pytest.mark.parametrize(
    ("body", "total"),
    [
        (body_with(sku="85123A\u00a0", service=False), 100),
        (body_with(unit_price="1e2"), 10_000),
        (body_with(unit_price="1_0"), 1_000),
        (body_with() | {"currency": "XAU"}, 100),
        (body_with() | {"customer": {"customer_id": "ann\n"}}, 100),
    ],
)
def test_what_was_taken_stays_taken_though_it_is_refused_today(
    world: World, client: AsgiClient, body: dict[str, Any], total: int
) -> None:
    """The caller was told 202, or that nobody knows: a refusal now would lose an order, or charge for it."""
    assert client.post("/orders", json=body, headers=KEY).status_code == 422
    remember(world, body)
    response = client.post("/orders", json=body, headers=KEY)
    assert (response.status_code, response.json()) == (202, {"order_id": ORDER_ID})
    assert decode_envelope(world.producer.records[-1][1]).time == TAKEN_AT
    assert published(world).total_minor == total


@pytest.mark.parametrize("headers", [KEY, KEY | {"Content-Type": "text/plain"}])
def test_what_was_taken_without_a_media_type_stays_taken(
    world: World, client: AsgiClient, headers: dict[str, str]
) -> None:
    """An earlier version asked nobody for it; a caller repeats what it sent then, and nothing new."""
    remember(world, BODY)
    assert client.post("/orders", content=json.dumps(BODY), headers=headers).status_code == 202
    other = json.dumps(body_with(sku="4711"))
    assert client.post("/orders", content=other, headers=headers).status_code == 415
    assert len(world.producer.records) == 1


def test_a_remembered_event_is_published_as_it_is(world: World, client: AsgiClient) -> None:
    """Whatever the rules make of the same request today: an id has one content."""
    client.post("/orders", json=BODY, headers=KEY)
    (_, event), body = world.producer.records.pop(), body_with(sku="A  B")
    priced_otherwise = json.loads(event)
    del priced_otherwise["data"]["lines"][1]
    priced_otherwise["data"]["total_minor"] = 7
    other = World()
    remember(other, body, json.dumps(priced_otherwise).encode())
    with AsgiClient(other.app) as again:
        assert again.post("/orders", json=body, headers=KEY).status_code == 202
    assert json.loads(other.producer.records[-1][1]) == priced_otherwise


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[1]", b'{"lines":' + b"[" * 100_000])
def test_what_was_never_an_order_stays_refused_under_a_used_key(
    world: World, client: AsgiClient, body: bytes
) -> None:
    """The key is known, and the body is nobody's."""
    client.post("/orders", json=BODY, headers=KEY)
    headers = KEY | {"Content-Type": "application/json"}
    assert client.post("/orders", content=body, headers=headers).status_code in {400, 422}
    assert len(world.producer.records) == 1


def test_another_order_that_is_refused_today_stays_refused(world: World, client: AsgiClient) -> None:
    """Only the very request that was taken is exempt from the rules."""
    client.post("/orders", json=BODY, headers=KEY)
    assert client.post("/orders", json=body_with(sku="A  B"), headers=KEY).status_code == 422
    assert len(world.producer.records) == 1


def test_a_service_more_is_another_order(world: World, client: AsgiClient) -> None:
    """What is charged and not reserved is a part of what was asked for."""
    client.post("/orders", json=body_with(), headers=KEY)
    response = client.post("/orders", json=body_with(service=True), headers=KEY)
    assert (response.status_code, response.json()["code"]) == (422, "idempotency_conflict")


@pytest.mark.parametrize(("sku", "service"), [("POST", True), ("85123a", False), ("1234", True)])
def test_version_1_knew_services_by_their_codes(
    world: World, client: AsgiClient, sku: str, service: bool
) -> None:
    """Its orders keep their services, though the callers said nothing of them: postage is not in stock."""
    remember(world, body_with(sku=sku))
    assert client.post("/orders", json=body_with(sku=sku), headers=KEY).status_code == 202
    assert [line.service for line in published(world).lines] == [service]


def test_an_outage_of_the_memory_is_no_refusal(world: World, client: AsgiClient) -> None:
    """As long as nobody knows whether the order was taken, the outcome is unknown."""
    world.store.read_failures = 1
    assert client.post("/orders", json=body_with(sku="A  B"), headers=KEY).status_code == 503


def test_a_cancellation_comes_again_as_it_was(world: World, client: AsgiClient) -> None:
    """Byte for byte, with and without a key; another key of the same slot is the same request."""
    client.post("/orders", json=BODY, headers=KEY)
    for key in ("", "", "one", "one"):
        client.post(f"/orders/{ORDER_ID}/cancel", headers=SHOP | {"Idempotency-Key": key})
    _, first, second, third, fourth = (data for _, data in world.producer.records)
    assert first == second != third == fourth
