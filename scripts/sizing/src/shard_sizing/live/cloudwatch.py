"""What CloudWatch says of a stream's last 30 days; asking costs about a cent (USD 0.01 per 1,000 metrics)."""

import datetime as dt
from collections import defaultdict
from collections.abc import Sequence
from typing import Any, Final

from orderstream.aws import required
from shard_sizing.live.throttles import CloudWatchSilentError, cloudwatch_asked
from shard_sizing.model.workload.history import MINUTE_DAYS, History, history

METRICS: Final = (
    "IncomingRecords",
    "IncomingBytes",
    "WriteProvisionedThroughputExceeded",
    "ReadProvisionedThroughputExceeded",
)

_MOST_POINTS: Final = 100_800  # of one response (GetMetricData's reference)
_REFUSED: Final = frozenset({"Forbidden", "InternalError"})


def stream_history(client: Any, stream: str, days: float, created: dt.datetime, now: dt.datetime) -> History:
    """Return what a stream took in the last days.

    Args:
        client: A boto3 CloudWatch client.
        stream: The stream's name.
        days: How many, 30 at most.
        created: When the stream was created: it has no past before.
        now: The time. The hour that it lies in is left out, as its sums are not complete.

    Raises:
        CloudWatchSilentError: CloudWatch may not be called, does not respond, or the stream is too young.
    """
    end = now.replace(minute=0, second=0, microsecond=0)
    begin = max(end - dt.timedelta(days=days), created)
    if begin.minute or begin.second or begin.microsecond:
        begin = begin.replace(minute=0, second=0, microsecond=0) + dt.timedelta(hours=1)
    if begin >= end:
        raise CloudWatchSilentError("nothing yet: the stream has not been there for a full hour")
    hours = _sums(client, stream, METRICS, begin, end, 3_600)
    minutes_begin = max(begin, end - dt.timedelta(days=MINUTE_DAYS) + dt.timedelta(hours=1))
    minutes = _sums(client, stream, METRICS[:1], minutes_begin, end, 60)
    return history(begin, end, hours, minutes[METRICS[0]], minutes_begin)


def _sums(
    client: Any, stream: str, metrics: Sequence[str], begin: dt.datetime, end: dt.datetime, period: int
) -> dict[str, dict[dt.datetime, float]]:
    queries = [
        {
            "Id": f"m{number}",
            "MetricStat": {
                "Metric": {
                    "Namespace": "AWS/Kinesis",
                    "MetricName": metric,
                    "Dimensions": [{"Name": "StreamName", "Value": stream}],
                },
                "Period": period,
                "Stat": "Sum",
            },
        }
        for number, metric in enumerate(metrics)
    ]
    request: dict[str, Any] = {
        "MetricDataQueries": queries,
        "StartTime": begin,
        "EndTime": end,
        "ScanBy": "TimestampAscending",
        "MaxDatapoints": _MOST_POINTS,
    }
    found: defaultdict[str, dict[dt.datetime, float]] = defaultdict(dict)
    while True:
        with cloudwatch_asked("GetMetricData"):
            page = client.get_metric_data(**request)
            for result in required(page, "MetricDataResults", list):
                if result.get("StatusCode") in _REFUSED:
                    raise CloudWatchSilentError(result["StatusCode"])
                metric = metrics[int(required(result, "Id", str).removeprefix("m"))]
                found[metric].update(zip(result["Timestamps"], result["Values"], strict=True))
        if not page.get("NextToken"):
            return {metric: found[metric] for metric in metrics}
        request["NextToken"] = page["NextToken"]
