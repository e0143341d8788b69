"""What people do to stock: goods that have arrived, and counts that are corrected; each once, under a key.

One transaction moves the counters, keeps the adjustment under its id, and leaves its event in the item::

    operator ──> { adjustment#ID: put if absent  ·  SKU: add the units, set the event }
                                                       │ captured change, any number of times
                                                       v
                           stock monitor ──> StockReceived or StockCorrected, and LowStockDetected

So there is no moment at which stock has moved and its event can be lost, whichever process dies. An operator
who does not know whether a call was carried out repeats it under its key: the adjustment is there, or it is
not.
"""

import datetime as dt
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

import msgspec

from orderstream.messages import Envelope, check_identifier, initial, initial_event_id
from orderstream_consumer.store import (
    Add,
    Attribute,
    ConditionFailedError,
    ContentionError,
    Put,
    Store,
    Write,
)
from orderstream_orders.contracts import StockCorrected, StockReceived
from orderstream_orders.contracts.sku import is_sku
from orderstream_workers.services.inventory.chunk import Chunk
from orderstream_workers.services.inventory.errors import (
    AdjustmentKeyTakenError,
    CorrectionRefusedError,
    UnknownSkuError,
)
from orderstream_workers.services.inventory.reservations import RESERVATIONS
from orderstream_workers.services.inventory.stock import EVENT, STOCK, StockLevel, stock_of

SOURCE: Final = "inventory"

MAX_UNITS: Final = 1_000_000_000
"""Units of one adjustment: more than that is a slip of the finger."""

MAX_TEXT: Final = 256
"""Characters of operator and reason: the stock item carries them, and is written with every reservation."""


class Adjustment(msgspec.Struct, frozen=True, kw_only=True):
    """What an operator does to the stock of one SKU, as they put it.

    Attributes:
        kind: Goods have arrived, or the count was wrong.
        sku: Stock keeping unit, upper case, as an order may name it (``is_sku``).
        units: What is added, 1 or more; of a correction also below 0. None for a correction by ``counted``.
        counted: What was counted on the shelf, reserved units included, 0 or more; None otherwise.
        operator: Who does it; 1 to 256 characters.
        reason: Why; 1 to 256 characters.
        key: The operator's own name for this call: under one key, stock is adjusted once.
    """

    kind: Literal["received", "corrected"]
    sku: str
    operator: str
    reason: str
    key: str
    units: int | None = None
    counted: int | None = None

    def __post_init__(self) -> None:
        """Check that it can be carried out and accounted for."""
        check_identifier("key", self.key)
        if not is_sku(self.sku):
            raise ValueError(
                f"{self.sku!r} is no SKU: orders have visible characters of ASCII in them, and single spaces "
                "in between; 200 characters at most"
            )
        if self.sku != self.sku.upper():
            raise ValueError(f"{self.sku!r} is no SKU: orders have them in upper case, {self.sku.upper()!r}")
        for name in ("operator", "reason"):
            text = getattr(self, name)
            if not text.strip() or len(text) > MAX_TEXT or not text.isprintable():
                raise ValueError(f"{name} must have 1 to {MAX_TEXT} printable characters")
        if (self.units is None) == (self.counted is None) or (self.kind == "received" and self.units is None):
            raise ValueError("goods are received in units; a correction has units or what was counted")
        lowest = {"received": 1, "corrected": -MAX_UNITS}[self.kind]
        if self.units is not None and not (lowest <= self.units <= MAX_UNITS and self.units):
            raise ValueError(f"units must be from {lowest} to {MAX_UNITS:,}, and not 0")
        if self.counted is not None and not 0 <= self.counted <= MAX_UNITS:
            raise ValueError(f"counted must be from 0 to {MAX_UNITS:,}")

    @property
    def id(self) -> str:
        """The id of the adjustment and of its event: operators do not share keys."""
        return initial_event_id(SOURCE, self.operator, self.key)


@dataclass(frozen=True, slots=True)
class Adjusted:
    """An adjustment that is done.

    Attributes:
        units: What was added to the stock, below 0 if it was taken off; 0 if the count was right.
        repeated: Whether it had been done before, under its key, so that this call changed nothing.
        level: The stock afterwards; None if its item has gone meanwhile.
    """

    units: int
    repeated: bool
    level: StockLevel | None


class _Kept(msgspec.Struct, frozen=True):
    """The item of an adjustment's id."""

    asked: Adjustment
    units: int


def adjust(
    store: Store,
    asked: Adjustment,
    clock: Callable[[], dt.datetime],
    *,
    draw: Callable[[], float] = random.random,
    sleep: Callable[[float], object] = time.sleep,
) -> Adjusted:
    """Adjust stock, unless that was done under the same key before.

    Goods of an unknown SKU open its stock. A correction by ``counted`` adds the difference to what the books
    have on hand now: what is reserved or sold right afterwards does not spoil it.

    Args:
        store: Where the stock is kept.
        asked: What to do.
        clock: The time (UTC, with zone).
        draw: A random number in [0, 1), for jitter.
        sleep: Waits for so many seconds.

    Raises:
        UnknownSkuError: there is no stock of the SKU to be corrected.
        CorrectionRefusedError: less would be left than is reserved for orders; nothing was changed.
        AdjustmentKeyTakenError: the key belongs to another adjustment.
        StockItemError: the item was written by hand and cannot be read.
        DependencyError: the store did not respond, or too many orders want the SKU; repeat it under its key.
    """
    chunk = Chunk(1, 1)
    while True:
        item = store.get(RESERVATIONS.name, _key(asked))
        level = stock_of(store, asked.sku)
        if item is not None:
            kept = msgspec.json.decode(item.value("adjustment", bytes), type=_Kept)
            if kept.asked != asked:
                raise AdjustmentKeyTakenError(asked.key, kept.asked.kind, kept.asked.sku)
            return Adjusted(kept.units, repeated=True, level=level)
        units = _units(asked, level)
        # A count that was right is noted too: repeated later, it must not be compared with other books.
        moved = [_moved(asked, units, level, clock())] if units else []
        try:
            store.transact([_noted(asked, units), *moved])
        except ContentionError:
            chunk = chunk.after_conflict()
            if chunk.exhausted:
                raise
            sleep(chunk.delay(draw()))
        except ConditionFailedError:
            # Done under this key meanwhile, or the stock has moved: another look says which.
            continue
        else:
            return Adjusted(units, repeated=False, level=stock_of(store, asked.sku))


def _units(asked: Adjustment, level: StockLevel | None) -> int:
    if level is None:
        if asked.kind == "corrected" or asked.units is None:
            raise UnknownSkuError(asked.sku)
        return asked.units
    units = asked.units if asked.counted is None else asked.counted - level.on_hand
    assert units is not None
    if level.available + units < 0:
        raise CorrectionRefusedError(asked.sku, units, on_hand=level.on_hand, reserved=level.reserved)
    return units


def _noted(asked: Adjustment, units: int) -> Put:
    content = msgspec.json.encode(_Kept(asked, units))
    return Put(RESERVATIONS.name, _key(asked), {"adjustment": content}, expected_version=None)


def _moved(asked: Adjustment, units: int, level: StockLevel | None, now: dt.datetime) -> Write:
    event = _event(asked, units, now).encode().decode()
    if level is None:
        opened: dict[str, Attribute] = {
            "initial": units,
            "available": units,
            "reserved": 0,
            "sold": 0,
            EVENT: event,
        }
        return Put(STOCK.name, asked.sku, opened, expected_version=None)
    return Add(
        STOCK.name,
        asked.sku,
        deltas={"initial": units, "available": units},
        floors={"available": -units} if units < 0 else {},
        sets={EVENT: event},
    )


def _event(asked: Adjustment, units: int, now: dt.datetime) -> Envelope:
    event = StockReceived if asked.kind == "received" else StockCorrected
    message = event(sku=asked.sku, units=units, operator=asked.operator, reason=asked.reason)
    return initial(message, source=SOURCE, event_id=asked.id, time=now)


def _key(asked: Adjustment) -> str:
    return f"adjustment#{asked.id}"
