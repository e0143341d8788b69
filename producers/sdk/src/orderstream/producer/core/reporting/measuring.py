"""Measures a producer: sums up what happens within a second, then records it.

The meter is asked once for what many records have in common, so that a record costs no call of its own.
"""

import logging
from collections import Counter
from collections.abc import Sequence
from typing import Final

from orderstream.observability.metrics.meter import Meter
from orderstream.observability.metrics.metric import Metric
from orderstream.producer import metrics
from orderstream.producer.core.kinesis_record import KinesisRecord
from orderstream.producer.core.pending import PendingRecord

logger = logging.getLogger(__name__)

_EVERY: Final = 1.0
"""Seconds between two recordings of a producer that is busy; one that has nothing left records at once."""

_REMEMBERED: Final = 2_000
"""Requests and different values that are remembered at most until they are recorded."""


class Measuring:
    """Measures one producer.

    Args:
        meter: Takes the figures; what it raises is logged and stops nothing. None measures nothing.
    """

    def __init__(self, meter: Meter | None) -> None:
        self._meter = meter
        self._pending = 0
        self._recorded_at = 0.0
        self._begin()

    def _begin(self) -> None:
        self._dirty = False
        self._received = self._put = self._put_bytes = self._given_up = self._expired = 0
        self._taken = self._taken_bytes = 0
        self._errors: Counter[str] = Counter()
        self._retries: Counter[float] = Counter()
        self._buffering: Counter[float] = Counter()
        self._delivery: Counter[float] = Counter()
        self._per_record: Counter[float] = Counter()
        self._requests: list[tuple[float, int, int]] = []

    def received(self, records: Sequence[PendingRecord]) -> None:
        """Records were put."""
        if self._meter is not None:
            self._dirty = True
            self._received += len(records)
            self._pending += len(records)

    def sent(self, entries: Sequence[KinesisRecord], now: float) -> None:
        """Kinesis records leave in a request."""
        if self._meter is None:
            return
        self._dirty = True
        for record in entries:
            oldest = record.user_records[0]
            since = oldest.attempts[-1].ended if oldest.attempts else oldest.arrival.put_at
            self._buffering[now - since] += 1
            self._per_record[len(record.user_records)] += 1

    def responded(self, entries: Sequence[KinesisRecord], now: float) -> None:
        """A request has come back, whatever it brought."""
        if self._meter is not None and entries:
            self._dirty = True
            users = sum([len(record.user_records) for record in entries])
            self._requests.append((now - entries[0].sent_at, len(entries), users))

    def attempted(self, record: KinesisRecord, error_code: str | None) -> None:
        """A Kinesis record came back; with an error code if it must be sent again or is given up."""
        if self._meter is None:
            return
        self._dirty = True
        if error_code is None:
            self._taken += 1
            self._taken_bytes += record.size
        else:
            self._errors[error_code] += 1

    def completed(
        self, records: Sequence[PendingRecord], size: int, now: float, *, acknowledged: bool
    ) -> None:
        """Records that travelled together have their outcome; their payloads and keys are ``size`` bytes."""
        if self._meter is None:
            return
        self._dirty = True
        number, oldest = len(records), records[0]
        self._pending -= number
        self._retries[oldest.failures] += number
        self._delivery[now - oldest.arrival.put_at] += 1
        if acknowledged:
            self._put += number
            self._put_bytes += size
        else:
            self._given_up += number

    def expired(self, records: Sequence[PendingRecord]) -> None:
        """Records are given up because they have waited for too long."""
        if self._meter is not None:
            self._expired += len(records)

    def record(self, now: float) -> None:
        """Hand over to the meter what was summed up, if it is time."""
        if self._meter is None or not self._dirty:
            return
        if self._pending and now - self._recorded_at < _EVERY and len(self._buffering) < _REMEMBERED:
            return
        self._recorded_at = now
        try:
            self._record(self._meter)
        except BaseException:
            # Not even an exit may end the thread on which all deliveries depend.
            logger.exception("a meter failed")
        self._begin()

    def _record(self, meter: Meter) -> None:
        meter.record(metrics.USER_RECORDS_PENDING, self._pending)
        for metric, number in (
            (metrics.USER_RECORDS_RECEIVED, self._received),
            (metrics.USER_RECORDS_PUT, self._put),
            (metrics.USER_RECORDS_DATA_PUT, self._put_bytes),
            (metrics.USER_RECORDS_GIVEN_UP, self._given_up),
            (metrics.USER_RECORD_EXPIRED, self._expired),
            (metrics.KINESIS_RECORDS_PUT, self._taken),
            (metrics.KINESIS_RECORDS_DATA_PUT, self._taken_bytes),
        ):
            if number:
                meter.record(metric, number)
        for code, number in self._errors.items():
            meter.record(metrics.ALL_ERRORS, number)
            meter.record(metrics.ERRORS_BY_CODE, number, code)
        _record_all(meter, metrics.RETRIES_PER_RECORD, self._retries)
        _record_all(meter, metrics.BUFFERING_TIME, self._buffering, 1_000)
        _record_all(meter, metrics.DELIVERY_TIME, self._delivery, 1_000)
        _record_all(meter, metrics.USER_RECORDS_PER_KINESIS_RECORD, self._per_record)
        for seconds, kinesis_records, user_records in self._requests:
            meter.record(metrics.REQUEST_TIME, seconds * 1_000)
            meter.record(metrics.KINESIS_RECORDS_PER_REQUEST, kinesis_records)
            meter.record(metrics.USER_RECORDS_PER_REQUEST, user_records)


def _record_all(meter: Meter, metric: Metric, values: Counter[float], scale: float = 1) -> None:
    for value, times in values.items():
        meter.record(metric, value * scale, times=times)
