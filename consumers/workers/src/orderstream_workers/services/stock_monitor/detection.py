"""Whether a change made stock low. Pure, and without memory: the change itself has all that is needed.

::

    before > threshold >= after   ──>  LowStockDetected
    anything else                 ──>  nothing

One crossing is one write, so the event is a function of the change alone: its id is derived from the change's
own id and its time is the change's. A change that is read twice gives the same bytes twice, and the order in
which changes are read has no effect.

The item's ``version`` would not do as an identity. Only our own writes raise it, while any client of DynamoDB
may write to the table; and an item that is deleted and opened again counts from 1 once more.
"""

from typing import Final

from orderstream.messages import Envelope, initial, initial_event_id
from orderstream_orders.contracts import LowStockDetected
from orderstream_workers.services.stock_monitor.change import StockChange

SOURCE: Final = "stock-monitor"

_CAPTURE: Final = "aws:dynamodb"
"""Who gives changes their ids; the records have it as their ``eventSource``."""


def detect(change: StockChange, threshold: int) -> Envelope | None:
    """The event to publish, if the change took the available units from above the threshold to it or below.

    An item that is new, or that has gone, has crossed nothing.

    Args:
        change: The change.
        threshold: Units at which stock counts as low, 0 or above.
    """
    if change.before is None or change.after is None:
        return None
    if not change.before > threshold >= change.after:
        return None
    return initial(
        LowStockDetected(sku=change.sku, available=change.after, threshold=threshold),
        source=SOURCE,
        event_id=initial_event_id(SOURCE, _CAPTURE, change.change_id),
        time=change.at,
    )
