"""The host's clock against AWS' dates: trusted, warned of, or out of work."""

import datetime as dt
import logging
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from orderstream.errors import DependencyError
from orderstream_consumer.idempotency import ClockSkewedError, HostClock

NOW = dt.datetime(2010, 12, 1, 8, 26, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)


class Host:
    """A host whose clock is set by hand."""

    def __init__(self) -> None:
        self.wall, self.monotonic = NOW, 0.0
        self.clock = HostClock(lambda: self.wall, lambda: self.monotonic)

    def hears(self, ahead: dt.timedelta, round_trip: float = 0.1) -> None:
        """A response comes, and the host's clock is so far ahead of its date."""
        self.clock.observe(self.wall - ahead, round_trip)


@pytest.mark.parametrize("seconds", [0, 1, 29, -28])
def test_a_clock_that_is_right_enough_decides(seconds: int) -> None:
    """A date has whole seconds and a response takes its time: a little difference says nothing."""
    host = Host()
    host.hears(dt.timedelta(seconds=seconds))
    assert host.clock() == NOW
    assert not host.clock.skewed


@pytest.mark.parametrize("ahead", [HOUR, -HOUR, dt.timedelta(seconds=40)])
def test_a_clock_that_is_wrong_decides_nothing(ahead: dt.timedelta) -> None:
    """Ahead or behind: whoever asks for the time is to ask again later, and health tells by how much."""
    host = Host()
    host.hears(ahead)
    with pytest.raises(ClockSkewedError, match="set it right") as caught:
        host.clock()
    assert isinstance(caught.value, DependencyError)
    assert host.clock.report() == {"clock_skew_seconds": pytest.approx(ahead.total_seconds(), abs=1)}


def test_a_clock_that_was_set_right_decides_again() -> None:
    """The next response is enough."""
    host = Host()
    host.hears(HOUR)
    host.hears(dt.timedelta(0))
    assert host.clock() == NOW


def test_a_response_that_lay_about_says_nothing() -> None:
    """A process that was frozen reads an old date: that is no wrong clock."""
    host = Host()
    host.hears(HOUR, round_trip=3600.0)
    assert host.clock() == NOW
    assert host.clock.report() == {"clock_skew_seconds": None}


@pytest.mark.parametrize("seconds", [6, 45])
def test_an_old_date_is_no_wrong_clock(seconds: int, caplog: pytest.LogCaptureFixture) -> None:
    """A server that is too busy to renew its date repeats it; a clock that is wrong stays wrong."""
    host = Host()
    host.hears(dt.timedelta(0))
    for _ in range(seconds):
        host.wall += dt.timedelta(seconds=1)
        host.monotonic += 1
        host.clock.observe(NOW, 0.1)
        assert not host.clock.skewed
    host.hears(dt.timedelta(0))
    assert host.clock() == host.wall
    assert caplog.messages == []
    host.wall += HOUR
    host.clock.observe(NOW, 0.1)
    assert host.clock.skewed


def test_a_date_counts_against_later_ones_for_a_minute_only() -> None:
    """AWS' own clock was ahead, or the process was frozen: later dates show it."""
    host = Host()
    host.hears(-HOUR)
    host.hears(dt.timedelta(0))
    assert host.clock.skewed
    host.monotonic += 61
    host.wall += dt.timedelta(seconds=61)
    host.hears(dt.timedelta(0))
    assert host.clock() == host.wall


def test_operators_are_warned_once_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    """A thousand responses make one line, which says what is wrong in its text."""
    host = Host()
    with caplog.at_level(logging.WARNING):
        for _ in range(1_000):
            host.hears(HOUR)
        assert ["+3600 s off" in message or "+3599 s off" in message for message in caplog.messages] == [True]
        host.monotonic += 61
        host.hears(dt.timedelta(seconds=10))
    assert [record.levelname for record in caplog.records] == ["ERROR", "WARNING"]


def test_responses_without_a_date_are_said_once_an_hour(caplog: pytest.LogCaptureFixture) -> None:
    """Then nothing can show that the clock is wrong, and a person should know."""
    host = Host()

    def comes(headers: dict[str, str]) -> None:
        context: dict[str, float] = {}
        host.clock._on_request(type("Request", (), {"context": context})())
        host.clock._on_response({"headers": headers}, context)

    with caplog.at_level(logging.WARNING):
        for _ in range(100):
            comes({})
        assert [("no Date" in message) for message in caplog.messages] == [True]
        comes({"date": "Wed, 01 Dec 2010 08:26:00 GMT"})
        host.monotonic += 7_200
        comes({})
    assert len(caplog.messages) == 1


@pytest.fixture
def dated_server() -> Iterator[tuple[str, dict[str, str | None]]]:
    """A server whose responses carry a chosen date."""
    said: dict[str, str | None] = {"date": None}

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            body = b'{"__type": "com.amazonaws.dynamodb.v20120810#ResourceNotFoundException"}'
            self.send_response_only(400)
            if said["date"] is not None:
                self.send_header("Date", said["date"])
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", said
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize(
    ("date", "skewed"),
    [
        ("Wed, 01 Dec 2010 08:26:00 GMT", True),
        ("Wed, 01 Dec 2010 08:26:00 GMT, Wed, 01 Dec 2010 08:26:00 GMT", True),
        (None, False),
        ("", False),
        ("yesterday", False),
        ("Wed, 01 Dec 2010 08:26:00", False),
    ],
)
def test_a_real_client_s_responses_are_heard(
    dated_server: tuple[str, dict[str, str | None]], date: str | None, skewed: bool
) -> None:
    """Even a refusal tells the time; a response without a readable date tells none."""
    url, said = dated_server
    said["date"] = date
    client = boto3.client(
        "dynamodb",
        endpoint_url=url,
        region_name="eu-west-1",
        aws_access_key_id="a",
        aws_secret_access_key="b",
        config=Config(retries={"total_max_attempts": 1}),
    )
    clock = HostClock()
    clock.listen_to(client)
    with pytest.raises(ClientError):
        client.describe_table(TableName="nope")
    client.close()
    assert clock.skewed is skewed
