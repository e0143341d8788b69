"""A stream's past as CloudWatch keeps it: how much by minute and hour, without keys and sizes of records."""

import datetime as dt
from collections.abc import Mapping
from typing import Final

import msgspec
import numpy as np

from shard_sizing.model.workload.peaks import Floats, Peaks, rates_of

MINUTE_DAYS: Final = 15
"""Days for which CloudWatch keeps sums by the minute; beyond, sums by the hour are read."""

_HOUR: Final = 3_600

Sums = Mapping[dt.datetime, float]
"""The sum of a metric in each period, by the period's beginning; periods without data are missing."""


class History(msgspec.Struct, frozen=True):
    """What a stream took in the past.

    Attributes:
        seconds: How long a time, up to 30 days.
        records_per_second: Mean Kinesis records that were accepted.
        bytes_per_second: Mean bytes of them.
        peaks: Kinesis records a second by minute (of the last 15 days) and by hour.
        daily: The records in each hour of the day (UTC) over the mean; None below a day.
        throttled_writes: Records refused for want of room.
        throttled_reads: Reads refused for want of room.
    """

    seconds: float
    records_per_second: float
    bytes_per_second: float
    peaks: Peaks
    daily: tuple[float, ...] | None
    throttled_writes: int
    throttled_reads: int


def history(
    begin: dt.datetime, end: dt.datetime, hours: Mapping[str, Sums], minutes: Sums, minutes_begin: dt.datetime
) -> History:
    """Return the history between two full hours.

    Args:
        begin: From when.
        end: Until when.
        hours: The sums by hour of each metric of ``live.cloudwatch.METRICS``.
        minutes: The sums of records by minute.
        minutes_begin: From when the minutes are kept.
    """
    seconds = (end - begin).total_seconds()
    by_hour = _filled(hours["IncomingRecords"], begin, end, _HOUR)
    by_minute = _filled(minutes, minutes_begin, end, 60)
    daily = None
    if seconds >= 24 * _HOUR and by_hour.any():
        of_day = (np.arange(by_hour.size) + begin.hour) % 24
        means = np.bincount(of_day, weights=by_hour, minlength=24) / np.bincount(of_day, minlength=24)
        daily = tuple((means / by_hour.mean()).round(4).tolist())
    return History(
        seconds=seconds,
        records_per_second=float(by_hour.sum()) / seconds,
        bytes_per_second=sum(hours["IncomingBytes"].values()) / seconds,
        peaks=Peaks(minute=rates_of(by_minute, 60), hour=rates_of(by_hour, _HOUR)),
        daily=daily,
        throttled_writes=round(sum(hours["WriteProvisionedThroughputExceeded"].values())),
        throttled_reads=round(sum(hours["ReadProvisionedThroughputExceeded"].values())),
    )


def _filled(sums: Sums, begin: dt.datetime, end: dt.datetime, period: int) -> Floats:
    counts = np.zeros(round((end - begin).total_seconds()) // period)
    for at, value in sums.items():
        index = int((at - begin).total_seconds()) // period
        if 0 <= index < counts.size:
            counts[index] += value
    return counts
