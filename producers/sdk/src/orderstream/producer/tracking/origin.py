"""Which producer took a record."""

from typing import TYPE_CHECKING, Final

from orderstream.producer.tracking.process import Process, current

if TYPE_CHECKING:
    from orderstream.producer.outcome import Failure


class Origin:
    """What a delivery knows of its producer: the process that it lives in, and what troubles it.

    Args:
        process: The process that made the producer.

    Attributes:
        trouble: The failure that its calls meet at present; None if they succeed.
    """

    __slots__ = ("process", "trouble")

    def __init__(self, process: Process) -> None:
        self.process = process
        self.trouble: Failure | None = None


NOWHERE: Final = Origin(current())
"""That of a record which no producer has taken."""
