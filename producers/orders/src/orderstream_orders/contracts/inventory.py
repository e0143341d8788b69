"""Stock: commands to inventory and its replies."""

from typing import ClassVar

import msgspec

from orderstream.messages import register
from orderstream_orders.contracts.message import Command, Event, Reply, StockEvent


class StockLine(msgspec.Struct, frozen=True, kw_only=True):
    """Units of one SKU; an order's lines of one SKU are added up.

    Attributes:
        sku: Stock keeping unit, upper case.
        quantity: Units, at least 1.
    """

    sku: str
    quantity: int


@register
class StockReserved(Reply, frozen=True, kw_only=True):
    """All lines are reserved."""

    owner: ClassVar[str] = "inventory"
    consumers: ClassVar[tuple[str, ...]] = ("saga",)


@register
class StockRejected(Reply, frozen=True, kw_only=True):
    """Nothing is reserved, and never will be for this order.

    Attributes:
        reason: ``"out_of_stock"``, ``"unknown_sku"`` or ``"released"`` (a release came first).
        sku: The first SKU that could not be reserved, where there is one.
    """

    owner: ClassVar[str] = "inventory"
    consumers: ClassVar[tuple[str, ...]] = ("saga",)

    reason: str
    sku: str | None = None


@register
class StockReleased(Reply, frozen=True, kw_only=True):
    """Nothing is reserved any more, and never will be for this order."""

    owner: ClassVar[str] = "inventory"
    consumers: ClassVar[tuple[str, ...]] = ("saga",)


@register
class ReserveStock(Command, frozen=True, kw_only=True):
    """Reserve all lines or none.

    Attributes:
        lines: One per SKU, sorted by SKU; empty for an order of services only.
    """

    owner: ClassVar[str] = "inventory"
    consumers: ClassVar[tuple[str, ...]] = ("inventory",)
    success: ClassVar[tuple[type[Reply], ...]] = (StockReserved,)
    refusals: ClassVar[tuple[type[Reply], ...]] = (StockRejected,)

    lines: tuple[StockLine, ...]


@register
class ReleaseStock(Command, frozen=True, kw_only=True):
    """Undo the reservation, or make sure that it never happens. Final."""

    owner: ClassVar[str] = "inventory"
    consumers: ClassVar[tuple[str, ...]] = ("inventory",)
    success: ClassVar[tuple[type[Reply], ...]] = (StockReleased,)


@register
class StockSold(Event, frozen=True, kw_only=True):
    """The confirmed order's reserved units have left stock."""

    owner: ClassVar[str] = "inventory"
    consumers: ClassVar[tuple[str, ...]] = ()


@register
class StockReceived(StockEvent, frozen=True, kw_only=True):
    """Goods of a SKU have arrived. The stock monitor publishes it, from the captured change.

    Attributes:
        units: Units that were added, at least 1.
        operator: Who received them.
        reason: Why, or by which delivery, in their words.
    """

    owner: ClassVar[str] = "inventory"
    consumers: ClassVar[tuple[str, ...]] = ()

    units: int
    operator: str
    reason: str


@register
class StockCorrected(StockEvent, frozen=True, kw_only=True):
    """An operator corrected the count of a SKU. The stock monitor publishes it, from the captured change.

    Attributes:
        units: Units that were added; below 0 if they were taken off. Never 0.
        operator: Who corrected it.
        reason: Why, in their words.
    """

    owner: ClassVar[str] = "inventory"
    consumers: ClassVar[tuple[str, ...]] = ()

    units: int
    operator: str
    reason: str


@register
class LowStockDetected(StockEvent, frozen=True, kw_only=True):
    """The available units of a SKU fell to the threshold or below it, by any change.

    Attributes:
        available: Units that can still be reserved after the change.
        threshold: Units at which stock counts as low.
    """

    owner: ClassVar[str] = "stock-monitor"
    consumers: ClassVar[tuple[str, ...]] = ("notifications",)

    available: int
    threshold: int
