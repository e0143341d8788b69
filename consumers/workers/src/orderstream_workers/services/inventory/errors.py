"""What inventory cannot make sense of: the record's own failures, which end in the dead letters."""

from orderstream.errors import OrderstreamError


class InvalidStockLinesError(OrderstreamError):
    """A command asks for fewer than one unit of a SKU.

    Args:
        sku: The SKU.
        quantity: What was asked for.
    """

    def __init__(self, sku: str, quantity: int) -> None:
        self.sku = sku
        self.quantity = quantity
        super().__init__(f"cannot reserve {quantity} units of {sku!r}; send quantities of at least 1")


class StockImbalanceError(OrderstreamError):
    """The stock table contradicts the reservations: it was written without inventory.

    Args:
        order_id: The order that was being worked on.
        skus: Where the units are missing.
    """

    def __init__(self, order_id: str, skus: tuple[str, ...]) -> None:
        self.order_id = order_id
        self.skus = skus
        super().__init__(
            f"stock of {', '.join(skus)} does not hold the units that order {order_id!r} has reserved; "
            "compare it with the reservations, correct it, then redrive the order"
        )


class UnknownSkuError(OrderstreamError):
    """There is no stock of a SKU, and never was.

    Args:
        sku: The SKU.
    """

    def __init__(self, sku: str) -> None:
        self.sku = sku
        super().__init__(
            f"there is no stock of {sku!r}, and never was; `orderstream stock receive` opens it with "
            "its first units"
        )


class StockItemError(OrderstreamError):
    """A stock item does not have inventory's form: it was written without inventory.

    Args:
        sku: The SKU.
        reason: What is wrong with it.
    """

    def __init__(self, sku: str, reason: str) -> None:
        self.sku = sku
        self.reason = reason
        super().__init__(
            f"the stock item of {sku!r} cannot be read: {reason}; it needs whole numbers in initial, "
            "available, reserved and sold"
        )


class CorrectionRefusedError(OrderstreamError):
    """A correction would leave fewer units than are reserved for orders.

    Args:
        sku: The SKU.
        units: What was to be added; below 0.
        on_hand: Units on the shelf by the books, reserved ones included.
        reserved: Units that are reserved for orders.
    """

    def __init__(self, sku: str, units: int, *, on_hand: int, reserved: int) -> None:
        self.sku = sku
        self.units = units
        self.on_hand = on_hand
        self.reserved = reserved
        super().__init__(
            f"{sku} cannot be corrected by {units}: the books have {on_hand} on hand, of which {reserved} "
            f"are reserved for orders, and {max(on_hand + units, 0)} would be left; nothing was changed. "
            f"Correct it by {reserved - on_hand} at most now, and by the rest once cancelled orders give "
            "units back"
        )


class AdjustmentKeyTakenError(OrderstreamError):
    """A key belongs to another adjustment of the same operator.

    Args:
        key: The key.
        kind: What was done under it: ``"received"`` or ``"corrected"``.
        sku: The SKU that it was done to.
    """

    def __init__(self, key: str, kind: str, sku: str) -> None:
        self.key = key
        self.kind = kind
        self.sku = sku
        super().__init__(
            f"under the key {key} stock of {sku} was {kind} before, with other words; nothing was changed "
            "now. Repeat a command with the very words of its first run, or give it a key of its own"
        )
