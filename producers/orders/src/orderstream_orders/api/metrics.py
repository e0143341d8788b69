"""What the orders API measures; ``Latency`` is named as Amazon API Gateway's."""

from typing import Final

from orderstream.observability.metrics import Kind, Metric

RESPONSES: Final = Metric(
    "Responses", Kind.COUNTER, "Count", "Responses, by the class of their status.", ("StatusClass",)
)
LATENCY: Final = Metric(
    "Latency", Kind.DISTRIBUTION, "Milliseconds", "From a request to its response; health checks left out."
)
UNKNOWN_OUTCOMES: Final = Metric(
    "UnknownOutcomes",
    Kind.COUNTER,
    "Count",
    "503 after which a client does not know whether its order was taken until it asks again.",
)

STATUS_CLASSES: Final = ("2xx", "4xx", "5xx")
"""The labels of ``Responses``."""

METRICS: Final = (RESPONSES, LATENCY, UNKNOWN_OUTCOMES)
"""All of them."""
