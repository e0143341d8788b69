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
    """The stock table does not hold what the reservations say: somebody else has written to it.

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
