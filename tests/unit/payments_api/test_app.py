"""The provider's API: idempotency, declines, limit, ledger, faults."""

import datetime as dt
import hashlib
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import msgspec
import pytest

from fakes.asgi import AsgiClient
from orderstream_playground.local.payments_api import Ledger, create_app, is_declined

NOW = dt.datetime(2010, 12, 1, 8, 26, tzinfo=dt.UTC)


class Provider:
    """The application over HTTP in memory, with a clock that is moved by hand."""

    def __init__(self, path: Path, rate: int = 10_000, percent: int = 0) -> None:
        self.seconds = 100.0
        self.ledger = Ledger(path)
        app = create_app(
            self.ledger,
            rate=rate,
            decline_percent=percent,
            seed=7,
            clock=lambda: NOW,
            monotonic=lambda: self.seconds,
        )
        self.closing = ExitStack()
        self.closing.callback(self.ledger.close)
        self.client = self.closing.enter_context(AsgiClient(app))

    def charge(self, order_id: str = "o-1", amount: int = 1230, key: str | None = None):
        body = {"order_id": order_id, "amount_minor": amount, "currency": "GBP"}
        headers = {"Idempotency-Key": key or f"{order_id}:capture"}
        return self.client.post("/v1/charges", json=body, headers=headers)

    def refund(self, charge_id: str, amount: int = 1230, key: str = "o-1:refund"):
        body = {"order_id": "o-1", "charge_id": charge_id, "amount_minor": amount, "currency": "GBP"}
        return self.client.post("/v1/refunds", json=body, headers={"Idempotency-Key": key})

    def entries(self) -> list[dict]:
        lines = self.client.get("/v1/ledger").content.splitlines()
        return [msgspec.json.decode(line) for line in lines]

    def faults(self, **demand) -> None:
        assert self.client.post("/_faults", json=demand).status_code == 204


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.sqlite"


@pytest.fixture
def provider(path: Path) -> Iterator[Provider]:
    made = Provider(path)
    yield made
    made.closing.close()


def test_a_charge_is_booked(provider: Provider) -> None:
    """201 with the charge's id, and one line in the ledger."""
    response = provider.charge()
    assert response.status_code == 201
    assert response.json()["charge_id"].startswith("ch_")
    assert provider.entries() == [
        {
            "order_id": "o-1",
            "kind": "charge",
            "amount_minor": 1230,
            "currency": "GBP",
            "idempotency_key": "o-1:capture",
            "at": "2010-12-01T08:26:00Z",
        }
    ]


def test_the_same_key_has_the_same_response(provider: Provider) -> None:
    """However often it is asked, there is one row."""
    first, second = provider.charge(), provider.charge()
    assert (first.status_code, first.content) == (second.status_code, second.content)
    assert len(provider.entries()) == 1


def test_the_same_key_with_another_body_is_refused(provider: Provider) -> None:
    """422, and nothing is booked for it."""
    provider.charge()
    response = provider.charge(amount=999)
    assert (response.status_code, response.json()["code"]) == (422, "idempotency_key_reused")
    assert len(provider.entries()) == 1


def test_a_refund_gives_back_what_was_charged(provider: Provider) -> None:
    """The ledger nets to zero, and the same key gives nothing back twice."""
    charge_id = provider.charge().json()["charge_id"]
    first, second = provider.refund(charge_id), provider.refund(charge_id)
    assert first.status_code == 201
    assert first.content == second.content
    assert [entry["kind"] for entry in provider.entries()] == ["charge", "refund"]


def test_no_more_is_given_back_than_was_charged(provider: Provider) -> None:
    """Another key does not get around it; an unknown charge has nothing to give."""
    charge_id = provider.charge().json()["charge_id"]
    provider.refund(charge_id)
    assert provider.refund(charge_id, key="again").json()["code"] == "more_than_charged"
    assert provider.refund("ch_unknown", key="other").status_code == 404


def test_declines_can_be_foretold(path: Path) -> None:
    """Exactly the orders whose digest falls under the percentage are declined, and leave no row."""
    provider = Provider(path, percent=30)
    orders = [f"o-{number}" for number in range(60)]
    for order in orders:
        foretold = int(hashlib.sha256(f"7/{order}".encode()).hexdigest()[:8], 16) % 100 < 30
        assert is_declined(7, order, 30) == foretold
        response = provider.charge(order)
        assert response.status_code == (402 if foretold else 201)
        assert not foretold or response.json() == {"code": "card_declined"}
    declined = sum(is_declined(7, order, 30) for order in orders)
    assert 0 < declined < 60
    assert len(provider.entries()) == 60 - declined
    provider.closing.close()


def test_over_the_limit_is_429(path: Path) -> None:
    """It says when to come back, books nothing, and is counted."""
    provider = Provider(path, rate=2)
    statuses = [provider.charge(f"o-{number}").status_code for number in range(3)]
    assert statuses == [201, 201, 429]
    assert provider.charge("o-3").headers["Retry-After"] == "1"
    stats = provider.client.get("/v1/stats").json()
    assert (stats["requests"], stats["throttled"], stats["most_at_once"]) == (4, 2, 1)
    provider.seconds += 1.0
    assert provider.charge("o-3").status_code == 201
    provider.closing.close()


def test_the_ledger_survives_a_restart(path: Path, provider: Provider) -> None:
    """A new process knows the keys and the charges of the old one."""
    charge = provider.charge()
    reopened = Provider(path)
    assert reopened.charge().content == charge.content
    assert reopened.refund(charge.json()["charge_id"]).status_code == 201
    assert len(reopened.entries()) == 2
    reopened.closing.close()


def test_a_long_ledger_is_read_to_its_end(provider: Provider) -> None:
    """Page by page, oldest first, none twice."""
    for number in range(1001):
        provider.charge(f"o-{number}")
    assert [entry["order_id"] for entry in provider.entries()] == [f"o-{number}" for number in range(1001)]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b'{"order_id":"o-1","currency":"GBP"}',
        b'{"order_id":"o-1","amount_minor":0,"currency":"GBP"}',
        b'{"order_id":"o-1","amount_minor":1.5,"currency":"GBP"}',
        b'{"order_id":"o-1","amount_minor":1,"currency":"pounds"}',
    ],
)
def test_a_malformed_charge_is_refused(provider: Provider, body: bytes) -> None:
    """422 and no row; without a key 400."""
    response = provider.client.post("/v1/charges", content=body, headers={"Idempotency-Key": "k"})
    assert (response.status_code, response.json()["code"]) == (422, "malformed")
    assert provider.client.post("/v1/charges", content=body).status_code == 400
    assert provider.entries() == []


def test_a_lost_response_was_carried_out(provider: Provider) -> None:
    """The money moved, the caller hears nothing, and the same key tells."""
    provider.faults(lost_responses=1, hang_seconds=0)
    assert provider.charge().status_code == 504
    assert len(provider.entries()) == 1
    assert provider.charge().status_code == 201
    assert len(provider.entries()) == 1


def test_errors_and_outages_carry_nothing_out(provider: Provider) -> None:
    """500s for so many requests, 503s for so long, then all is well."""
    provider.faults(errors=1, outage_seconds=0)
    assert provider.charge().status_code == 500
    provider.faults(outage_seconds=30)
    assert provider.charge().status_code == 503
    assert provider.entries() == []
    provider.seconds += 31
    assert provider.charge().status_code == 201


def test_a_forced_decline_is_final(provider: Provider) -> None:
    """The same key is declined forever, also when the demand is used up."""
    provider.faults(declines=1)
    assert [provider.charge().status_code for _ in range(2)] == [402, 402]
    assert provider.charge("o-2").status_code == 201


def test_a_forced_throttle_carries_nothing_out(provider: Provider) -> None:
    """A 429 comes at any rate if it is asked for, moves no money, and says when to come back."""
    provider.faults(throttles=1)
    refused = provider.charge()
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "1")
    assert provider.entries() == []
    assert provider.charge().status_code == 201


def test_faults_that_struck_are_counted(provider: Provider) -> None:
    """Who asks for faults can see that they came, each under its name."""
    provider.faults(errors=1, throttles=1, declines=1, lost_responses=1, hang_seconds=0)
    for order_id in ("o-1", "o-1", "o-1", "o-2"):
        provider.charge(order_id)
    provider.faults(outage_seconds=30)
    provider.charge("o-3")
    struck = provider.client.get("/_faults").json()
    assert struck == {"errors": 1, "throttles": 1, "declines": 1, "lost_responses": 1, "outage": 1}


def test_an_unknown_fault_is_refused(provider: Provider) -> None:
    """A misspelt demand does not pass in silence."""
    assert provider.client.post("/_faults", json={"latencies": 1}).status_code == 422
    assert provider.client.get("/health").status_code == 200
