"""Carrying out requests: transactions and their sizes, resumption, redelivery, refusals."""

import pytest

from fakes.inventory_world import CONFIRMED, NOW, RELEASE, Inventory, reserve
from fakes.messages import envelope_of
from orderstream.errors import DependencyError
from orderstream.messages import decode_envelope, derived_id
from orderstream_consumer.idempotency.publisher import CollectingPublisher
from orderstream_consumer.idempotency.received import Received
from orderstream_consumer.processing.record import Position
from orderstream_consumer.store import ContentionError, Put
from orderstream_consumer.testing import Fault
from orderstream_orders.contracts import StockRejected, StockReleased, StockReserved, StockSold
from orderstream_workers.services.inventory import InventoryHandlers, StockLevel, read_stock, seed_stock
from orderstream_workers.services.inventory.domain import Phase, Reservation


def test_a_small_order_is_one_transaction() -> None:
    """Up to 25 lines, header, lines and stock are written together."""
    inventory = Inventory()
    inventory.handle(reserve(25))
    assert inventory.adds == [25]
    assert inventory.replies == [StockReserved(order_id="o-1")]
    assert inventory.totals() == (550, 50, 0)


def test_a_long_order_goes_chunk_by_chunk_and_writes_its_lines_once() -> None:
    """Each transaction has at most 25 stock items; the lines go with the first and are not written again."""
    inventory = Inventory()
    inventory.handle(reserve(60))
    assert inventory.adds == [25, 25, 10]
    assert [sum(isinstance(write, Put) for write in writes) for writes in inventory.transactions] == [2, 1, 1]
    assert inventory.state == Reservation(Phase.RESERVED, 60, 60, reserved=True)


def test_a_reply_follows_its_command() -> None:
    """The reply has an id derived from the command, its correlation id, and inventory as its source."""
    inventory = Inventory()
    inventory.handle(reserve(1), event_id="c-1")
    reply = decode_envelope(inventory.sent[0])
    assert reply.id == derived_id("inventory", "c-1", 0)
    assert reply.correlation_id == "reserve_stock:1"
    assert reply.causation_id == "c-1"
    assert reply.source == "inventory"
    assert reply.time == NOW


def test_conflicts_halve_the_chunk_and_commits_grow_it() -> None:
    """Under contention transactions shrink, with a pause before each, and recover afterwards."""
    inventory = Inventory()
    inventory.faults = [Fault.CONFLICT, Fault.CONFLICT]
    inventory.handle(reserve(60))
    assert inventory.adds == [25, 12, 6, 12, 24, 18]
    assert inventory.slept == [0.005, 0.01]
    assert inventory.replies == [StockReserved(order_id="o-1")]


def test_endless_conflicts_are_a_dependency_s_failure() -> None:
    """Ten conflicts in a row go to the caller, which waits and delivers again; nothing has changed."""
    inventory = Inventory()
    inventory.faults = [Fault.CONFLICT] * 10
    with pytest.raises(ContentionError):
        inventory.handle(reserve(60))
    assert inventory.totals() == (600, 0, 0)
    inventory.handle(reserve(60))
    assert inventory.replies == [StockReserved(order_id="o-1")]


@pytest.mark.parametrize("fault", [Fault.BEFORE, Fault.AFTER])
@pytest.mark.parametrize("chunk", [0, 1, 2])
def test_a_redelivery_goes_on_where_the_header_stands(fault: Fault, chunk: int) -> None:
    """Whichever chunk failed, and whether it was committed or not: nothing is reserved twice."""
    inventory = Inventory()
    inventory.faults = [None] * chunk + [fault]
    with pytest.raises(DependencyError):
        inventory.handle(reserve(60))
    inventory.handle(reserve(60))
    assert inventory.replies == [StockReserved(order_id="o-1")]
    assert inventory.totals() == (480, 120, 0)


def test_the_same_delivery_sends_the_stored_reply_again() -> None:
    """A reply that was committed but not acknowledged goes out on redelivery, byte for byte."""
    inventory = Inventory()
    inventory.down = True
    with pytest.raises(DependencyError):
        inventory.handle(reserve(3))
    inventory.down = False
    inventory.handle(reserve(3))
    inventory.handle(reserve(3))
    assert len(inventory.sent) == 2
    assert len(set(inventory.sent)) == 1
    assert len(inventory.transactions) == 1


def test_a_duplicate_at_another_position_is_dropped() -> None:
    """A copy of a command that has been carried out changes nothing and is not answered again."""
    inventory = Inventory()
    inventory.handle(reserve(3), at=1)
    inventory.handle(reserve(3), at=2)
    assert len(inventory.sent) == 1
    assert inventory.totals() == (594, 6, 0)


def test_a_shortage_in_a_later_chunk_gives_everything_back() -> None:
    """All lines or none: what earlier chunks hold is released before the refusal is answered."""
    inventory = Inventory(skus=40)
    seed_stock(inventory.store, "00040", 1)
    seed_stock(inventory.store, "00041", 0)
    inventory.handle(reserve(42))
    assert inventory.replies == [StockRejected(order_id="o-1", reason="out_of_stock", sku="00040")]
    assert inventory.totals() == (401, 0, 0)


def test_a_shortage_in_the_only_chunk_needs_no_way_back() -> None:
    """The transaction was refused whole; a header that says so is all that is written."""
    inventory = Inventory(units=1)
    inventory.handle(reserve(3))
    assert inventory.adds == [3, 0]
    assert inventory.replies == [StockRejected(order_id="o-1", reason="out_of_stock", sku="00000")]


def test_an_unknown_sku_is_told_apart_from_a_shortage() -> None:
    """Stock that was never opened is a refusal with its own reason."""
    inventory = Inventory(skus=2)
    inventory.handle(reserve(3))
    assert inventory.replies == [StockRejected(order_id="o-1", reason="unknown_sku", sku="00002")]
    assert inventory.totals() == (20, 0, 0)


def test_a_refusal_is_final() -> None:
    """Stock that arrives later does not revive a refused order."""
    inventory = Inventory(skus=2)
    inventory.handle(reserve(3))
    seed_stock(inventory.store, "00002", 10)
    inventory.handle(reserve(3), event_id="again", at=2)
    assert inventory.replies[1] == inventory.replies[0]
    assert inventory.totals() == (30, 0, 0)


def test_empty_lines_reserve_trivially() -> None:
    """An order of services only is reserved, and sold, without any stock."""
    inventory = Inventory(skus=0)
    inventory.handle(reserve(0), at=1)
    inventory.handle(CONFIRMED, at=2)
    assert inventory.replies == [StockReserved(order_id="o-1"), StockSold(order_id="o-1")]


def test_a_confirmed_order_is_sold_chunk_by_chunk() -> None:
    """Reserved units become sold ones."""
    inventory = Inventory()
    inventory.handle(reserve(60), at=1)
    inventory.transactions.clear()
    inventory.handle(CONFIRMED, at=2)
    assert inventory.adds == [25, 25, 10]
    assert inventory.replies[-1] == StockSold(order_id="o-1")
    assert inventory.totals() == (480, 0, 120)


def test_a_release_gives_everything_back() -> None:
    """Reserved units become available again."""
    inventory = Inventory()
    inventory.handle(reserve(60), at=1)
    inventory.handle(RELEASE, at=2)
    assert inventory.replies[-1] == StockReleased(order_id="o-1")
    assert inventory.totals() == (600, 0, 0)


def test_a_release_of_a_half_reserved_order_flips_the_header_before_it_touches_stock() -> None:
    """Whoever is still reserving is stopped by a transaction that contends for no stock."""
    inventory = Inventory()
    inventory.faults = [None, Fault.BEFORE]
    with pytest.raises(DependencyError):
        inventory.handle(reserve(60), at=1)
    inventory.transactions.clear()
    inventory.handle(RELEASE, at=2)
    assert inventory.adds == [0, 25]
    inventory.handle(reserve(60), at=1)
    assert inventory.replies == [
        StockReleased(order_id="o-1"),
        StockRejected(order_id="o-1", reason="released"),
    ]
    assert inventory.totals() == (600, 0, 0)


def test_a_release_that_comes_first_forbids_the_reservation_for_ever() -> None:
    """It leaves a tombstone: the command that it overtook is refused."""
    inventory = Inventory()
    inventory.handle(RELEASE, at=1)
    inventory.handle(reserve(3), at=2)
    assert inventory.replies == [
        StockReleased(order_id="o-1"),
        StockRejected(order_id="o-1", reason="released"),
    ]
    assert inventory.totals() == (600, 0, 0)


def test_a_refused_order_can_be_released() -> None:
    """The coordinator compensates every step it asked for; there is nothing to do, and it hears so."""
    inventory = Inventory(skus=0)
    inventory.handle(reserve(1), at=1)
    inventory.handle(RELEASE, at=2)
    assert inventory.replies[-1] == StockReleased(order_id="o-1")


def test_a_refusal_that_met_a_conflict_is_decided_anew() -> None:
    """If a release got through in between, its tombstone stays: the refusal was decided on another state."""
    inventory = Inventory(units=1)
    other = InventoryHandlers(store=inventory.store, publisher=CollectingPublisher(), clock=lambda: NOW)

    def release_in_between(seconds: float) -> None:
        release = envelope_of(RELEASE, source="saga", event_id="release", time=NOW)
        other.handle(Received(release, "shard-0", Position(2), NOW))

    inventory.handlers = InventoryHandlers(
        store=inventory.store, publisher=inventory, clock=lambda: NOW, sleep=release_in_between
    )
    inventory.faults = [None, Fault.CONFLICT]
    inventory.handle(reserve(3))
    assert inventory.replies == [StockRejected(order_id="o-1", reason="released")]
    assert inventory.state == Reservation(Phase.RELEASED, 0, 0)


def test_seeding_again_changes_nothing() -> None:
    """Stock is opened once; what was reserved since stays so."""
    inventory = Inventory(skus=0)
    assert seed_stock(inventory.store, "00000", 5)
    inventory.handle(reserve(1))
    assert not seed_stock(inventory.store, "00000", 5)
    assert list(read_stock(inventory.store)) == [StockLevel("00000", 5, 3, 2, 0)]
