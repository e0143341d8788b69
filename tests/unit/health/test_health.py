"""Health is served over HTTP: 200 while all is well, 503 when it is not."""

import json
import os
import socket
import subprocess
import sys
import urllib.error
import urllib.request

import pytest

from orderstream_consumer.health.listening import ListenError
from orderstream_consumer.health.server import health_served


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_health_answers_200_and_503() -> None:
    """The report's own word decides the status, and its content is the body either way."""
    port, report = free_port(), {"healthy": True, "shards": []}
    with health_served(port, lambda: report):
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health") as response:
            assert json.loads(response.read()) == report
        report["healthy"] = False
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/health")
        with caught.value as refused:
            assert refused.code == 503
            assert json.loads(refused.read())["healthy"] is False


def test_metrics_are_a_page_beside_health() -> None:
    """In Prometheus' content type; a process without metrics has no such page."""
    port = free_port()
    with (
        health_served(port, lambda: {"healthy": True}, metrics=lambda: "orderstream_handled_total 7\n"),
        urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as response,
    ):
        assert response.headers["Content-Type"].startswith("text/plain; version=0.0.4")
        assert response.read() == b"orderstream_handled_total 7\n"
    with health_served(port, lambda: {"healthy": True}):
        assert status_of(port, "/metrics") == 404


def test_the_port_is_free_afterwards() -> None:
    """Nothing listens once the body is over."""
    port = free_port()
    with health_served(port, lambda: {"healthy": True}):
        pass
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(f"http://127.0.0.1:{port}/health")


def test_port_zero_serves_nothing() -> None:
    """A worker without a health port opens none."""
    with health_served(0, dict):
        pass


def status_of(port: int, path: str) -> int:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}") as response:
            return int(response.status)
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code


@pytest.mark.parametrize(
    ("report", "whole", "ready"),
    [
        ({"healthy": True}, 200, 200),
        ({"healthy": True, "ready": True}, 200, 200),
        ({"healthy": True, "ready": False}, 200, 503),
        ({"healthy": False, "ready": True}, 503, 503),
    ],
)
def test_live_and_ready_are_told_apart(report: dict[str, bool], whole: int, ready: int) -> None:
    """A process that starts, drains or stands still is not ready; while it responds it is live."""
    port = free_port()
    with health_served(port, lambda: dict(report)):
        assert status_of(port, "/health") == whole
        assert status_of(port, "/health/ready") == ready
        assert status_of(port, "/health/live") == 200
        assert status_of(port, "/elsewhere") == 404


def test_probe_says_what_the_process_says() -> None:
    """The container's health check ends with 0 while the process answers, else with 1 and the reason.

    A worker that waits out an outage is not to be replaced for it.
    """
    port, report = free_port(), {"healthy": False, "ready": False}
    command = [sys.executable, "-m", "orderstream_workers.probe"]

    def probe(port: str) -> "subprocess.CompletedProcess[str]":
        # A container may have a proxy for what is outside of it.
        proxy = {"HTTP_PROXY": "http://127.0.0.1:1", "http_proxy": "http://127.0.0.1:1"}
        environment = {**os.environ, **proxy, "ORDERSTREAM_HEALTH_PORT": port}
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    with health_served(port, lambda: report):
        assert probe(str(port)).returncode == 0
    gone = probe(str(port))
    assert (gone.returncode, "no response" in gone.stderr) == (1, True)
    unset = probe("")
    assert (unset.returncode, "ORDERSTREAM_HEALTH_PORT" in unset.stderr) == (1, True)


def test_taken_port_is_a_clear_error() -> None:
    """A worker whose health port is taken says which, and what to do."""
    port = free_port()
    with (
        health_served(port, lambda: {"healthy": True}),
        pytest.raises(ListenError, match=f"127.0.0.1:{port}.*MY_HEALTH_PORT"),
        health_served(port, lambda: {"healthy": True}, setting="MY_HEALTH_PORT"),
    ):
        pass
