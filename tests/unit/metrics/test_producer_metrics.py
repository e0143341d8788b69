"""What a producer measures arrives at its meter under KPL's names."""

import pytest

from fakes.kpl import TinyClient, client_error
from fakes.metrics import Recorded
from orderstream import Metric, Producer, ProducerConfig
from orderstream.producer.metrics import PRODUCER_METRICS

WAIT = 30.0


def test_puts_attempts_and_outcomes_are_measured() -> None:
    """One record is refused once and delivered, another is given up; errors are counted by their code."""
    meter, client = Recorded(), TinyClient()
    client.failures = [client_error("InternalFailure", 500)]
    with Producer("orders", client=client, meter=meter) as producer:
        producer.put(b"data", "key").result(WAIT)
        client.failures = [client_error("AccessDeniedException")]
        assert producer.put(b"data", "key").exception(WAIT)
    assert meter.sum("UserRecordsReceived") == 2
    assert meter.sum("UserRecordsPut") == 1
    assert meter.sum("UserRecordsDataPut") == 7
    assert meter.sum("UserRecordsGivenUp") == 1
    assert meter.sum("UserRecordExpired") == 0
    assert meter.sum("KinesisRecordsPut") == 1
    assert meter.sum("KinesisRecordsDataPut") == 7
    assert meter.sum("AllErrors") == 2
    assert meter.sum("ErrorsByCode", "InternalFailure") == 1
    assert meter.sum("ErrorsByCode", "AccessDeniedException") == 1
    assert meter.values["RetriesPerRecord",] == [1, 1]
    assert len(meter.values["RequestTime",]) == len(meter.values["BufferingTime",]) == 3
    assert len(meter.values["DeliveryTime",]) == 2
    assert meter.values["UserRecordsPending",][-1] == 0


def test_what_travels_together_is_measured_together() -> None:
    """Ten records of one aggregate: one Kinesis record, one request, and each has its outcome counted."""
    meter = Recorded()
    with Producer("orders", client=TinyClient(), meter=meter) as producer:
        producer.put_many([(b"data", "key")] * 10)
    assert meter.values["UserRecordsPerKinesisRecord",] == [10]
    assert meter.values["KinesisRecordsPerPutRecordsRequest",] == [1]
    assert meter.values["UserRecordsPerPutRecordsRequest",] == [10]
    assert meter.values["RetriesPerRecord",] == [0] * 10
    assert meter.sum("UserRecordsPut") == 10
    assert meter.sum("UserRecordsDataPut") == 70


def test_what_waited_too_long_is_counted_as_expired() -> None:
    """Beside being given up."""
    meter, client = Recorded(), TinyClient()
    client.failures = [client_error("InternalFailure", 500)] * 1_000
    config = ProducerConfig(delivery_timeout=0.05, retry_base_delay=0.01, retry_max_delay=0.01)
    with Producer("orders", client=client, config=config, meter=meter) as producer:
        assert producer.put(b"data", "key").exception(WAIT)
    assert meter.sum("UserRecordExpired") == meter.sum("UserRecordsGivenUp") == 1


def test_a_meter_that_raises_stops_no_delivery(caplog: pytest.LogCaptureFixture) -> None:
    """Not even by an exit: all deliveries depend on the thread that measures."""

    class Raising:
        def record(self, metric: Metric, value: float = 1, *labels: str, times: int = 1) -> None:
            raise SystemExit

    with Producer("orders", client=TinyClient(), meter=Raising()) as producer:
        assert producer.put(b"data", "key").result(WAIT)
    assert "a meter failed" in caplog.text


def test_nothing_is_measured_that_is_not_declared() -> None:
    """The declarations are what tables, alarms and bills are made of."""
    meter, client = Recorded(), TinyClient()
    client.failures = [client_error("InternalFailure", 500)]
    with Producer("orders", client=client, meter=meter) as producer:
        producer.put(b"data", "key").result(WAIT)
    assert set(meter.metrics.values()) <= set(PRODUCER_METRICS)
    assert len({metric.name for metric in PRODUCER_METRICS}) == len(PRODUCER_METRICS)
