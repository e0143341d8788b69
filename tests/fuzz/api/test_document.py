"""The HTTP interface fuzzed by its own document, in process: no 500, and every response is as described."""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, given, settings
from sqlalchemy import Engine
from starlette.applications import Starlette
from starlette.routing import Route

from fakes.callers import bearer, bearers, claims, signing_key
from fakes.engine import record_of
from fakes.publishing import CollectingProducer
from orderstream import EventPublisher
from orderstream_consumer.testing import MemoryStore
from orderstream_orders.api import Accepted, OrderAccess, create_app
from orderstream_orders.api.openapi import document
from orderstream_orders.catalogue.examples import example_of
from orderstream_orders.contracts import OrderPlaced
from orderstream_orders.testing import MemoryIdempotencyStore
from orderstream_workers.projections.order_status import ReadModelWriter, migrate, open_engine
from orderstream_workers.runtime.http.beside import DESCRIBED, routes_beside
from orderstream_workers.services.inventory import seed_stock

KNOWN = example_of(OrderPlaced)

ALICE = bearer(signing_key("ES256").sign(claims("alice")))

DOCUMENT = document(*DESCRIBED)

OPERATIONS = [f"{method.upper()} {path}" for path, item in DOCUMENT["paths"].items() for method in item]


class Fuzzer:
    """The document's operations, as schemathesis asks for them.

    Every worker imports this file to list its tests; only the one that runs them pays for schemathesis.
    """

    def __init__(self) -> None:
        import schemathesis
        from schemathesis.checks import not_a_server_error
        from schemathesis.config import SchemathesisConfig
        from schemathesis.specs.openapi import checks

        self.modes = schemathesis.GenerationMode
        self.described = [
            not_a_server_error,
            checks.status_code_conformance,
            checks.content_type_conformance,
            checks.response_headers_conformance,
            checks.response_schema_conformance,
        ]
        """Checks that a request without a token passes as well."""
        self.checks = [*self.described, checks.negative_data_rejection]
        read = schemathesis.openapi.from_dict(DOCUMENT, config=SchemathesisConfig.from_dict(REFUSALS))
        self.operations = {found.ok().label: found.ok() for found in read.get_all_operations()}


@pytest.fixture(scope="module")
def fuzzer() -> Fuzzer:
    return Fuzzer()


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = open_engine(f"sqlite:///{tmp_path / 'model.sqlite'}")
    migrate(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def app(engine: Engine) -> Starlette:
    """What ``orderstream api`` serves, over memory, with one order known to both sides."""
    now = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    ReadModelWriter(engine).apply_batch([record_of(KNOWN.subject, 1, KNOWN.encode())])
    store = MemoryIdempotencyStore()
    store.put_if_absent(KNOWN.subject, Accepted("digest", now, KNOWN.id, caller="alice"))
    stock = MemoryStore()
    seed_stock(stock, "85123A", 7)
    return create_app(
        publisher=EventPublisher(CollectingProducer(), source="orders"),
        idempotency_store=store,
        authentication=bearers(),
        clock=lambda: now,
        extra_routes=routes_beside(engine, stock, OrderAccess(store, enforced=True), lambda: True),
        described=DESCRIBED,
    )


REFUSALS = {
    "checks": {"negative_data_rejection": {"expected-statuses": [400, 401, 404, 405, 409, 413, 415, 422]}}
}
"""The statuses that refuse a request; 413 comes first, where it is too large to be read."""

# A GET has nothing in it that could break the document: any text names an order.
ASKED = [(operation, "positive") for operation in OPERATIONS]
ASKED += [(operation, "negative") for operation in OPERATIONS if operation.startswith("POST")]


def test_every_described_operation_is_fuzzed(fuzzer: Fuzzer) -> None:
    """The tests below are listed from the document itself: the fuzzer finds the same operations in it."""
    assert sorted(fuzzer.operations) == sorted(OPERATIONS)


@pytest.mark.parametrize(("operation", "mode"), ASKED)
def test_no_defect_and_no_surprise(app: Starlette, fuzzer: Fuzzer, operation: str, mode: str) -> None:
    """Whatever is asked, fitting or not: never 500, never a response that the document does not have."""

    @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
    @given(case=fuzzer.operations[operation].as_strategy(generation_mode=fuzzer.modes(mode)))
    def ask(case: Any) -> None:
        case.call_and_validate(app=app, checks=fuzzer.checks, headers=ALICE)

    ask()


@pytest.mark.parametrize("operation", [one for one in OPERATIONS if "/health" not in one])
def test_without_a_token_nothing_is_done(app: Starlette, fuzzer: Fuzzer, operation: str) -> None:
    """Whatever is asked, and however well it fits: 401, as described; so is every token that chance finds."""

    @settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
    @given(
        case=fuzzer.operations[operation].as_strategy(generation_mode=fuzzer.modes.POSITIVE),
        headers=st.sampled_from([{}, {"Authorization": "Bearer x.y.z"}, {"X-Caller": "alice"}]),
    )
    def ask(case: Any, headers: dict[str, str]) -> None:
        # What the generator makes up for the scheme is taken off, or it would stand beside these.
        case.headers = {
            name: value for name, value in case.headers.items() if name.lower() != "authorization"
        }
        assert case.call_and_validate(app=app, checks=fuzzer.described, headers=headers).status_code == 401

    ask()


def test_a_request_too_large_to_be_read_is_refused_as_described(app: Starlette, fuzzer: Fuzzer) -> None:
    """A body that fits the document in nothing may be too large as well, and then nobody reads on."""
    case = fuzzer.operations["POST /orders"].Case(
        headers={"Idempotency-Key": "large"}, body={"country": "x" * 600_000}, media_type="application/json"
    )
    assert case.call_and_validate(app=app, checks=fuzzer.checks, headers=ALICE).status_code == 413


def test_a_known_order_is_shown_and_cancelled_as_described(app: Starlette, fuzzer: Fuzzer) -> None:
    """The responses that chance does not find are as described, too."""
    for operation, status in (
        ("GET /orders/{order_id}", 200),
        ("GET /orders/{order_id}/events", 200),
        ("POST /orders/{order_id}/cancel", 202),
    ):
        case = fuzzer.operations[operation].Case(path_parameters={"order_id": KNOWN.subject})
        assert case.call_and_validate(app=app, checks=fuzzer.checks, headers=ALICE).status_code == status


def test_stock_is_shown_as_described(app: Starlette, fuzzer: Fuzzer) -> None:
    """200 for a SKU that there is, in whatever case."""
    case = fuzzer.operations["GET /stock/{sku}"].Case(path_parameters={"sku": "85123a"})
    assert case.call_and_validate(app=app, checks=fuzzer.checks, headers=ALICE).status_code == 200


def test_every_route_is_described(app: Starlette) -> None:
    """The document has each route that is served, but the document itself."""
    served = {route.path for route in app.routes if isinstance(route, Route)} - {"/openapi.json"}
    served = {path.replace(":path}", "}") for path in served}
    assert served == set(DOCUMENT["paths"])
