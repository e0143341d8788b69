"""What shipping cannot do with what people report."""

from typing import Final

from orderstream.errors import OrderstreamError
from orderstream_orders.contracts import ParcelScan

_REFUSED: Final = {
    "not_shipped": "shipping has refused the order, and it has no parcel",
    "not_handed_over": "its parcel was never handed over: report that first, if it has left",
    "already_returned": "its parcel has come back",
}


class UnknownShipmentError(OrderstreamError):
    """Shipping knows no shipment of an order.

    Args:
        order_id: The order.
    """

    def __init__(self, order_id: str) -> None:
        self.order_id = order_id
        super().__init__(
            f"shipping knows no order {order_id}, or has not been asked to ship it yet; check its id with "
            "`orderstream order show`, and which environment is meant"
        )


class ScanRefusedError(OrderstreamError):
    """A scan of a parcel cannot be right; nothing was reported.

    Args:
        order_id: The order.
        scan: What was scanned.
        reason: Why it is refused, as ``ParcelScanRefused`` has it.
    """

    def __init__(self, order_id: str, scan: ParcelScan, reason: str) -> None:
        self.order_id = order_id
        self.scan = scan
        self.reason = reason
        said = scan.replace("_", " ")
        super().__init__(
            f"the parcel of order {order_id} cannot be {said}: {_REFUSED[reason]}; nothing was changed; "
            "look at it with `orderstream shipping list --all`"
        )
