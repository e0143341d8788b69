"""The alarms of the processes that consume no stream: the orders API and the payment worker."""

from typing import Final

from orderstream.observability.metrics.metric import Metric
from orderstream_orders.api.metrics import RESPONSES, STATUS_CLASSES
from orderstream_workers.runtime.topology.alarm_spec import (
    AlarmSpec,
    AwsMetric,
    Gateway,
    OwnMetric,
    Series,
    Share,
    Statistic,
)
from orderstream_workers.services.payments.metrics import DEAD_LETTERS, IN_DOUBT, UNSETTLED_TIME

_API: Final = "api"
_PAYMENT_WORKER: Final = "payment-worker"
_FAILED_PERCENT: Final = 5


def _responses(status_class: str) -> Series:
    return Series(OwnMetric(RESPONSES, _API, (status_class,)), "Sum")


def _of_gateway(name: str) -> Series:
    return Series(AwsMetric("AWS/ApiGateway", name, "Count", Gateway(_API)), "Sum")


API_ALARMS: Final = (
    AlarmSpec(
        name="api-failing",
        about=_API,
        says="the orders API fails more than one request in twenty: its log names the dependency that does "
        "not respond; callers repeat their requests, and no accepted order is lost.",
        runbook="callers-get-server-errors",
        watches=Share((_responses("5xx"),), tuple(_responses(each) for each in STATUS_CLASSES)),
        comparison="GreaterThanThreshold",
        threshold=_FAILED_PERCENT,
        because="callers repeat single failures; one in twenty in three minutes of five is more than "
        "a failover of DynamoDB, or a shard that is full for a moment, makes",
        datapoints=3,
        periods=5,
    ),
    AlarmSpec(
        name="gateway-failing",
        about=_API,
        says="the gateway fails more than one request in twenty: if api-failing is silent, the requests do "
        "not reach the orders API, so look whether its tasks run and are found.",
        runbook="callers-get-server-errors",
        watches=Share((_of_gateway("5xx"),), (_of_gateway("Count"),)),
        comparison="GreaterThanThreshold",
        threshold=_FAILED_PERCENT,
        because="the same as api-failing's: what callers see, whether it reached the orders API or not",
        datapoints=3,
        periods=5,
    ),
)
"""What goes wrong between callers and the orders API."""


def _of_payments(metric: Metric, statistic: Statistic) -> Series:
    return Series(OwnMetric(metric, _PAYMENT_WORKER), statistic)


PAYMENT_ALARMS: Final = (
    AlarmSpec(
        name="payments-dead-letters",
        about=_PAYMENT_WORKER,
        says="a payment failed ten times and waits for you: see which order and why with `orderstream dlq "
        "list`, fix the cause, and redrive it.",
        runbook="a-payment-is-a-dead-letter",
        watches=_of_payments(DEAD_LETTERS, "Maximum"),
        comparison="GreaterThanThreshold",
        threshold=0,
        because="a slow or absent provider makes no dead letter, so the first one is a defect or a killed "
        "worker; the order's deadline cancels it after 20 minutes",
        missing="ignore",
    ),
    AlarmSpec(
        name="payments-in-doubt",
        about=_PAYMENT_WORKER,
        says="more than ten tries of payments ended without a response that says whether the customer was "
        "charged: each is made again under its key; ask the provider whether it has an outage.",
        runbook="payments-are-in-doubt",
        watches=_of_payments(IN_DOUBT, "Sum"),
        comparison="GreaterThanThreshold",
        threshold=10,
        because="a time-out now and then settles itself on the next try; at the provider's five requests a "
        "second, more than ten in five minutes are no accident",
        period_seconds=300,
    ),
    AlarmSpec(
        name="payments-unsettled",
        about=_PAYMENT_WORKER,
        says="payments have been handed back for five minutes and none was settled: see in the log of the "
        "payment worker whether the provider or a table does not respond.",
        runbook="the-payment-provider-does-not-respond",
        watches=_of_payments(UNSETTLED_TIME, "Maximum"),
        comparison="GreaterThanThreshold",
        threshold=300,
        because="a payment may be charged for 15 minutes, behind which its order is cancelled: a third of "
        "that is gone",
        missing="ignore",
    ),
)
"""What goes wrong with payments."""
