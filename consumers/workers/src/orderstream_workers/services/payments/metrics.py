"""What the payment worker measures."""

from typing import Final

from orderstream.observability.metrics import Kind, Metric

PROVIDER_CALLS: Final = Metric("ProviderCalls", Kind.COUNTER, "Count", "Requests to the payment provider.")
PROVIDER_THROTTLED: Final = Metric(
    "ProviderThrottled", Kind.COUNTER, "Count", "Those that it refused with 429."
)
PROVIDER_UNAVAILABLE: Final = Metric(
    "ProviderUnavailable",
    Kind.COUNTER,
    "Count",
    "Those without a definite response, throttled ones included.",
)
PAYMENTS_SETTLED: Final = Metric(
    "PaymentsSettled", Kind.COUNTER, "Count", "Messages that were brought to rest."
)
PAYMENTS_FAILED: Final = Metric(
    "PaymentsFailed", Kind.COUNTER, "Count", "Messages that failed by an unexpected error; they come back."
)
IN_DOUBT: Final = Metric(
    "InDoubt",
    Kind.COUNTER,
    "Count",
    "Tries after which it is not known whether the customer was charged; each is made again under its key.",
)
DEAD_LETTERS: Final = Metric(
    "DeadLetters", Kind.GAUGE, "Count", "Payments in the dead-letter queue, whichever process is asked."
)
UNSETTLED_TIME: Final = Metric(
    "UnsettledTime", Kind.GAUGE, "Seconds", "How long payments have been handed back and none was settled."
)

COUNTED: Final = {
    "calls": PROVIDER_CALLS,
    "throttled": PROVIDER_THROTTLED,
    "unavailable": PROVIDER_UNAVAILABLE,
    "settled": PAYMENTS_SETTLED,
    "postponed": IN_DOUBT,
    "failed": PAYMENTS_FAILED,
}
"""The metrics of what ``PaymentCounters`` counts."""

METRICS: Final = (*COUNTED.values(), DEAD_LETTERS, UNSETTLED_TIME)
"""All of them."""
