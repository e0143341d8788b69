"""The orders API as a process: when it is ready, and how it ends."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from fakes.hasty import ask, free_port, wait_for
from fakes.log_lines import lines_of
from fakes.metrics import emf_sums
from fakes.otlp import OtlpReceiver


def command(port: int) -> list[str]:
    return [sys.executable, "-m", "orderstream_workers.cli.main", "api", "--port", str(port)]


def environment(folder: Path, **more: str) -> dict[str, str]:
    """Nothing of AWS: neither credentials nor anybody who would give some."""
    return {
        **{
            name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "ORDERSTREAM_"))
        },
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": str(folder / "none"),
        "AWS_SHARED_CREDENTIALS_FILE": str(folder / "none"),
        "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
        "ORDERSTREAM_READ_MODEL_URL": f"sqlite:///{folder}/read-model.sqlite",
        **more,
    }


@contextlib.contextmanager
def served(folder: Path, **more: str) -> Iterator[tuple[int, "subprocess.Popen[str]"]]:
    port = free_port()
    process = subprocess.Popen(
        command(port),
        env=environment(folder, **more),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        wait_for(port, lambda status, _: status == 200, "/health/live")
        yield port, process
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({}, "Unable to locate credentials"),
        ({"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x"}, "Could not connect to the endpoint"),
    ],
)
def test_without_credentials_or_kinesis_it_is_not_ready(
    tmp_path: Path, more: dict[str, str], reason: str
) -> None:
    """No order has to come first; what is missing stands in the response."""
    with served(tmp_path, **more) as (port, _):
        said = wait_for(port, lambda _, body: reason in str(body["reason"]), "/health/ready")
        assert said["status"] == "starting"
        assert ask(port, "/health/ready")[0] == 503
        answered = {one["name"]: one["responded_seconds_ago"] for one in said["dependencies"]}
        assert answered["table orderstream-idempotency-keys"] is None
        assert answered["stream orders"] is None


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_whoever_ends_it_gets_status_0(tmp_path: Path, number: signal.Signals) -> None:
    """A supervisor must not take a drain for a crash."""
    with served(tmp_path) as (_, process):
        process.send_signal(number)
        assert process.wait(30) == 0


def test_sigterm_loses_neither_spans_nor_metrics(tmp_path: Path) -> None:
    """Both are exported now and then; what was measured since is out before the process has ended."""
    with (
        OtlpReceiver() as receiver,
        served(tmp_path, ORDERSTREAM_TRACING="otlp", ORDERSTREAM_OTLP_URL=receiver.url) as (port, process),
    ):
        for _ in range(3):
            refused = httpx.post(f"http://127.0.0.1:{port}/orders", content=b"no order")
            assert refused.status_code < 500
        process.send_signal(signal.SIGTERM)
        printed, _ = process.communicate(timeout=30)
        assert process.returncode == 0
        spans = receiver.spans()
    assert [(span.service, span.name) for span in spans] == [("api", "POST /orders")] * 3
    lines = [line for line in printed.splitlines() if line.startswith('{"_aws"')]
    assert emf_sums(lines)[("Responses",)] == 3


def test_a_taken_port_is_one_line_and_status_1(tmp_path: Path) -> None:
    """It names the port and what to do, as a line of the log like any other."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = subprocess.run(
            command(port), env=environment(tmp_path), capture_output=True, text=True, check=False
        )
    assert ended.returncode == 1
    *_, last = lines_of(ended.stderr)
    assert (last["level"], last["message"]) == ("CRITICAL", "process ends by an error")
    assert last["error"]["message"].startswith(f"the API cannot listen on 127.0.0.1:{port} (")
    assert "--port" in last["error"]["message"]


def test_a_log_level_that_there_is_none_is_one_sentence(tmp_path: Path) -> None:
    """And no traceback."""
    loud = environment(tmp_path, ORDERSTREAM_LOG_LEVEL="LOUD")
    ended = subprocess.run(command(free_port()), env=loud, capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    (line,) = ended.stderr.splitlines()
    assert "set it to 'DEBUG' or 'INFO'" in line


def test_half_requests_do_not_silence_it(tmp_path: Path) -> None:
    """Hundreds of connections that never finish a request, in head or body: others are answered."""
    body = b"POST /orders HTTP/1.1\r\nHost: x\r\nIdempotency-Key: k\r\nContent-Length: 99\r\n\r\n{"
    with served(tmp_path) as (port, _), contextlib.ExitStack() as closing:
        connections = []
        for number in range(600):
            connection = closing.enter_context(socket.create_connection(("127.0.0.1", port), timeout=10))
            connection.sendall(body if number % 2 else b"POST /orders HTT")
            connections.append(connection)
        assert ask(port, "/health/live")[0] == 200
        assert connections[0].recv(100).startswith(b"HTTP/1.1 408")
        ended = connections[1].recv(100)
        assert ended == b"" or ended.startswith(b"HTTP/1.1 408"), ended
