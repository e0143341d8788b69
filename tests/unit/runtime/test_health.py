"""Health is served over HTTP: 200 while all is well, 503 when it is not."""

import json
import socket
import urllib.error
import urllib.request

import pytest

from orderstream_workers.runtime.health import health_served


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_health_answers_200_and_503() -> None:
    """The report's own word decides the status, and its content is the body either way."""
    port, report = free_port(), {"healthy": True, "shards": []}
    with health_served(port, lambda: report):
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health") as answer:
            assert json.loads(answer.read()) == report
        report["healthy"] = False
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/health")
        with caught.value as refused:
            assert refused.code == 503
            assert json.loads(refused.read())["healthy"] is False


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
