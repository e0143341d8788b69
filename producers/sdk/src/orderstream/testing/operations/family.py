"""A family of operations: functions of requests over the streams of one account."""

from abc import ABC, abstractmethod
from collections.abc import Callable

from orderstream.testing.state.streams import Request, Response, Streams


class OperationFamily(ABC):
    """Operations that belong together.

    Args:
        streams: The streams that they work on.
    """

    def __init__(self, streams: Streams) -> None:
        self._streams = streams

    @abstractmethod
    def operations(self) -> dict[str, Callable[[Request], Response]]:
        """Each operation by its API name."""
