"""Metrics in CloudWatch by its API, for a process whose output goes elsewhere than to CloudWatch Logs."""

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Any, Final, Protocol

import boto3

from orderstream.aws import given_by_service
from orderstream.observability.metrics.aggregation import Collected, Point
from orderstream.observability.metrics.exporting import PERIOD

MAX_DATA_PER_CALL: Final = 1000
"""CloudWatch API, PutMetricData: "up to 1000 different metrics"."""

MAX_VALUES_PER_DATUM: Final = 150
"""CloudWatch API, MetricDatum: Values and Counts have at most so many."""

_POINTS_PER_CALL: Final = 90
"""A point is at most 11 data: so the two bounds above are kept whatever the points are."""


class PutsMetricData(Protocol):
    """boto3's client of CloudWatch, as far as it is used."""

    def put_metric_data(self, *, Namespace: str, MetricData: Any) -> object:  # noqa: N803 - boto3's names
        """Take metrics."""


class CloudWatchExporter:
    """Sends what was collected with PutMetricData, once a period.

    Args:
        namespace: CloudWatch's namespace.
        client: A CloudWatch client; by default one of a new boto3 session.
        period: Seconds between two exports.
    """

    def __init__(
        self, namespace: str = "Orderstream", *, client: PutsMetricData | None = None, period: float = PERIOD
    ) -> None:
        self._client = client or boto3.Session().client("cloudwatch")
        self._namespace = namespace
        self.period = period

    def export(self, collected: Collected) -> None:
        """See ``Exporter.export``.

        Raises:
            Exception: CloudWatch took none of it, or not all; ``collected`` then has what it did not take.
        """
        while collected.points:
            some = collected.points[:_POINTS_PER_CALL]
            data = [datum for point in some for datum in _data(point, collected)]
            response = self._client.put_metric_data(Namespace=self._namespace, MetricData=data)
            if isinstance(response, Mapping):  # boto3's: success has no member but the request's id
                given_by_service(response)
            del collected.points[: len(some)]


def _data(point: Point, collected: Collected) -> Iterator[dict[str, object]]:
    dimensions = collected.dimensions | dict(zip(point.metric.dimensions, point.labels, strict=True))
    datum: dict[str, object] = {
        "MetricName": point.metric.name,
        "Unit": point.metric.unit,
        "Timestamp": dt.datetime.fromtimestamp(collected.at, dt.UTC),
        "Dimensions": [{"Name": name, "Value": value} for name, value in dimensions.items()],
    }
    if point.reading is not None:
        reading = point.reading
        yield datum | {"Values": list(dict.fromkeys((reading.least, reading.last, reading.greatest)))}
    elif point.distribution is not None:
        counted = list(point.distribution.counted())
        for start in range(0, len(counted), MAX_VALUES_PER_DATUM):
            some = counted[start : start + MAX_VALUES_PER_DATUM]
            yield datum | {"Values": [value for value, _ in some], "Counts": [count for _, count in some]}
    else:
        yield datum | {"Value": point.total}
