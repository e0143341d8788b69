"""Requests that do not fit what inventory knows: forged, repeated, at the wrong time or wrong ones."""

import logging

import pytest

from fakes.inventory_world import CONFIRMED, RELEASE, Inventory, reserve
from orderstream.messages import Message
from orderstream_consumer.store import (
    Add,
    ConditionFailedError,
    Put,
)
from orderstream_workers.services.inventory.errors import InvalidStockLinesError, StockImbalanceError


def test_a_forged_copy_is_dropped_with_an_alarm(caplog: pytest.LogCaptureFixture) -> None:
    """The id of a command that was carried out, with other lines: nothing moves, operators hear of it."""
    inventory = Inventory()
    inventory.handle(reserve(3), event_id="c-1", at=1)
    inventory.handle(reserve(4), event_id="c-1", at=1)
    assert len(inventory.sent) == 1
    assert inventory.totals() == (594, 6, 0)
    assert [record.levelname for record in caplog.records] == ["ERROR"]


@pytest.mark.parametrize("request_", [CONFIRMED, RELEASE], ids=["confirmed", "release"])
def test_what_does_not_fit_the_reservation_changes_nothing_and_is_reported(
    request_: Message, caplog: pytest.LogCaptureFixture
) -> None:
    """A confirmation of what is released and a release of what is sold break the flow's rules."""
    inventory = Inventory()
    if request_ is CONFIRMED:
        inventory.handle(RELEASE, at=1)
    else:
        inventory.handle(reserve(3), at=1)
        inventory.handle(CONFIRMED, at=2)
    before = inventory.totals(), inventory.state, len(inventory.sent)
    with caplog.at_level(logging.ERROR):
        inventory.handle(request_, event_id="senseless", at=3)
    assert (inventory.totals(), inventory.state, len(inventory.sent)) == before
    assert [record.levelname for record in caplog.records] == ["ERROR"]


def test_a_confirmation_of_an_unknown_order_is_reported(caplog: pytest.LogCaptureFixture) -> None:
    """It leaves nothing behind."""
    inventory = Inventory()
    inventory.handle(CONFIRMED)
    assert inventory.state is None
    assert inventory.transactions == []
    assert [record.levelname for record in caplog.records] == ["ERROR"]


def test_a_repeated_confirmation_is_no_news(caplog: pytest.LogCaptureFixture) -> None:
    """Another event that confirms a sold order again is ignored without noise."""
    inventory = Inventory()
    inventory.handle(reserve(3), at=1)
    inventory.handle(CONFIRMED, at=2)
    inventory.handle(CONFIRMED, event_id="another", at=3)
    assert inventory.totals() == (594, 0, 6)
    assert not [record for record in caplog.records if record.levelno > logging.INFO]


def test_a_line_below_one_unit_is_the_record_s_own_failure() -> None:
    """Such a command cannot be carried out now or later: it is not retried."""
    inventory = Inventory()
    with pytest.raises(InvalidStockLinesError):
        inventory.handle(reserve(1, units=0))
    assert inventory.transactions == []


def test_missing_reserved_units_are_not_papered_over() -> None:
    """If somebody else has written to the stock, the release fails loudly and names the SKU."""
    inventory = Inventory()
    inventory.handle(reserve(3), at=1)
    inventory.store.transact([Add("stock", "00001", {"reserved": -1}, {})])
    with pytest.raises(StockImbalanceError, match="00001"):
        inventory.handle(RELEASE, at=2)


def test_lines_of_a_forgotten_order_are_not_reserved_again() -> None:
    """Where a header was deleted by hand, its lines stay: the command fails instead of turning forever."""
    inventory = Inventory()
    inventory.store.transact([Put("reservations", "o-1#lines", {"lines": []}, None)])
    with pytest.raises(ConditionFailedError):
        inventory.handle(reserve(3))
    assert inventory.totals() == (600, 0, 0)
