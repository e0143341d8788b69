"""Requests that version 1 took are answered as then when they come again, with the events of then."""

import datetime as dt
import hashlib
import json
from collections.abc import Iterator
from typing import Any

import pytest

from e2e.running import INVOICES
from fakes.asgi import AsgiClient
from fakes.callers import as_caller
from fakes.golden import books, events
from fakes.orders_api import World
from orderstream.messages import Envelope, decode_envelope
from orderstream_orders.api import Accepted
from orderstream_orders.contracts import OrderCancellationRequested, OrderPlaced, order_id_for
from orderstream_playground.demo.client import order_of
from orderstream_playground.demo.invoices import CALLER, read_invoices


def _bodies() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Caller, key and body of every order of the recording: version 1 knew no ``service``."""
    for invoice in read_invoices(INVOICES, 10):
        body = order_of(invoice)
        for line in body["lines"]:
            del line["service"]
        yield CALLER, invoice.number, body
    line = {"sku": "99999", "quantity": 1, "unit_price": "1.25", "description": "GLASS EGG CUP, CRÈME"}
    for number in range(6):
        body = {"customer": None, "country": "France", "currency": "EUR", "lines": [line]}
        yield "golden", f"golden-{number}", body


def _digest_of_version_1(body: dict[str, Any]) -> str:
    """SHA-256 over compact JSON in the order of the request's members, without what is missing."""
    lines = [
        {name: line[name] for name in ("sku", "quantity", "unit_price", "description") if line.get(name)}
        for line in body["lines"]
    ]
    content = {"lines": lines, "currency": body["currency"]}
    content |= {name: body[name] for name in ("customer", "country") if body[name] is not None}
    encoded = json.dumps(content, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(encoded.encode()).hexdigest()


def _recorded(kind: type) -> dict[str, tuple[bytes, Envelope]]:
    """The recorded events of a type, by their order."""
    found: dict[str, tuple[bytes, Envelope]] = {}
    for event in events("plain/orders"):
        envelope = decode_envelope(event)
        if isinstance(envelope.message(), kind):
            found.setdefault(envelope.subject, (event, envelope))
    return found


@pytest.fixture
def world() -> World:
    """An API of today whose memory is what version 1 left in it."""
    world = World()
    placed = _recorded(OrderPlaced)
    for caller, key, body in _bodies():
        order_id = order_id_for(caller, key)
        _, envelope = placed[order_id]
        world.store.put_if_absent(order_id, Accepted(_digest_of_version_1(body), envelope.time, envelope.id))
    return world


@pytest.mark.parametrize("flagged", [False, True])
def test_a_repeated_order_has_the_event_that_it_had(world: World, flagged: bool) -> None:
    """Byte for byte, postage as a service, whether or not the caller says by now what is one."""
    placed = _recorded(OrderPlaced)
    services = 0
    with AsgiClient(world.app) as client:
        for caller, key, body in _bodies():
            event, envelope = placed[order_id_for(caller, key)]
            message = envelope.message()
            assert isinstance(message, OrderPlaced)
            services += sum(line.service for line in message.lines)
            if flagged:
                for line, taken in zip(body["lines"], message.lines, strict=True):
                    line["service"] = taken.service
            response = client.post("/orders", json=body, headers=as_caller(caller) | {"Idempotency-Key": key})
            assert (response.status_code, response.json()) == (202, {"order_id": envelope.subject})
            assert world.producer.records[-1][1] == event
    assert services > 0
    assert len(world.producer.records) == len(books()["orders"])


@pytest.mark.parametrize("key", ["in-time", "too-late"])
def test_a_repeated_cancellation_is_the_same_request(world: World, key: str) -> None:
    """One that is repeated across the upgrade has the id that it had: the saga has heard it.

    Version 1 kept no callers: the order is its caller's once that one has placed it again, and nobody else's.
    """
    bodies = {order_id_for(caller, name): (caller, name, body) for caller, name, body in _bodies()}
    order_ids = {
        "in-time": order_id_for("golden", "golden-5"),
        "too-late": next(
            order_id
            for order_id in _recorded(OrderCancellationRequested)
            if order_id != order_id_for("golden", "golden-5")
        ),
    }
    event, _ = _recorded(OrderCancellationRequested)[order_ids[key]]
    with AsgiClient(world.app) as client:
        caller, name, body = bodies[order_ids[key]]
        path, mine = f"/orders/{order_ids[key]}/cancel", as_caller(caller) | {"Idempotency-Key": key}
        assert client.post(path, headers=mine).status_code == 404
        again = client.post("/orders", json=body, headers=as_caller(caller) | {"Idempotency-Key": name})
        assert again.status_code == 202
        assert client.post(path, headers=mine | {"X-Caller": "somebody-else"}).status_code == 404
        assert client.post(path, headers=mine).status_code == 202
    again = json.loads(world.producer.records[-1][1])
    then = json.loads(event)
    assert again | {"time": None} == then | {"time": None}
    assert dt.datetime.fromisoformat(again["time"]) != dt.datetime.fromisoformat(then["time"])
