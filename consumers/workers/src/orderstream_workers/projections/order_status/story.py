"""An order's story in words, from its history. Pure."""

import datetime as dt
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import msgspec

from orderstream_workers.projections.order_status.read_model import HistoryEntry, OrderWithHistory

Fields = Mapping[str, Any]


def _said(text: str) -> Callable[[Fields], str]:
    return lambda _: text


def _reason(text: str) -> Callable[[Fields], str]:
    return lambda data: f"{text}: {data.get('reason', 'no reason given')}"


_EFFECTS: Final[Mapping[str, Callable[[Fields], str]]] = {
    "OrderPlaced": lambda data: f"the customer ordered {_count(data)} for {_money(data, 'total_minor')}",
    "inventory.ReserveStock": _said("inventory is asked to reserve all lines"),
    "StockReserved": _said("inventory reserved all lines"),
    "StockRejected": lambda data: (
        "nothing is reserved: " + " ".join(str(data[key]) for key in ("reason", "sku") if data.get(key))
    ),
    "inventory.ReleaseStock": _said("inventory is asked to release what it reserved"),
    "StockReleased": _said("nothing is reserved any more"),
    "StockSold": _said("the reserved units have left stock"),
    "payments.CapturePayment": lambda data: f"payments is asked to charge {_money(data, 'amount_minor')}",
    "PaymentCaptured": lambda data: f"the customer was charged {_money(data, 'amount_minor')}",
    "PaymentDeclined": _reason("the customer was not charged"),
    "payments.RefundPayment": _said("payments is asked to give back whatever was charged"),
    "PaymentRefunded": lambda data: (
        f"{_money(data, 'amount_minor')} was given back"
        if data.get("amount_minor")
        else "nothing stays charged"
    ),
    "shipping.ShipOrder": lambda data: f"shipping is asked to ship {data.get('units', '?')} units",
    "OrderShipped": lambda data: f"the shipment is recorded as {data.get('shipment_id', '?')}",
    "ParcelScanned": lambda data: f"the parcel was scanned: {str(data.get('scan', '?')).replace('_', ' ')}",
    "ParcelHandedOver": _said("the carrier has the parcel"),
    "ParcelDelivered": _said("the customer has the parcel"),
    "ParcelReturned": _said("the parcel has come back"),
    "ParcelScanRefused": _reason("the scan cannot be right, and changed nothing"),
    "ShipmentRefused": _reason("the order cannot be shipped"),
    "OrderConfirmed": lambda data: f"the order is confirmed, {_money(data, 'total_minor')} charged",
    "OrderCancelled": lambda data: (
        f"the order is cancelled, and every step undone: {data.get('reason', 'no reason given')}"
        + (f" ({data['failed_step']})" if data.get("failed_step") else "")
    ),
    "OrderCancellationRequested": _said("the customer asked to cancel"),
    "OrderCancellationRefused": _reason("the cancellation came too late"),
    "StepOverdue": lambda data: (
        f"nobody replied to {data.get('step', 'a step')} by its deadline; it may still be done"
    ),
    "StepResolved": lambda data: (
        f"an operator decided on {data.get('step', 'a step')}: {data.get('decision', '?')}"
    ),
    "shipping.RefuseShipment": _said("shipping is asked to refuse the shipment for good"),
    "CustomerNotified": lambda data: (
        f"the customer was notified of {data.get('about', 'the outcome')}"
        if data.get("outcome") == "sent"
        else "the customer left no address for notifications"
    ),
}


def effect_of(entry: HistoryEntry) -> str:
    """What a message says, in words; nothing personal is in it."""
    describe = _EFFECTS.get(entry.type)
    if describe is None:
        return "a message of a type that is not known here"
    return describe(msgspec.json.decode(entry.data, type=dict[str, Any]))


def _told(entry: HistoryEntry) -> str:
    """The same for operators: what people did has its operator and reason, which only operators see."""
    if entry.type not in {"StepResolved", "ParcelScanned"}:
        return effect_of(entry)
    data = msgspec.json.decode(entry.data, type=dict[str, Any])
    said = f"{effect_of(entry)}, by {data.get('operator', '?')}"
    reason = data.get("reason") or ("no reason given" if entry.type == "StepResolved" else None)
    return said if reason is None else f"{said}: {reason}"


def render_story(order: OrderWithHistory) -> str:
    """Return an order's story: a line for the order, then one for every message in stream order.

    Each line has the message's time after the first one's, its owner, its type and its effect.
    """
    state = order.state if order.state_reason is None else f"{order.state} ({order.state_reason})"
    if order.parcel is not None:
        state += f", parcel {order.parcel.lower().replace('_', ' ')}"
    lines = [f"order {order.order_id}: {state}"]
    if order.history:
        lines += _lines(order.history)
    return "\n".join(lines)


def _lines(history: Sequence[HistoryEntry]) -> list[str]:
    start = history[0].time
    owners = max(len(entry.source) for entry in history)
    told: Counter[tuple[str, str]] = Counter()
    lines = []
    for entry in history:
        # A request that is made again, and its reply, are messages of their own: no duplicates.
        about = entry.type, (entry.correlation_id or "").partition(":")[0]
        told[about] += 1
        again = f" (time {told[about]})" if told[about] > 1 else ""
        offset = _offset(entry.time - start)
        lines.append(f"{offset:>11}  {entry.source:<{owners}}  {entry.type} — {_told(entry)}{again}")
    return lines


def _offset(offset: dt.timedelta) -> str:
    return f"{offset.total_seconds():+.3f}s"


def _count(data: Fields) -> str:
    lines = len(data.get("lines", ()))
    return "1 line" if lines == 1 else f"{lines} lines"


def _money(data: Fields, field: str) -> str:
    currency = data.get("currency") or ""
    return f"{data.get(field, '?')} minor units {currency}".rstrip()
