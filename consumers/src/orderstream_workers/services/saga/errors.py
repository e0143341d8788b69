"""What the coordinator cannot make sense of: the record's own failure, which ends in the dead letters."""

from orderstream.errors import OrderstreamError


class UnknownDefinitionError(OrderstreamError):
    """An order follows a version of the flow that this program does not know: it was started by a newer one.

    Args:
        version: The version that the order is pinned to.
    """

    def __init__(self, version: int) -> None:
        self.version = version
        super().__init__(
            f"no definition of the order flow has version {version}; deploy the coordinator that started the "
            "order, or a newer one, then redrive the order"
        )
