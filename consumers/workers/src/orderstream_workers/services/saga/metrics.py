"""What the coordinator measures of orders: the business, each order once."""

from typing import Final

from orderstream.observability.metrics import Kind, Metric
from orderstream_orders.contracts import CANCELLATION_REASONS

ACCEPTED: Final = Metric("Accepted", Kind.COUNTER, "Count", "Orders that the saga has taken up.")
CONFIRMED: Final = Metric("Confirmed", Kind.COUNTER, "Count", "Orders that ended confirmed.")
CANCELLED: Final = Metric(
    "Cancelled", Kind.COUNTER, "Count", "Orders that ended cancelled, by the first cause.", ("Reason",)
)
ORDER_LATENCY: Final = Metric(
    "OrderLatency",
    Kind.DISTRIBUTION,
    "Milliseconds",
    "From when Kinesis took an order, which the 202 says, to the decision that ended it.",
)
COST_PER_ORDER: Final = Metric(
    "CostPerOrder",
    Kind.DISTRIBUTION,
    "None",
    "USD that AWS bills for an order, reckoned at its end from its messages and lines.",
)
COMPENSATIONS: Final = Metric(
    "Compensations", Kind.COUNTER, "Count", "Compensations that were asked for, repeated requests included."
)
SAGA_OVERDUE: Final = Metric(
    "SagaOverdue",
    Kind.COUNTER,
    "Count",
    "Replies that were overdue, by step: the order is cancelled, or the request is repeated.",
    ("Step",),
)

METRICS: Final = (ACCEPTED, CONFIRMED, CANCELLED, ORDER_LATENCY, COST_PER_ORDER, COMPENSATIONS, SAGA_OVERDUE)
"""All of them."""

OTHER: Final = "other"
"""The label of a reason that no contract lists, such as one of a version to come."""


def reason_label(reason: str) -> str:
    """The reason, if a contract lists it."""
    return reason if reason in CANCELLATION_REASONS else OTHER
