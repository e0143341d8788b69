"""The producer in uWSGI's prefork servers: a fork in C, of which Python hears nothing."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import pytest

from fakes.kpl import TinyClient
from fakes.kpl_http import served

APPLICATION = Path(__file__).with_name("uwsgi_app.py")
WAIT = 60.0


@contextmanager
def serving(url: str, *options: str) -> Iterator[tuple[httpx.Client, "subprocess.Popen[bytes]"]]:
    """Run uWSGI with a master and a worker on a socket that this process has opened."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        server = subprocess.Popen(
            [
                sys.executable,
                "-c",
                "import pyuwsgi, sys; pyuwsgi.run(sys.argv[1:])",
                "--master",
                "--processes=1",
                "--need-app",
                "--die-on-term",
                f"--wsgi-file={APPLICATION}",
                f"--http-socket=fd://{listener.fileno()}",
                *options,
            ],
            pass_fds=[listener.fileno()],
            env={
                "PATH": os.environ["PATH"],
                "PYTHONPATH": ":".join(sys.path),
                "AWS_ENDPOINT_URL_KINESIS": url,
                "AWS_ACCESS_KEY_ID": "testing",
                "AWS_SECRET_ACCESS_KEY": "testing",
                "AWS_REGION": "eu-west-1",
            },
        )
        try:
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=WAIT, trust_env=False) as client:
                yield client, server
        finally:
            server.kill()
            server.wait()


def ended_by_sigterm(server: "subprocess.Popen[bytes]") -> int | None:
    """Ask a server to end until it does: uWSGI's master loses what comes before it listens to signals."""
    for _ in range(60):
        server.send_signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            return server.wait(1.0)
    return None


@pytest.mark.parametrize("options", [(), ("--enable-threads",), ("--threads=2",)], ids=str)
def test_a_producer_of_the_master_refuses_in_its_workers_and_keeps_nobody_alive(
    options: tuple[str, ...],
) -> None:
    """The put says what to do, nothing is sent or waited for, and SIGTERM ends master and workers."""
    client = TinyClient()
    with served(client) as kinesis, serving(kinesis.url, *options) as (http, server):
        response = http.get("/parents")
        assert response.status_code == 409
        assert "make a new one in each process" in response.text
        assert ended_by_sigterm(server) == 0
    assert client.payloads == [b"from the master"]


def test_a_producer_of_the_worker_delivers_and_ends_with_it() -> None:
    """Made in the process that uses it, with threads enabled, it works as anywhere."""
    client = TinyClient()
    with served(client) as kinesis, serving(kinesis.url, "--enable-threads") as (http, server):
        response = http.get("/own")
        assert response.status_code == 200, response.text
        assert int(response.text) != server.pid
        assert ended_by_sigterm(server) == 0
    assert client.payloads == [b"from the master", b"from a worker"]
