"""An order is its caller's: to everybody else it does not exist, whatever is asked, in whatever order."""

import datetime as dt
from pathlib import Path
from tempfile import TemporaryDirectory

import hypothesis.strategies as st
import pytest
from hypothesis import settings
from hypothesis.stateful import Bundle, RuleBasedStateMachine, rule

from fakes.asgi import AsgiClient
from fakes.callers import as_caller, gateway
from fakes.engine import record_of
from fakes.orders_api import BODY, FailingStore
from fakes.publishing import CollectingProducer
from orderstream import EventPublisher
from orderstream_orders.api import Accepted, OrderAccess, create_app
from orderstream_orders.contracts import order_id_for
from orderstream_workers.projections.order_status import (
    Followers,
    ReadModel,
    ReadModelWriter,
    ensure_schema,
    open_engine,
    routes,
)

NOW = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
CALLERS = st.sampled_from(["alice", "bob", "carol"])
KEYS = st.sampled_from(["1", "2", "1/cancellation/"])


class OrdersOfThree(RuleBasedStateMachine):
    """Three callers place, look at and cancel orders, their own and each other's, on every route."""

    orders = Bundle("orders")

    def __init__(self) -> None:
        super().__init__()
        self.folder = TemporaryDirectory()
        self.engine = open_engine(f"sqlite:///{Path(self.folder.name) / 'model.sqlite'}")
        ensure_schema(self.engine)
        self.producer, store = CollectingProducer(), FailingStore()
        app = create_app(
            publisher=EventPublisher(self.producer, source="orders"),
            idempotency_store=store,
            authentication=gateway(),
            clock=lambda: NOW,
            extra_routes=routes(
                ReadModel(self.engine), OrderAccess(store, enforced=True), Followers(stopping=lambda: True)
            ),
        )
        self.client = AsgiClient(app)
        self.read = 0
        self.owners: dict[str, str] = {}
        self.shown: set[str] = set()
        self.none = {
            "GET": self.client.get("/orders/none", headers=as_caller("alice")),
            "POST": self.client.post("/orders/none/cancel", headers=as_caller("alice")),
        }

    def teardown(self) -> None:
        self.client.__exit__()
        self.engine.dispose()
        self.folder.cleanup()

    @rule(target=orders, caller=CALLERS, key=KEYS)
    def place(self, caller: str, key: str) -> str:
        response = self.client.post(
            "/orders", json=BODY, headers=as_caller(caller) | {"Idempotency-Key": key}
        )
        order_id: str = response.json()["order_id"]
        assert order_id == order_id_for(caller, key)
        assert self.owners.setdefault(order_id, caller) == caller
        return order_id

    @rule()
    def order_status_reads(self) -> None:
        records = self.producer.records[self.read :]
        batch = [
            record_of(key, self.read + number, data) for number, (key, data) in enumerate(records, start=1)
        ]
        ReadModelWriter(self.engine).apply_batch(batch)
        self.read += len(records)
        self.shown |= {key for key, _ in records}

    @rule(order_id=orders, caller=CALLERS, query=st.sampled_from(["", "?limit=1", "?after=x", "?wait=9"]))
    def look(self, order_id: str, caller: str, query: str) -> None:
        response = self.client.get(f"/orders/{order_id}{query}", headers=as_caller(caller))
        if self.owners[order_id] == caller and order_id in self.shown:
            assert response.status_code == (422 if "after" in query else 200)
        else:
            assert (response.status_code, response.content) == (404, self.none["GET"].content)
            assert response.headers == self.none["GET"].headers

    @rule(caller=CALLERS, limit=st.sampled_from([1, 200]))
    def list_mine(self, caller: str, limit: int) -> None:
        found: list[str] = []
        query = f"?limit={limit}"
        while True:
            page = self.client.get(f"/orders{query}", headers=as_caller(caller)).json()
            found += [one["order_id"] for one in page["orders"]]
            if page["next"] is None:
                break
            query = f"?limit={limit}&after={page['next']}"
        mine = {order_id for order_id, owner in self.owners.items() if owner == caller}
        assert sorted(found) == sorted(mine & self.shown)

    @rule(order_id=orders, caller=CALLERS)
    def list_behind(self, order_id: str, caller: str) -> None:
        response = self.client.get(f"/orders?after={order_id}", headers=as_caller(caller))
        is_mine = self.owners[order_id] == caller and order_id in self.shown
        assert response.status_code == (200 if is_mine else 422)

    @rule(order_id=orders, caller=CALLERS)
    def follow(self, order_id: str, caller: str) -> None:
        response = self.client.get(f"/orders/{order_id}/events", headers=as_caller(caller))
        if self.owners[order_id] == caller:
            assert response.status_code == 200
            assert ("event: OrderPlaced" in response.text) == (order_id in self.shown)
        else:
            assert (response.status_code, response.content) == (404, self.none["GET"].content)

    @rule(order_id=orders, caller=CALLERS, key=st.sampled_from(["", "k"]))
    def cancel(self, order_id: str, caller: str, key: str) -> None:
        before = len(self.producer.records)
        headers = as_caller(caller) | ({"Idempotency-Key": key} if key else {})
        response = self.client.post(f"/orders/{order_id}/cancel", headers=headers)
        if self.owners[order_id] == caller:
            assert (response.status_code, len(self.producer.records)) == (202, before + 1)
        else:
            assert (response.status_code, response.content) == (404, self.none["POST"].content)
            assert (response.headers, len(self.producer.records)) == (self.none["POST"].headers, before)


OrdersOfThree.TestCase.settings = settings(max_examples=15, stateful_step_count=25, deadline=None)
TestOrdersOfThree = OrdersOfThree.TestCase


def test_an_order_of_a_version_without_callers_is_claimed_by_placing_it_again() -> None:
    """Only who placed it knows caller and key; until then it is nobody's, and afterwards nobody else's."""
    store = FailingStore()
    access = OrderAccess(store, enforced=True)
    taken = Accepted("digest", NOW, "e-1")
    store.put_if_absent("o-1", taken)
    assert not access.may_see("alice", "o-1")
    access.claim("alice", "o-1", taken)
    access.claim("bob", "o-1", taken)
    assert access.find("alice", "o-1") == taken
    assert not access.may_see("bob", "o-1")


@pytest.mark.parametrize("order_id", ["o-1", "unknown"])
def test_where_callers_are_not_told_apart_every_order_is_everybody_s(order_id: str) -> None:
    """On a machine of one's own, also what an application put into the stream by itself."""
    store = FailingStore()
    store.put_if_absent("o-1", Accepted("digest", NOW, "e-1", caller="alice"))
    assert OrderAccess(store, enforced=False).may_see("anonymous", order_id)
