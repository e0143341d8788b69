"""What CloudWatch says of the writes that a stream has refused."""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import ClientError

from orderstream.aws import aws_calls, error_code, required
from orderstream.errors import DependencyError


def throttled_writes(client: Any, stream: str, first: dt.datetime, last: dt.datetime) -> int:
    """Return the records refused for want of room, between two times (UTC), minutes rounded outwards.

    Args:
        client: A boto3 CloudWatch client.
        stream: The stream's name.
        first: From when.
        last: Until when. The newest minute may still be missing in CloudWatch.

    Raises:
        CloudWatchSilentError: It could not be asked; its message says why.
    """
    with cloudwatch_asked("GetMetricStatistics"):
        answer = client.get_metric_statistics(
            Namespace="AWS/Kinesis",
            MetricName="WriteProvisionedThroughputExceeded",
            Dimensions=[{"Name": "StreamName", "Value": stream}],
            StartTime=first.replace(second=0, microsecond=0),
            EndTime=last.replace(second=0, microsecond=0) + dt.timedelta(minutes=1),
            Period=60,
            Statistics=["Sum"],
        )
        return int(sum(point["Sum"] for point in required(answer, "Datapoints", list)))


class CloudWatchSilentError(Exception):
    """CloudWatch could not be asked: no permission, or not there, as with an emulator."""


@contextmanager
def cloudwatch_asked(operation: str) -> Iterator[None]:
    """Raise CloudWatchSilentError for the client's errors and for responses that cannot be read."""
    try:
        with aws_calls("cloudwatch", operation):
            yield
    except DependencyError as error:
        code = error_code(error.__cause__) if isinstance(error.__cause__, ClientError) else error.reason
        raise CloudWatchSilentError(" ".join(code.split())) from error
