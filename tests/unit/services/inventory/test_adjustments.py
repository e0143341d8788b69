"""Goods received and counts corrected: once under a key, never below what orders hold, whatever fails."""

import datetime as dt
import random
from collections.abc import Callable, Sequence

import pytest

from fakes.stock_changes import change, delivered_change
from orderstream.errors import DependencyError
from orderstream.messages import IdentifierInvalidError, decode_envelope
from orderstream_consumer.idempotency import CollectingPublisher
from orderstream_consumer.store import ConditionFailedError, ContentionError, Put, Write
from orderstream_consumer.testing import Fault, MemoryStore
from orderstream_orders.contracts import StockCorrected, StockLine, StockReceived
from orderstream_workers.services.inventory import (
    STOCK,
    Adjusted,
    Adjustment,
    AdjustmentKeyTakenError,
    CorrectionRefusedError,
    StockItemError,
    StockLevel,
    UnknownSkuError,
    adjust,
    read_stock,
    seed_stock,
    stock_of,
)
from orderstream_workers.services.inventory.domain import Movement
from orderstream_workers.services.inventory.stock import EVENT, movements
from orderstream_workers.services.stock_monitor import StockChangeHandler

NOW = dt.datetime(2026, 1, 1, 12, tzinfo=dt.UTC)
SKU = "85123A"


def received(units: int, key: str = "note-1", sku: str = SKU) -> Adjustment:
    return Adjustment(kind="received", sku=sku, units=units, operator="ann", reason="delivery", key=key)


def corrected(key: str = "count-1", sku: str = SKU, **words: int) -> Adjustment:
    return Adjustment(kind="corrected", sku=sku, operator="ann", reason="miscounted", key=key, **words)


def carry_out(store: MemoryStore, asked: Adjustment) -> Adjusted:
    return adjust(store, asked, lambda: NOW, draw=lambda: 0.0, sleep=lambda _: None)


def move(store: MemoryStore, movement: Movement, units: int) -> None:
    store.transact(movements(movement, [StockLine(sku=SKU, quantity=units)]))


def level(store: MemoryStore) -> StockLevel:
    found = stock_of(store, SKU)
    assert found is not None
    assert found.balanced
    return found


def stocked(units: int, reserved: int = 0) -> MemoryStore:
    store = MemoryStore()
    seed_stock(store, SKU, units)
    if reserved:
        move(store, Movement.HOLD, reserved)
    return store


def event_in(store: MemoryStore) -> str:
    item = store.get(STOCK.name, SKU)
    assert item is not None
    return str(item.attributes[EVENT])


def test_goods_open_a_sku_and_add_to_it() -> None:
    """The first units make the item, later ones are added, and what is reserved stays reserved."""
    store = MemoryStore()
    assert carry_out(store, received(100)).level == StockLevel(SKU, 100, 100, 0, 0)
    move(store, Movement.HOLD, 7)
    assert carry_out(store, received(20, "note-2")) == Adjusted(20, False, StockLevel(SKU, 120, 113, 7, 0))
    assert [one.sku for one in read_stock(store)] == [SKU]


def test_the_same_key_changes_nothing_twice() -> None:
    """Nor does it look at the stock again: what was counted is not compared with later books."""
    store = stocked(40)
    first = carry_out(store, corrected(counted=37))
    assert (first.units, first.repeated, level(store).available) == (-3, False, 37)
    move(store, Movement.HOLD, 2)
    move(store, Movement.SELL, 2)
    again = carry_out(store, corrected(counted=37))
    assert (again.units, again.repeated, level(store).available) == (-3, True, 35)


def test_a_count_that_was_right_is_remembered_too() -> None:
    """Otherwise its repetition would undo what was sold in between."""
    store = stocked(40)
    assert carry_out(store, corrected(counted=40)) == Adjusted(0, False, level(store))
    assert EVENT not in store.get(STOCK.name, SKU).attributes
    move(store, Movement.HOLD, 2)
    move(store, Movement.SELL, 2)
    assert carry_out(store, corrected(counted=40)) == Adjusted(0, True, level(store))
    assert level(store).on_hand == 38


def test_a_key_has_one_meaning() -> None:
    """Other words under a used key change nothing; another operator's key is another key."""
    store = stocked(10)
    carry_out(store, received(5))
    for other in (
        received(6),
        corrected("note-1", units=-1),
        received(5, sku="71053"),
    ):
        with pytest.raises(
            AdjustmentKeyTakenError, match="under the key note-1 stock of 85123A was received"
        ):
            carry_out(store, other)
    assert level(store).available == 15
    bob = Adjustment(kind="received", sku=SKU, units=5, operator="bob", reason="delivery", key="note-1")
    assert not carry_out(store, bob).repeated


@pytest.mark.parametrize("words", [{"units": -7}, {"counted": 3}])
def test_what_is_reserved_is_not_corrected_away(words: dict[str, int]) -> None:
    """Refused with the figures, nothing changed, and the key is free for the correction that can be made."""
    store = stocked(10, reserved=5)
    with pytest.raises(CorrectionRefusedError) as refused:
        carry_out(store, corrected(**words))
    assert "the books have 10 on hand, of which 5 are reserved for orders, and 3 would be left" in str(
        refused.value
    )
    assert "Correct it by -5 at most now" in str(refused.value)
    assert level(store).available == 5
    assert carry_out(store, corrected(units=-5)).level == StockLevel(SKU, 5, 0, 5, 0)


def test_an_unknown_sku_is_no_slip_of_stock() -> None:
    """A mistyped SKU is not opened by a correction, and says what would open it."""
    for words in ({"units": 3}, {"counted": 3}):
        with pytest.raises(UnknownSkuError, match="orderstream stock receive"):
            carry_out(MemoryStore(), corrected(**words))


def test_an_item_that_was_written_by_hand_is_named() -> None:
    """What is wrong with it is said, and nothing is added to it."""
    store = MemoryStore()
    store.transact([Put(STOCK.name, SKU, {"available": 5}, None)])
    with pytest.raises(StockItemError, match="initial"):
        carry_out(store, received(5))


@pytest.mark.parametrize(
    "words",
    [
        {"units": 0},
        {"units": -1},
        {"units": 10**10},
        {"operator": " "},
        {"reason": ""},
        {"reason": "two\nlines"},
        {"reason": "x" * 257},
        {"sku": "85123a"},
        {"sku": ""},
        {"sku": " 85123A"},
        {"sku": "85123A\n"},
        {"sku": "85  123A"},
        {"sku": "\ufeff85123A"},
        {"sku": "\uff18\uff15123A"},
        {"sku": "8" * 201},
        {"counted": 3},
        {"kind": "corrected", "units": None},
        {"kind": "corrected", "units": 0},
        {"kind": "corrected", "units": None, "counted": -1},
    ],
)
def test_what_cannot_be_accounted_for_is_refused(words: dict[str, object]) -> None:
    """Before anything is asked of the store."""
    good = {"kind": "received", "sku": SKU, "units": 1, "operator": "ann", "reason": "delivery", "key": "k"}
    with pytest.raises(ValueError, match=r"must|units|SKU"):
        Adjustment(**good | words)  # type: ignore[arg-type]
    with pytest.raises(IdentifierInvalidError):
        Adjustment(**good | {"key": ""})  # type: ignore[arg-type]


def failing(*faults: Fault | None) -> Callable[[str, Sequence[Write]], Fault | None]:
    left = list(faults)
    return lambda operation, _: left.pop(0) if operation == "transact" and left else None


@pytest.mark.parametrize(("fault", "repeated"), [(Fault.BEFORE, False), (Fault.AFTER, True)])
def test_a_call_whose_reply_is_lost_is_repeated(fault: Fault, repeated: bool) -> None:
    """Done or not, the operator's repetition under the key leaves the stock adjusted once."""
    store = MemoryStore(failing(None, fault))
    seed_stock(store, SKU, 10)
    with pytest.raises(DependencyError):
        carry_out(store, received(5))
    assert carry_out(store, received(5)).repeated is repeated
    assert level(store).available == 15


def test_orders_that_want_the_sku_are_waited_for_and_not_endlessly() -> None:
    """A conflict with a transaction is tried again; many in a row are the operator's to repeat."""
    store = MemoryStore(failing(None, *[Fault.CONFLICT] * 9))
    seed_stock(store, SKU, 10)
    assert carry_out(store, received(5)).units == 5
    store = MemoryStore(failing(None, *[Fault.CONFLICT] * 99))
    seed_stock(store, SKU, 10)
    with pytest.raises(ContentionError):
        carry_out(store, received(5))
    assert level(store).available == 10


class Crowd:
    """Orders that move stock in between any two calls of an operator, calls that fail, captured changes.

    Args:
        seed: Decides what happens.
    """

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.store = MemoryStore(self._before)
        self._busy = True
        seed_stock(self.store, SKU, 20)
        self._busy = False

    def _before(self, operation: str, writes: Sequence[Write]) -> Fault | None:
        if self._busy:
            return None
        self._busy = True
        try:
            move(self.store, self.random.choice(list(Movement)), self.random.randint(1, 6))
        except ConditionFailedError:
            pass
        finally:
            self._busy = False
        return self.random.choice([None, None, None, Fault.BEFORE, Fault.AFTER, Fault.CONFLICT])


@pytest.mark.parametrize("seed", range(60))
def test_stock_balances_whatever_happens_meanwhile(seed: int) -> None:
    """Each adjustment counts once or was refused; nothing is negative; all adds up to what was received."""
    crowd = Crowd(seed)
    expected = 20
    for number in range(8):
        words = crowd.random.choice(
            [{"units": crowd.random.randint(-9, 9) or 1}, {"counted": crowd.random.randint(0, 30)}]
        )
        asked = (
            received(crowd.random.randint(1, 9), f"key-{number}")
            if crowd.random.random() < 0.4
            else corrected(f"key-{number}", **words)
        )
        seen: set[int] = set()
        for _ in range(crowd.random.randint(1, 3)):  # operators repeat what was done, too
            while True:
                try:
                    seen.add(carry_out(crowd.store, asked).units)
                except DependencyError:
                    continue
                except CorrectionRefusedError:
                    pass
                break
        assert len(seen) <= 1
        expected += sum(seen)
    crowd._busy = True
    assert level(crowd.store).initial == expected


def test_the_event_goes_out_with_the_captured_change() -> None:
    """The write leaves its event in the item: those bytes are published, however often the change comes."""
    store = stocked(200)
    events: list[str] = []
    for asked in (received(5), corrected(units=-120)):
        carry_out(store, asked)
        events.append(event_in(store))
    first = change("c-1", 200, 205)
    first["dynamodb"]["NewImage"][EVENT] = {"S": events[0]}
    sold = change("c-2", 205, 204)
    for image in ("OldImage", "NewImage"):
        sold["dynamodb"][image][EVENT] = {"S": events[0]}
    second = change("c-3", 204, 84)
    second["dynamodb"]["OldImage"][EVENT] = {"S": events[0]}
    second["dynamodb"]["NewImage"][EVENT] = {"S": events[1]}
    publisher, counted = CollectingPublisher(), list[str]()
    handler = StockChangeHandler(publisher=publisher, threshold=100, count=counted.append)
    for index, record in enumerate((second, first, sold, second)):
        handler.handle(delivered_change(record, index))
    published = [decode_envelope(data) for data in publisher.published]
    kinds = ["StockCorrected", "LowStockDetected", "StockReceived", "StockCorrected", "LowStockDetected"]
    assert [one.type for one in published] == kinds
    assert [data.decode() for data in publisher.published if b"LowStock" not in data] == [
        events[1],
        events[0],
        events[1],
    ]
    assert published[2].message() == StockReceived(sku=SKU, units=5, operator="ann", reason="delivery")
    assert published[0].message() == StockCorrected(sku=SKU, units=-120, operator="ann", reason="miscounted")
    assert (published[2].id, published[2].time, published[2].source) == (received(5).id, NOW, "inventory")
    assert sorted(counted) == ["adjusted"] * 3 + ["low_stock"] * 2
