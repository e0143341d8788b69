"""The stock of each SKU: one item of counters; available, reserved and sold always add up to initial."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from orderstream_consumer.store import Add, ConditionFailedError, Put, Store, TableSpec
from orderstream_orders.contracts import StockLine
from orderstream_workers.services.inventory.domain import Movement
from orderstream_workers.services.inventory.errors import StockItemError

STOCK: Final = TableSpec("stock")
"""Key: SKU. Attributes: initial, available, reserved, sold, all in units; event of the last adjustment."""

EVENT: Final = "event"
"""The attribute with the encoded event of the item's last adjustment: its captured change carries it out."""

_FROM_TO: Final = {
    Movement.HOLD: ("available", "reserved"),
    Movement.GIVE_BACK: ("reserved", "available"),
    Movement.SELL: ("reserved", "sold"),
}


@dataclass(frozen=True, slots=True)
class StockLevel:
    """The stock of one SKU, in units.

    Attributes:
        sku: Stock keeping unit.
        initial: What there was in the beginning, and what adjustments have added or taken off since.
        available: What can be reserved.
        reserved: What is kept for orders that are not confirmed yet.
        sold: What has left for confirmed orders.
    """

    sku: str
    initial: int
    available: int
    reserved: int
    sold: int

    @property
    def on_hand(self) -> int:
        """What a person counts on the shelf: reserved units have not left it yet."""
        return self.available + self.reserved

    @property
    def balanced(self) -> bool:
        """Whether no unit was made, lost or counted twice."""
        counted = self.available + self.reserved + self.sold
        return counted == self.initial and min(self.available, self.reserved, self.sold) >= 0


def movements(movement: Movement, lines: Sequence[StockLine]) -> list[Add]:
    """The writes that move the lines' units, each on condition that the units are there.

    Args:
        movement: From where to where.
        lines: At most one per SKU.
    """
    origin, target = _FROM_TO[movement]
    return [
        Add(
            table=STOCK.name,
            key=line.sku,
            deltas={origin: -line.quantity, target: line.quantity},
            floors={origin: line.quantity},
        )
        for line in lines
    ]


def seed_stock(store: Store, sku: str, units: int) -> bool:
    """Open a SKU's stock, unless it is open already: seeding again changes nothing.

    Args:
        store: Where the stock is kept.
        sku: Stock keeping unit.
        units: What there is in the beginning, 0 or more.

    Returns:
        True if the stock was opened by this call.

    Raises:
        DependencyError: the store did not respond; seed again.
    """
    counters = {"initial": units, "available": units, "reserved": 0, "sold": 0}
    try:
        store.transact([Put(table=STOCK.name, key=sku, attributes=counters, expected_version=None)])
    except ConditionFailedError:
        return False  # open already: what has been reserved or sold since must stay
    return True


def read_stock(store: Store) -> Iterator[StockLevel]:
    """All stock, in no particular order.

    Args:
        store: Where the stock is kept.
    """
    for item in store.scan(STOCK.name):
        yield msgspec.convert({**item.attributes, "sku": item.key}, StockLevel)


def stock_of(store: Store, sku: str) -> StockLevel | None:
    """The stock of a SKU; None if there is none, and never was.

    Args:
        store: Where the stock is kept.
        sku: Stock keeping unit.

    Raises:
        StockItemError: the item was written by hand and cannot be read.
        DependencyError: the store did not respond.
    """
    item = store.get(STOCK.name, sku)
    if item is None:
        return None
    try:
        return msgspec.convert({**item.attributes, "sku": sku}, StockLevel)
    except msgspec.ValidationError as error:
        raise StockItemError(sku, str(error)) from error


def is_known(store: Store, sku: str) -> bool:
    """Whether there is stock of a SKU, or ever was.

    Args:
        store: Where the stock is kept.
        sku: Stock keeping unit.
    """
    return store.get(STOCK.name, sku) is not None
