"""What an operator does to stock while everything goes wrong is held against the stock and the stream."""

from chaos.adjusting import OPENED, Adjustment, adjustment_violations
from chaos.streams import Message

DONE = [Adjustment("A", 7, "chaos-0"), Adjustment("A", -2, "chaos-1")]


def told(done: Adjustment, units: int, trace: str = "") -> Message:
    source, event_id = done.identity
    envelope = {"type": "StockReceived", "id": event_id, "source": source, "subject": done.sku}
    body = f"{units}{trace}".encode()
    return Message("shard", (1, 0), 0.0, body, {**envelope, "data": {"units": units}})


def test_books_that_know_every_adjustment_are_right() -> None:
    """Each moved its SKU once; an event may come twice, in the same bytes."""
    stock = {"A": {"initial": OPENED + 5}, "B": {"initial": OPENED}}
    messages = [told(DONE[0], 7), told(DONE[1], -2), told(DONE[0], 7)]
    assert list(adjustment_violations(DONE, stock, messages)) == []


def test_an_adjustment_that_moved_stock_twice_or_never_is_found() -> None:
    """Units too many and too few, also where nobody has adjusted anything."""
    stock = {"A": {"initial": OPENED + 12}, "B": {"initial": OPENED - 1}}
    messages = [told(DONE[0], 7), told(DONE[1], -2)]
    assert [wrong.split(":")[0] for wrong in adjustment_violations(DONE, stock, messages)] == [
        "stock A",
        "stock B",
    ]


def test_an_event_that_is_missing_or_says_something_else_is_found() -> None:
    """None at all, one with other units, and two that differ under one id."""
    stock = {"A": {"initial": OPENED + 5}}
    found = list(adjustment_violations(DONE, stock, [told(DONE[1], -2), told(DONE[1], -3)]))
    assert [wrong.partition(": ")[2] for wrong in found] == [
        "0 events of the adjustment chaos-0, by their bytes",
        "2 events of the adjustment chaos-1, by their bytes",
        f"StockReceived {DONE[1].identity[1]} of A at shard (1, 0) is not the -2 units of chaos-1",
    ]
