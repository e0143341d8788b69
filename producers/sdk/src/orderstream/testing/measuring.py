"""What CloudWatch would say of the fake's streams: the metrics by which throttling is seen.

Names and meanings are those of "Monitor the Amazon Kinesis Data Streams service with Amazon CloudWatch".
"""

from typing import Any, Final

from orderstream.observability.metrics import Kind, Meter, Metric
from orderstream.testing.errors import KinesisError

NAMESPACE: Final = "AWS/Kinesis"
"""CloudWatch's namespace."""

WRITE_THROTTLED: Final = Metric(
    "WriteProvisionedThroughputExceeded",
    Kind.COUNTER,
    "Count",
    "Records that were refused since their shard had taken what it takes in a second.",
    ("StreamName",),
)
READ_THROTTLED: Final = Metric(
    "ReadProvisionedThroughputExceeded",
    Kind.DISTRIBUTION,
    "Count",
    "1 for each GetRecords call that was throttled, 0 for each other one: the average is their share.",
    ("StreamName",),
)

_THROTTLED: Final = "ProvisionedThroughputExceededException"


def measure_response(meter: Meter, stream: str, operation: str, response: dict[str, Any]) -> None:
    """Record what a call says that took effect.

    Args:
        meter: Takes it.
        stream: The stream's name.
        operation: The call's API name.
        response: Its response.
    """
    if operation == "GetRecords":
        meter.record(READ_THROTTLED, 0, stream)
    elif operation == "PutRecords":
        refused = sum(each.get("ErrorCode") == _THROTTLED for each in response["Records"])
        meter.record(WRITE_THROTTLED, refused, stream)


def measure_refusal(
    meter: Meter, stream: str, operation: str, request: dict[str, Any], error: KinesisError
) -> None:
    """Record what a call says that was refused.

    Args:
        meter: Takes it.
        stream: The stream's name.
        operation: The call's API name.
        request: Its request.
        error: Why it was refused.
    """
    if error.code != _THROTTLED:
        return
    if operation == "GetRecords":
        meter.record(READ_THROTTLED, 1, stream)
    elif operation in {"PutRecord", "PutRecords"}:
        meter.record(WRITE_THROTTLED, len(request.get("Records", (request,))), stream)
