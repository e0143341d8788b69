"""Why a write did not happen."""

from orderstream.errors import DependencyError, OrderstreamError


class ConditionFailedError(OrderstreamError):
    """The store was reached and refused: another writer changed an item, or a floor would be broken.

    Args:
        failed: Indexes of the writes whose condition did not hold, ascending.
    """

    def __init__(self, failed: tuple[int, ...]) -> None:
        self.failed = failed
        numbers = ", ".join(map(str, failed))
        super().__init__(f"the condition of write {numbers} does not hold; read again and decide again")


class ItemUnreadableError(OrderstreamError):
    """An item is not of the form that its service gives it: something else has written it.

    Args:
        what: Which item, or what in it.
        reason: What is wrong with it.
    """

    def __init__(self, what: str, reason: str) -> None:
        self.what = what
        self.reason = reason
        super().__init__(
            f"{what} cannot be read: {reason}; something else has written it: restore it as it was"
        )


class ContentionError(DependencyError):
    """Another transaction holds one of the items now. Nothing was written: try again, with less at once."""

    def __init__(self, operation: str) -> None:
        super().__init__("dynamodb", operation, "another transaction holds one of the items")
