"""``GET /stock/{sku}``: what can be ordered, and nothing else."""

from collections.abc import Iterator

import pytest

from fakes.asgi import AsgiClient
from fakes.callers import as_caller, gateway
from fakes.orders_api import FailingStore
from fakes.publishing import CollectingProducer
from orderstream import EventPublisher
from orderstream_consumer.processing.clock import utc_now
from orderstream_consumer.testing import Fault, MemoryStore
from orderstream_orders.api import create_app
from orderstream_workers.services.inventory import seed_stock
from orderstream_workers.services.inventory.http import routes


@pytest.fixture
def failing() -> list[Fault]:
    """What goes wrong with the next call of the store."""
    return []


@pytest.fixture
def store(failing: list[Fault]) -> MemoryStore:
    store = MemoryStore(lambda _, __: failing.pop() if failing else None)
    seed_stock(store, "85123A", 7)
    seed_stock(store, "A/B", 1)
    return store


@pytest.fixture
def client(store: MemoryStore) -> Iterator[AsgiClient]:
    app = create_app(
        publisher=EventPublisher(CollectingProducer(), source="orders"),
        idempotency_store=FailingStore(),
        authentication=gateway(),
        clock=utc_now,
        extra_routes=routes(store),
    )
    with AsgiClient(app) as client:
        yield client


@pytest.mark.parametrize("sku", ["85123A", "85123a"])
def test_a_sku_is_shown_in_whatever_case(client: AsgiClient, sku: str) -> None:
    """Orders name it in any case, too; what is reserved and sold stays inside."""
    response = client.get(f"/stock/{sku}", headers=as_caller("alice"))
    assert (response.status_code, response.json()) == (200, {"sku": "85123A", "available": 7})


def test_a_sku_may_have_a_slash(client: AsgiClient) -> None:
    """Orders may, so that it can be looked up, encoded or not."""
    for path in ("/stock/A/B", "/stock/A%2Fb"):
        assert client.get(path, headers=as_caller("alice")).json()["available"] == 1


@pytest.mark.parametrize("sku", ["unknown", "", "a%20%20b", "%00", "%C3%A9", "x" * 201])
def test_what_is_no_sku_has_no_stock(client: AsgiClient, sku: str) -> None:
    """404 with a code; the store is not asked for what no order can name."""
    response = client.get(f"/stock/{sku}", headers=as_caller("alice"))
    assert (response.status_code, response.json()["code"]) == (404, "unknown_sku")


def test_an_outage_of_the_store_says_when_to_ask_again(client: AsgiClient, failing: list[Fault]) -> None:
    """503 with `Retry-After`, as for orders."""
    failing.append(Fault.BEFORE)
    response = client.get("/stock/85123A", headers=as_caller("alice"))
    assert (response.status_code, response.headers["Retry-After"]) == (503, "1")


def test_a_stranger_learns_nothing_of_stock(client: AsgiClient) -> None:
    """The route is behind the same door as the others."""
    assert client.get("/stock/85123A").status_code == 401
