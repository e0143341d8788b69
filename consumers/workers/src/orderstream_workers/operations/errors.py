"""What people ask for and cannot have."""

from orderstream.errors import OrderstreamError


class NotDoneError(OrderstreamError):
    """An operation found nothing to work on, or could not finish. Nothing is at fault but what was asked.

    Args:
        reason: What is not there, or was not done.
    """

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)
