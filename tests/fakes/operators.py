"""The operators' topic in memory, as strict as SNS."""

from orderstream_workers.services.notifications import LowStockAlert
from orderstream_workers.services.notifications.operators import publication


class MemoryOperators:
    """Keeps alerts in a list, in the order in which they were accepted."""

    def __init__(self) -> None:
        self.told: list[LowStockAlert] = []

    def notify(self, alert: LowStockAlert) -> None:
        """See ``Operators.notify``."""
        publication(alert)
        self.told.append(alert)
