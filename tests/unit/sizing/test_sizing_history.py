"""A stream's past from CloudWatch; botocore's own model checks each request and each answer."""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import boto3
import msgspec
import pytest
from botocore.stub import Stubber

from shard_sizing.live.cloudwatch import stream_history
from shard_sizing.live.throttles import CloudWatchSilentError
from shard_sizing.model.workload.history import History
from shard_sizing.model.workload.measured import Measured, over_history
from shard_sizing.model.workload.peaks import Peaks, Rates
from shard_sizing.model.workload.profile import KinesisRecords, rate_at, synthetic

NOW = dt.datetime(2026, 11, 29, 12, 34, 56, tzinfo=dt.UTC)
LONG_AGO = NOW - dt.timedelta(days=400)


@contextmanager
def cloudwatch() -> Iterator[tuple[Any, Stubber]]:
    client = boto3.client(
        "cloudwatch", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x"
    )
    with Stubber(client) as stubber:
        yield client, stubber
        stubber.assert_no_pending_responses()


def result(number: int, points: dict[dt.datetime, float], status: str = "Complete") -> dict[str, Any]:
    return {
        "Id": f"m{number}",
        "Label": "x",
        "Timestamps": list(points),
        "Values": list(points.values()),
        "StatusCode": status,
    }


def hour(back: int) -> dt.datetime:
    return NOW.replace(minute=0, second=0, microsecond=0) - dt.timedelta(hours=back)


def test_thirty_days_become_rates_and_a_daily_shape() -> None:
    """3,600 an hour, 36,000 at 09:00, one busy minute; hours without data are idle, pages are followed."""
    hours = {hour(back): 36_000.0 if hour(back).hour == 9 else 3_600.0 for back in range(1, 30 * 24 + 1)}
    idle = hours.pop(hour(5))
    assert idle == 3_600
    with cloudwatch() as (client, stubber):
        pages = [result(0, hours), result(1, {hour(1): 2_592_000.0 * 500})]
        more = [result(2, {hour(9): 7.0}), result(3, {})]
        stubber.add_response("get_metric_data", {"MetricDataResults": pages, "NextToken": "more"})
        stubber.add_response("get_metric_data", {"MetricDataResults": more})
        stubber.add_response("get_metric_data", {"MetricDataResults": [result(0, {hour(3): 6_000.0})]})
        past = stream_history(client, "orders", 30, LONG_AGO, NOW)
    mean = (30 * 23 + 30 * 10 - 1) * 3_600 / (30 * 86_400)
    assert past.seconds == 30 * 86_400
    assert past.records_per_second == pytest.approx(mean)
    assert past.bytes_per_second == pytest.approx(500)
    assert past.peaks.hour is not None
    assert past.peaks.minute is not None
    assert (past.peaks.hour.max, past.peaks.hour.p50, past.peaks.minute.max) == (10, 1, 100)
    assert past.daily is not None
    assert past.daily[9] == pytest.approx(10 / mean, rel=1e-3)
    assert past.daily[hour(5).hour] == pytest.approx(29 / 30 / mean, rel=1e-3)
    assert (past.throttled_writes, past.throttled_reads) == (7, 0)


def test_a_young_stream_has_a_short_past() -> None:
    """Time before its creation is not idle time; within its first hour there is nothing to be known."""
    with cloudwatch() as (client, stubber):
        empty = [result(number, {}) for number in range(1, 4)]
        busy = [result(0, {hour(1): 7_200.0}), *empty]
        stubber.add_response("get_metric_data", {"MetricDataResults": busy})
        stubber.add_response("get_metric_data", {"MetricDataResults": [result(0, {})]})
        past = stream_history(client, "orders", 30, NOW - dt.timedelta(hours=3), NOW)
        assert (past.seconds, past.records_per_second, past.daily) == (2 * 3_600, 1.0, None)
        with pytest.raises(CloudWatchSilentError, match="full hour"):
            stream_history(client, "orders", 30, NOW - dt.timedelta(minutes=50), NOW)


@pytest.mark.parametrize("refused", ["call", "result"])
def test_no_permission_is_said(refused: str) -> None:
    """A refused call and a refused metric are both a sentence, never an idle month."""
    with cloudwatch() as (client, stubber):
        if refused == "call":
            stubber.add_client_error("get_metric_data", "AccessDenied")
        else:
            answer = {"MetricDataResults": [result(0, {}, "Forbidden")]}
            stubber.add_response("get_metric_data", answer)
        with pytest.raises(CloudWatchSilentError, match=r"AccessDenied|Forbidden"):
            stream_history(client, "orders", 30, LONG_AGO, NOW)


def test_a_measurement_takes_over_the_rates_of_the_past() -> None:
    """Keys are as read; the peaks are those of the month, in user records as many as share a record now."""
    rates = Rates(100.0, 90.0, 300.0, 400.0, 500.0)
    past = History(86_400.0, 100.0, 5e4, Peaks(minute=rates, hour=rates), None, 7, 0)
    kinesis = KinesisRecords(10, 1.0, 500.0, 1.0, Peaks(), ((500.0, 1.0),), 1.0, 1.0, 500)
    made_up = msgspec.structs.asdict(synthetic(20, 100, 0.0, 0.0)) | {"records": 200, "kinesis": kinesis}
    found = Measured(**made_up, stream="orders", corrupt=0, throttled_writes=None, shards=())
    longer = over_history(found, past)
    assert (longer.rate, rate_at(longer, "max-minute"), longer.seconds) == (2_000, 10_000, 86_400)
    assert longer.kinesis is not None
    assert (longer.kinesis.rate, longer.kinesis.peaks.at("max-hour", 0)) == (100, 500)
    assert (longer.keys, longer.sizes, longer.history) == (found.keys, found.sizes, past)
    idle = over_history(found, msgspec.structs.replace(past, records_per_second=0.0))
    assert (idle.rate, idle.history is not None) == (20, True)
