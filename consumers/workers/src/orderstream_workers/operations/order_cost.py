"""What AWS bills for one order, reckoned from its story: by service, with what cannot be known."""

from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

import msgspec

from orderstream.aws.billing import UNITS, prices_date
from orderstream_orders.contracts import CustomerNotified, OrderPlaced
from orderstream_workers.cost import Estimate, estimated
from orderstream_workers.cost.estimate import units_per_message
from orderstream_workers.projections.order_status import OrderWithHistory

NOT_KNOWN: Final = (
    "Not in it: what is there without the order (shards, containers, polls, leases, checkpoints, archived "
    "files), calls that were repeated after errors, what tables and archive keep of it each month, and the "
    "payment provider's fees. In a busy hour orders share calls, and each is a little cheaper."
)


class OrderCost(msgspec.Struct, frozen=True):
    """What one order costs.

    Attributes:
        order_id: The order.
        region: Whose prices these are.
        ended: Whether nothing more will come; otherwise this is what it has cost so far.
        lines: Its lines that take stock.
        messages: Its messages.
        estimate: Units and USD.
    """

    order_id: str
    region: str
    ended: bool
    lines: int
    messages: int
    estimate: Estimate


def order_cost(order: OrderWithHistory, region: str) -> OrderCost:
    """Reckon what an order costs.

    Args:
        order: With its messages.
        region: Where it was taken, such as ``"us-east-1"``.
    """
    # A message that was delivered again is in the story once.
    messages = Counter(entry.type for entry in order.history)
    lines = next((_lines(entry.data) for entry in order.history if entry.type == OrderPlaced.type_name()), 0)
    mails = sum(
        _data(entry.data).get("outcome") == "sent"
        for entry in order.history
        if entry.type == CustomerNotified.type_name()
    )
    estimate = estimated(messages, lines=lines, mails=mails, region=region)
    return OrderCost(order.order_id, region, order.ended_at is not None, lines, len(order.history), estimate)


def rendered(cost: OrderCost) -> Iterator[str]:
    """Yield the lines that say it; those that are long are to be wrapped."""
    estimate, until = cost.estimate, "to its end" if cost.ended else "so far"
    known = f"{cost.lines} lines that take stock, {cost.messages} messages"
    if estimate.total is None:
        yield f"order {cost.order_id}: {known}; no prices of {cost.region} are on file, so these are units"
    else:
        yield f"order {cost.order_id}: {estimate.total:.8f} USD {until}; {known}"
    yield ""
    yield f"{'SERVICE':<12}{'WHAT AWS BILLS':<34}{'USD':>12}{'SHARE':>9}"
    for service in dict.fromkeys(unit.service for unit in UNITS.values()):
        used = [name for name, unit in UNITS.items() if unit.service == service and name in estimate.units]
        if not used:
            continue
        said = [f"{estimate.units[name]:,.4g} {UNITS[name].words}" for name in used]
        usd, share = "", ""
        if estimate.usd is not None and estimate.total:
            usd, share = f"{estimate.usd[service]:.8f}", f"{estimate.usd[service] / estimate.total:.1%}"
        yield f"{service:<12}{said[0]:<34}{usd:>12}{share:>9}".rstrip()
        yield from (f"{'':<12}{more}" for more in said[1:])
    if estimate.total is not None:
        yield f"{'total':<46}{estimate.total:>12.8f}"
    yield ""
    counted = units_per_message()
    yield f"Units of each message counted {counted.date}, prices of {cost.region} {prices_date()}."
    if estimate.unknown:
        yield f"Not counted, so not in it: messages of type {', '.join(estimate.unknown)}."
    yield NOT_KNOWN


def _lines(data: str) -> int:
    placed = _data(data)
    return len({line.get("sku") for line in placed.get("lines", ()) if not line.get("service")})


def _data(text: str) -> dict[str, Any]:
    return msgspec.json.decode(text, type=dict[str, Any])
