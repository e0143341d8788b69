"""What the orders API refuses before anything is published."""

import asyncio
import json
from typing import Any

import pytest

from fakes.asgi import AsgiClient
from fakes.callers import as_caller
from fakes.orders_api import BODY, KEY, ORDER_ID, World
from orderstream import EventPublisher
from orderstream_orders.api import (
    MAX_BODY_BYTES,
    MAX_ORDER_BYTES,
    create_app,
)
from orderstream_orders.callers import LoopbackCallers

JSON = KEY | {"Content-Type": "application/json"}


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
    response = client.post("/orders", json=BODY | {"lines": lines}, headers=KEY)
    assert response.status_code == 422
    fault = response.json()
    assert (fault["code"], fault["field"], fault["line"]) == (code, field, at)
    assert fault["message"]
    assert world.producer.records == []
    assert world.store.get(ORDER_ID) is None


@pytest.mark.parametrize(
    "body", [b"", b"{", b"\xff", b'{"lines":', '{"x": 1}'.encode("utf-16"), b'{"x":' + b"[" * 100_000]
)
def test_what_is_no_json_is_malformed(client: AsgiClient, body: bytes) -> None:
    """Bytes that cannot be read at all are a bad request."""
    response = client.post("/orders", content=body, headers=JSON)
    assert (response.status_code, response.json()["code"]) == (400, "malformed")


@pytest.mark.parametrize("headers", [{}, {"Idempotency-Key": "k" * 201}])
def test_headers_have_their_bounds(client: AsgiClient, headers: dict[str, str]) -> None:
    """A key is required, and not endless."""
    response = client.post("/orders", json=BODY, headers=headers | as_caller("shop"))
    assert (response.status_code, response.json()["code"]) == (400, "malformed")


def test_a_body_has_its_bound(client: AsgiClient) -> None:
    """A body over the cap is refused, and the response says the cap."""
    response = client.post("/orders", content=b" " * (MAX_BODY_BYTES + 1), headers=JSON)
    assert response.status_code == 413
    assert f"{MAX_BODY_BYTES:,}" in response.json()["message"]


def test_a_body_that_is_too_large_is_not_read(world: World) -> None:
    """What is declared too large is refused before its first byte, what grows too large at the byte over."""

    def asked(length: int | None) -> tuple[int, int]:
        read = 0
        responses: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            nonlocal read
            read += 65_536
            return {"type": "http.request", "body": b" " * 65_536, "more_body": True}

        async def send(message: dict[str, Any]) -> None:
            responses.append(message)

        headers = [(name.lower().encode(), value.encode()) for name, value in KEY.items()]
        headers += [(b"content-length", b"%d" % length)] if length is not None else []
        scope = {"type": "http", "method": "POST", "path": "/orders", "headers": headers, "query_string": b""}
        asyncio.run(world.app(scope, receive, send))
        return responses[0]["status"], read

    assert asked(10**12) == (413, 0)
    assert asked(10**30) == (413, 0)
    assert asked(None) == (413, MAX_BODY_BYTES + 65_536)


def test_an_order_that_fits_no_item_is_refused(world: World, client: AsgiClient) -> None:
    """An order whose event would be too large is refused, and the response says the cap."""
    lines = [line(sku=f"{number:0199}A") for number in range(1_500)]
    response = client.post("/orders", json=BODY | {"lines": lines}, headers=KEY)
    assert (response.status_code, response.json()["code"], response.json()["field"]) == (
        413,
        "malformed",
        "lines",
    )
    assert f"{MAX_ORDER_BYTES:,}" in response.json()["message"]
    assert (world.producer.records, world.store.get(ORDER_ID)) == ([], None)


@pytest.mark.parametrize(
    "content_type",
    [
        None,
        "",
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/octet-stream",
        "application/jsonp",
        "application/merge-patch+json",
        "text/json, application/json",
    ],
)
def test_a_body_that_is_not_said_to_be_json_is_refused(
    world: World, client: AsgiClient, content_type: str | None
) -> None:
    """415, with what to send, as a problem and as a header; though it is an order that would be taken."""
    headers = KEY if content_type is None else KEY | {"Content-Type": content_type}
    response = client.post("/orders", content=json.dumps(BODY), headers=headers)
    assert response.status_code == 415
    assert response.headers["Accept"] == "application/json"
    problem = response.json()
    assert (problem["code"], problem["field"]) == ("unsupported_media_type", "Content-Type")
    assert "Content-Type: application/json" in problem["message"]
    assert (world.producer.records, world.store.get(ORDER_ID)) == ([], None)


@pytest.mark.parametrize(
    "content_type", ["application/json; charset=utf-8", "Application/JSON", "application/json ;v=1"]
)
def test_json_is_json_however_it_is_written(client: AsgiClient, content_type: str) -> None:
    """A media type has no case, and may have parameters."""
    headers = KEY | {"Content-Type": content_type}
    assert client.post("/orders", content=json.dumps(BODY), headers=headers).status_code == 202


def test_what_the_router_refuses_is_a_problem_like_any_other(client: AsgiClient) -> None:
    """An unknown path is 404 and a wrong method 405, in JSON, with what is allowed."""
    missing, wrong = (client.get(path, headers=KEY) for path in ("/nothing", "/orders"))
    assert (missing.status_code, missing.json()["code"]) == (404, "not_found")
    assert (wrong.status_code, wrong.json()["code"]) == (405, "method_not_allowed")
    assert wrong.headers["Allow"] == "POST"


@pytest.mark.parametrize("path", ["/orders/", "/health/", "/openapi.json/"])
def test_a_slash_too_many_is_no_redirect(client: AsgiClient, path: str) -> None:
    """It would name this process's own scheme and host, and a client behind TLS would go on without it."""
    for response in (client.get(path, headers=KEY), client.post(path, json=BODY, headers=KEY)):
        assert response.status_code in {404, 405}
        assert "location" not in response.headers


def test_a_body_that_does_not_come_is_given_up() -> None:
    """408 as a problem, counted; the connection's own bound is the server's."""
    world = World()
    app = create_app(
        publisher=EventPublisher(world.producer, source="orders"),
        idempotency_store=world.store,
        authentication=LoopbackCallers(),
        clock=world.tick,
        body_timeout=0.05,
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
    response = client.post("/orders", json=body, headers=KEY)
    assert (response.status_code, response.json()["code"]) == (422, "malformed")
    assert (response.json()["field"], response.json()["line"]) == ("sku", 1)
    assert world.producer.records == []


@pytest.mark.parametrize("currency", ["XXQ", "XAU", "XTS", "ZZZ"])
def test_a_currency_that_nobody_pays_with_is_refused(client: AsgiClient, currency: str) -> None:
    """Without the digits of its minor unit no price can be turned into a charge."""
    response = client.post("/orders", json=BODY | {"currency": currency}, headers=KEY)
    assert (response.status_code, response.json()["code"], response.json()["field"]) == (
        422,
        "malformed",
        "currency",
    )


@pytest.mark.parametrize("customer", ["a\x01b", "\u200bann", " ann", "ann\n"])
def test_a_customer_s_id_can_be_seen(client: AsgiClient, customer: str) -> None:
    """An identifier goes into keys and headers, where the invisible is cut off or refused."""
    response = client.post("/orders", json=BODY | {"customer": {"customer_id": customer}}, headers=KEY)
    assert (response.status_code, response.json()["code"]) == (422, "malformed")
