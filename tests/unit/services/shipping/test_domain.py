"""Shipping's decision: once, and forever."""

import datetime as dt

import pytest

from orderstream_orders.contracts import OrderShipped, ShipmentRefused, ShipOrder
from orderstream_workers.services.shipping.domain import Refused, Shipment, Taken, decide, reply_to

NOW = dt.datetime(2010, 12, 1, 8, 26, tzinfo=dt.UTC)
NOWHERE: frozenset[str] = frozenset()


def command(country: str | None, order_id: str = "o-1") -> ShipOrder:
    return ShipOrder(order_id=order_id, country=country, units=6)


def test_a_served_destination_is_taken() -> None:
    """The shipment is recorded with where it goes and how much."""
    shipment = decide(None, command("France"), {"Norway"}, NOW)
    assert isinstance(shipment.outcome, Taken)
    assert (shipment.outcome.country, shipment.outcome.units) == ("France", 6)
    assert reply_to(shipment, "o-1") == OrderShipped(order_id="o-1", shipment_id=shipment.outcome.shipment_id)


@pytest.mark.parametrize("country", ["Norway", "NORWAY", "norway"])
def test_an_unserved_destination_is_refused(country: str) -> None:
    """Whatever case the shop writes it in."""
    shipment = decide(None, command(country), {"Norway"}, NOW)
    assert shipment == Shipment(Refused("destination_not_served", country), NOW)
    assert reply_to(shipment, "o-1") == ShipmentRefused(order_id="o-1", reason="destination_not_served")


def test_an_order_without_a_destination_is_taken() -> None:
    """A shop that does not say where to ships inland."""
    assert isinstance(decide(None, command(None), {"Norway"}, NOW).outcome, Taken)


def test_shipment_ids_are_derived_from_the_order() -> None:
    """Deciding again gives the same shipment, another order gives another one."""
    again = [
        decide(None, command("France", order_id), NOWHERE, NOW).outcome for order_id in ("o-1", "o-1", "o-2")
    ]
    assert again[0] == again[1]
    assert again[0] != again[2]


def test_a_decision_is_final() -> None:
    """A change of the settings does not reach orders that have been decided."""
    later = NOW + dt.timedelta(days=1)
    taken = decide(None, command("Norway"), NOWHERE, NOW)
    refused = decide(None, command("Norway"), {"Norway"}, NOW)
    assert decide(taken, command("Norway"), {"Norway"}, later) == taken
    assert decide(refused, command("Norway"), NOWHERE, later) == refused
