"""A producer's metrics in CloudWatch, by KPL's names (see "Monitor the KPL with Amazon CloudWatch")."""

import datetime as dt
import logging
import threading
from collections.abc import Mapping
from typing import Any, Protocol, Self

import boto3

from orderstream.aws import given_by_service

logger = logging.getLogger(__name__)

MAX_DATA_PER_CALL = 1000
"""CloudWatch API, PutMetricData: "up to 1000 different metrics"."""

_Key = tuple[str, str, str | None, str | None]


class PutsMetricData(Protocol):
    """boto3's client of CloudWatch, as far as it is used."""

    def put_metric_data(self, *, Namespace: str, MetricData: Any) -> object:  # noqa: N803 - boto3's names
        """Take metrics."""


class Statistics:
    """Count, sum, least and greatest of what was measured."""

    __slots__ = ("count", "greatest", "least", "total")

    def __init__(self) -> None:
        self.count = 0
        self.total = 0.0
        self.least = float("inf")
        self.greatest = float("-inf")

    def add(self, value: float, count: int = 1) -> None:
        """Take in one value, or the same several times."""
        self.count += count
        self.total += value * count
        self.least = min(self.least, value)
        self.greatest = max(self.greatest, value)


class CloudWatchMetrics:
    """Sums up what happens and sends it once a period, from a thread of its own; a context manager.

    What cannot be sent is logged and kept for the next period, so an outage of CloudWatch costs detail, no
    counts. Dimensions: StreamName; and StreamName with ShardId, or with ErrorCode.

    Args:
        stream: The stream's name.
        client: A CloudWatch client; by default one of a new boto3 session.
        namespace: CloudWatch's namespace.
        period: Seconds between two sendings; default 60.
        per_shard: Whether to send each shard's figures, too; each costs as a custom metric of its own.
    """

    def __init__(
        self,
        stream: str,
        *,
        client: PutsMetricData | None = None,
        namespace: str = "KinesisProducerLibrary",
        period: float = 60.0,
        per_shard: bool = False,
    ) -> None:
        self._stream = stream
        self._client = client or boto3.Session().client("cloudwatch")
        self._namespace = namespace
        self._per_shard = per_shard
        self._period = period
        self._lock = threading.Lock()
        self._statistics: dict[_Key, Statistics] = {}
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name=f"metrics-{stream}", daemon=True)
        self._thread.start()

    def attempted(
        self, shard_id: str, user_records: int, size: int, seconds: float, error_code: str | None
    ) -> None:
        """Count a Kinesis record that came back."""
        with self._lock:
            self._add("RequestTime", "Milliseconds", shard_id, seconds * 1000)
            if error_code is None:
                self._add("KinesisRecordsPut", "Count", shard_id, 1)
                self._add("KinesisRecordsDataPut", "Bytes", shard_id, size)
                self._add("UserRecordsPerKinesisRecord", "Count", shard_id, user_records)
            else:
                self._add("AllErrors", "Count", shard_id, 1)
                self._sum("ErrorsByCode", "Count", None, error_code, 1)

    def completed(self, shard_id: str | None, user_records: int, size: int, seconds: float) -> None:
        """Count user records that have their outcome."""
        with self._lock:
            self._add("BufferingTime", "Milliseconds", shard_id, seconds * 1000)
            if shard_id is None:
                self._add("UserRecordsGivenUp", "Count", None, user_records)
            else:
                self._add("UserRecordsPut", "Count", shard_id, user_records)
                self._add("UserRecordsDataPut", "Bytes", shard_id, size)

    def publish(self) -> bool:
        """Send what has been summed up; return whether CloudWatch took it all."""
        with self._lock:
            statistics, self._statistics = self._statistics, {}
        now = dt.datetime.now(dt.UTC)
        keys = list(statistics)
        for start in range(0, len(keys), MAX_DATA_PER_CALL):
            some = keys[start : start + MAX_DATA_PER_CALL]
            try:
                response = self._client.put_metric_data(
                    Namespace=self._namespace,
                    MetricData=[self._datum(key, statistics[key], now) for key in some],
                )
                if isinstance(response, Mapping):  # boto3's: success has no member but the request's id
                    given_by_service(response)
            except Exception as error:  # noqa: BLE001 - metrics never stop what they measure
                logger.warning("CloudWatch took no metrics; they are kept", extra={"error": str(error)})
                self._keep({key: statistics[key] for key in keys[start:]})
                return False
        return True

    def close(self) -> None:
        """Send what is left and end; to be called after the producer's own ``close``."""
        self._stopped.set()
        self._thread.join()
        self.publish()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _run(self) -> None:
        while not self._stopped.wait(self._period):
            self.publish()

    def _add(self, name: str, unit: str, shard_id: str | None, value: float) -> None:
        self._sum(name, unit, None, None, value)
        if self._per_shard and shard_id is not None:
            self._sum(name, unit, shard_id, None, value)

    def _sum(self, name: str, unit: str, shard_id: str | None, error_code: str | None, value: float) -> None:
        key = (name, unit, shard_id, error_code)
        statistics = self._statistics.get(key)
        if statistics is None:
            statistics = self._statistics[key] = Statistics()
        statistics.add(value)

    def _keep(self, unsent: dict[_Key, Statistics]) -> None:
        with self._lock:
            for key, older in unsent.items():
                newer = self._statistics.setdefault(key, older)
                if newer is not older:
                    newer.count += older.count
                    newer.total += older.total
                    newer.least = min(newer.least, older.least)
                    newer.greatest = max(newer.greatest, older.greatest)

    def _datum(self, key: _Key, statistics: Statistics, now: dt.datetime) -> dict[str, object]:
        name, unit, shard_id, error_code = key
        dimensions = {"StreamName": self._stream, "ShardId": shard_id, "ErrorCode": error_code}
        return {
            "MetricName": name,
            "Unit": unit,
            "Timestamp": now,
            "Dimensions": [{"Name": key, "Value": value} for key, value in dimensions.items() if value],
            "StatisticValues": {
                "SampleCount": statistics.count,
                "Sum": statistics.total,
                "Minimum": statistics.least,
                "Maximum": statistics.greatest,
            },
        }
