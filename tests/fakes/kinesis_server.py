"""The fake Kinesis in a process of its own, and boto3 clients for it."""

import http.client
import json
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.config import Config

STARTUP_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class KinesisServer:
    """A server that runs; with TLS if there is a file with the certificate to trust."""

    process: subprocess.Popen[bytes]
    port: int
    trusted: str | None = None

    @property
    def url(self) -> str:
        return f"{'https' if self.trusted else 'http'}://127.0.0.1:{self.port}"

    def client(self, *, read_timeout: float = 10.0) -> Any:
        """A boto3 client without retries, so that each fault is seen."""
        return boto3.client(
            "kinesis",
            endpoint_url=self.url,
            region_name="us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
            verify=self.trusted,
            config=Config(retries={"total_max_attempts": 1}, read_timeout=read_timeout),
        )

    def send(
        self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None
    ) -> tuple[int, Any]:
        """One HTTP request; its status and its JSON."""
        with closing(self._connection()) as connection:
            connection.request(method, path, body, headers or {})
            response = connection.getresponse()
            return response.status, json.loads(response.read())

    def _connection(self) -> http.client.HTTPConnection:
        if self.trusted is None:
            return http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        context = ssl.create_default_context(cafile=self.trusted)
        return http.client.HTTPSConnection("127.0.0.1", self.port, timeout=10, context=context)

    def arm(self, *faults: dict[str, Any]) -> None:
        """Arm faults over HTTP."""
        status, response = self.send("POST", "/_faults", json.dumps(faults).encode())
        assert (status, response) == (200, {"armed": len(faults)})

    def disarm(self) -> None:
        """Disarm all faults over HTTP."""
        assert self.send("DELETE", "/_faults")[0] == 200


@contextmanager
def kinesis_server(*arguments: str, trusted: str | None = None) -> Iterator[KinesisServer]:
    """Start a server on a free port, wait until it is healthy, and stop it at the end.

    Args:
        arguments: Of its command line.
        trusted: A file with the certificate that it is told to serve TLS with.
    """
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "orderstream.testing.server", "--port", str(port), *arguments]
    process = subprocess.Popen(command)
    try:
        server = KinesisServer(process, port, trusted)
        _wait_until_healthy(server)
        yield server
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_until_healthy(server: KinesisServer) -> None:
    deadline = time.monotonic() + STARTUP_SECONDS
    pause = threading.Event()
    while True:
        try:
            assert server.send("GET", "/health") == (200, {"healthy": True})
        except OSError:  # it does not listen yet
            assert server.process.poll() is None, "the server ended"
            assert time.monotonic() < deadline, "the server does not answer"
            pause.wait(0.05)
        else:
            return
