"""Parcels as operators see them on a terminal of 80 columns, and what they report."""

import json

import pytest
from click.testing import CliRunner, Result

from fakes.operating import NOW, MemoryResources
from orderstream.messages import decode_envelope
from orderstream_consumer.idempotency import StateItems
from orderstream_orders.contracts import Customer, ParcelScanned
from orderstream_workers.cli.goods.shipping import shipping
from orderstream_workers.services.shipping.domain import Shipment, Taken
from orderstream_workers.services.shipping.errors import ScanRefusedError

ORDER = "6c9c1f2e-0b8d-5a57-9d6e-0c6f3a1f7b21"


def run(resources: MemoryResources, *arguments: str) -> Result:
    return CliRunner().invoke(shipping, arguments, obj=resources)


@pytest.fixture
def resources() -> MemoryResources:
    made = MemoryResources()
    taken = Taken("sh_1", "United Kingdom", 12, Customer(email="jane@example.com"))
    made.store.transact([StateItems("shipments", Shipment).put(ORDER, Shipment(taken, NOW))])
    return made


def test_what_waits_is_listed_within_80_columns(resources: MemoryResources) -> None:
    """With the order, since when, and whereto; to a program the same, and to nobody whom it is for."""
    lines = run(resources, "list").output.splitlines()
    assert lines == [
        f"{'ORDER':<36}  PARCEL   FOR  UNITS  COUNTRY",
        f"{ORDER}  waiting  0s   12     United Kingdom",
    ]
    assert max(map(len, lines)) <= 80
    (shown,) = json.loads(run(resources, "list", "--json").output)
    assert (shown["order_id"], shown["parcel"], shown["units"]) == (ORDER, None, 12)
    assert "jane" not in json.dumps(shown)
    assert run(MemoryResources(), "list").output == "no parcel waits to be handed over\n"


def test_a_hand_over_is_reported(resources: MemoryResources) -> None:
    """As an event for shipping, with who has seen it."""
    done = run(resources, "hand-over", ORDER, "--operator", "ann")
    assert done.output == f"the parcel of order {ORDER} is handed over; shipping has been informed\n"
    (event,) = map(decode_envelope, resources.publisher.published)
    assert event.message() == ParcelScanned(order_id=ORDER, scan="handed_over", operator="ann")


def test_a_return_of_what_never_left_is_refused(resources: MemoryResources) -> None:
    """With what to do, and without an event; a return has a reason."""
    refused = run(resources, "returned", ORDER, "--reason", "torn", "--operator", "ann")
    assert isinstance(refused.exception, ScanRefusedError)
    assert isinstance(run(resources, "delivered", ORDER, "--operator", "ann").exception, ScanRefusedError)
    assert resources.publisher.published == []
    assert run(resources, "returned", ORDER).exit_code == 2
    assert run(resources, "returned", ORDER, "--reason", "\x07", "--operator", "ann").exit_code == 2
