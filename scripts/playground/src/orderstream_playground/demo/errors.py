"""Why the demo could not run, or did not end well."""

from orderstream.errors import OrderstreamError


class OrderFileError(OrderstreamError):
    """The file of orders cannot be read at all (a single bad invoice is rejected, not an error).

    Args:
        path: The file.
        reason: What is wrong with it.
    """

    def __init__(self, path: str, reason: str) -> None:
        self.path = path
        self.reason = reason
        super().__init__(f"{path}: {reason}")


class PlayError(OrderstreamError):
    """The orders could not be played to the end.

    Args:
        reason: The cause, and what to do.
    """

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)
