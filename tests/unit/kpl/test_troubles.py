"""What goes wrong is said: at once, again in due time, and when it is over."""

import logging
import threading

import pytest
from botocore.exceptions import EndpointConnectionError

from fakes.kpl import TinyClient, client_error
from orderstream import (
    DeliveryFailedError,
    DeliveryPendingError,
    Producer,
    ProducerConfig,
    StreamUnavailableError,
    StreamUnreachableError,
    UnsentRecordsError,
)
from orderstream.producer.core.troubles import REPEAT, TroubleReport, Troubles
from orderstream.producer.outcome import Failure

WAIT = 30.0
THROTTLED = Failure("ProvisionedThroughputExceededException", "slow down", retryable=True)
OUT_OF_REACH = Failure("EndpointConnectionError", "no route", retryable=True)


def test_a_trouble_is_said_at_once_and_again_in_due_time() -> None:
    """Between two reports lie ten seconds, however many calls fail."""
    troubles = Troubles()
    said = []
    for tenth in range(250):
        troubles.failed("PutRecords", OUT_OF_REACH, tenth / 10)
        said += [(report.failures, tenth / 10) for report in troubles.reports()]
    assert said == [(1, 0.0), (101, 10.0), (201, 20.0)]
    assert troubles.present == OUT_OF_REACH


def test_the_end_of_what_was_said_is_said() -> None:
    """With the time it began and the number of failures."""
    troubles = Troubles()
    troubles.failed("ListShards", OUT_OF_REACH, 1.0)
    troubles.failed("ListShards", OUT_OF_REACH, 2.0)
    troubles.reports()
    troubles.worked("PutRecords")
    assert troubles.reports() == []
    troubles.worked("ListShards")
    assert troubles.reports() == [TroubleReport("ListShards", OUT_OF_REACH, 1.0, 2, 0, over=True)]
    assert troubles.present is None


def test_what_comes_and_goes_is_said_once_in_ten_seconds() -> None:
    """A hiccup that was not mentioned has no end to mention."""
    troubles = Troubles()
    for second in range(5):
        troubles.failed("PutRecords", OUT_OF_REACH, float(second))
        troubles.worked("PutRecords")
    assert [report.over for report in troubles.reports()] == [False, True]
    troubles.failed("PutRecords", OUT_OF_REACH, REPEAT)
    assert len(troubles.reports()) == 1


def test_a_throttle_is_over_when_each_of_its_shards_takes_records() -> None:
    """Or when the shard is no longer there."""
    troubles = Troubles()
    for shard in ("a", "b", "c"):
        troubles.failed("PutRecords", THROTTLED, 0.0, shard)
    troubles.reports()
    troubles.worked("PutRecords")
    troubles.worked("PutRecords", "a")
    troubles.keep_shards({"a", "b"})
    assert troubles.reports() == []
    troubles.worked("PutRecords", "b")
    assert [report.over for report in troubles.reports()] == [True]


def test_what_usually_passes_is_given_some_patience() -> None:
    """It is said when it lasts."""
    troubles = Troubles()
    troubles.failed("ListShards", OUT_OF_REACH, 0.0, tolerance=5.0)
    assert troubles.reports() == []
    troubles.failed("ListShards", OUT_OF_REACH, 5.0, tolerance=5.0)
    assert len(troubles.reports()) == 1


def test_a_server_that_makes_up_codes_fills_no_memory() -> None:
    """What was said when is forgotten beyond some kinds of trouble."""
    troubles = Troubles()
    for number in range(1000):
        troubles.failed("PutRecords", Failure(str(number), "", retryable=True), 0.0)
        troubles.worked("PutRecords")
    assert len(troubles._said_at) <= 64


def producer_on(client: TinyClient, **settings: object) -> Producer:
    return Producer("orders", client=client, config=ProducerConfig(**settings))


def unreachable() -> EndpointConnectionError:
    return EndpointConnectionError(endpoint_url="https://kinesis.eu-wst-9.amazonaws.com")


class Unreachable(TinyClient):
    """No call gets anywhere until ``back``."""

    def __init__(self) -> None:
        super().__init__()
        self.down = True
        self.failed = threading.Semaphore(0)

    def list_shards(self, **request: object) -> object:
        if self.down:
            self.failed.release()
            raise unreachable()
        return super().list_shards(**request)


def test_an_endpoint_out_of_reach_is_told_and_so_is_its_return(caplog: pytest.LogCaptureFixture) -> None:
    """The text itself says what fails, how, since when and what waits: no formatter is needed."""
    caplog.set_level(logging.INFO)
    client = Unreachable()
    with producer_on(client, retry_base_delay=0.01, retry_max_delay=0.01) as producer:
        delivery = producer.put(b"data", "key")
        for _ in range(5):
            assert client.failed.acquire(timeout=WAIT)
        with pytest.raises(
            DeliveryPendingError, match=r"the last error was EndpointConnectionError: Could not"
        ):
            delivery.result(0.0)
        client.down = False
        delivery.result(WAIT)
    (logged,) = [record for record in caplog.records if record.levelname == "WARNING"]
    warning = logged.getMessage()
    fields = {"stream": "orders", "operation": "ListShards", "code": "EndpointConnectionError"}
    assert fields | {"failures": 1, "failing_shards": 0} == {
        name: vars(logged)[name] for name in (*fields, "failures", "failing_shards")
    }
    assert warning.startswith("ListShards on stream orders fails: EndpointConnectionError: Could not connect")
    assert "1 failure since 20" in warning
    assert "records that wait: " in warning
    assert "ListShards on stream orders succeeds again, after" in caplog.text


def test_what_is_given_up_is_told_with_its_reason(caplog: pytest.LogCaptureFixture) -> None:
    """In the text, with the number of records."""
    client = TinyClient()
    client.failures = [client_error("AccessDeniedException")]
    with producer_on(client) as producer:
        producer.put(b"data", "key").exception(WAIT)
    assert "1 record given up, bound for stream orders: AccessDeniedException: said so" in caplog.text


def test_errors_name_the_last_failure_though_no_record_ever_left() -> None:
    """Where the shards cannot be listed there are no attempts to look at."""
    client = Unreachable()
    producer = producer_on(client, delivery_timeout=0.05, retry_base_delay=0.01)
    with pytest.raises(
        DeliveryFailedError, match=r"within 0.05 s; the last error was EndpointConnectionError"
    ):
        producer.put(b"data", "key").result(WAIT)
    producer.close(WAIT)
    with (
        pytest.raises(UnsentRecordsError, match="the last error was EndpointConnectionError"),
        producer_on(client, close_timeout=0.2, retry_base_delay=0.01) as left,
    ):
        left.put(b"data", "key")


class Missing(TinyClient):
    """The stream is not there."""

    def list_shards(self, **request: object) -> object:
        raise client_error("ResourceNotFoundException")


def test_a_check_tells_at_once_what_is_wrong() -> None:
    """A missing stream is final, an outage may pass, and a stream that is there passes."""
    with producer_on(Missing()) as producer:
        with pytest.raises(
            StreamUnavailableError, match="stream orders cannot be used, ResourceNotFound"
        ) as caught:
            producer.check()
        assert not caught.value.retryable
        with pytest.raises(StreamUnavailableError):
            producer.wait_ready(WAIT)
    client = Unreachable()
    with producer_on(client) as producer:
        with pytest.raises(StreamUnreachableError) as unreached:
            producer.check()
        assert unreached.value.retryable
        with pytest.raises(StreamUnreachableError):
            producer.wait_ready(0.0)
        client.down = False
        producer.wait_ready(WAIT)
        producer.check()


class Heard(logging.Handler):
    """Lets a test wait for a line."""

    def __init__(self) -> None:
        super().__init__()
        self.line = threading.Event()

    def emit(self, record: logging.LogRecord) -> None:
        self.line.set()


def test_a_stream_that_is_missing_is_told_before_a_record_is_put(caplog: pytest.LogCaptureFixture) -> None:
    """The first look at the shards is at the start."""
    heard = Heard()
    logging.getLogger("orderstream.producer").addHandler(heard)
    try:
        with producer_on(Missing()):
            assert heard.line.wait(WAIT)
    finally:
        logging.getLogger("orderstream.producer").removeHandler(heard)
    assert "ListShards on stream orders fails: ResourceNotFoundException: said so" in caplog.text
