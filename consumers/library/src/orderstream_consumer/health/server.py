"""Serves ``/health`` beside a worker: what it is doing, as JSON, for a probe and for a person.

================= ===========================================================================================
``/health``       the whole report; 503 when something is stuck
``/health/live``  200 as long as the process responds: an outage elsewhere is no reason to restart it
``/health/ready`` the whole report; 200 while it does its work, 503 while it starts, drains or is stuck
``/metrics``      its metrics in Prometheus' text format
================= ===========================================================================================
"""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from orderstream.observability.metrics.prometheus import CONTENT_TYPE
from orderstream_consumer.health.listening import ListenError

Report = Callable[[], dict[str, Any]]
"""Gives what ``/health`` returns; ``healthy``, and ``ready`` if it is there, decide on 200 or 503."""


@contextmanager
def health_served(
    port: int,
    report: Report,
    host: str = "127.0.0.1",
    *,
    setting: str = "health_port",
    metrics: Callable[[], str] | None = None,
) -> Iterator[None]:
    """Serve ``/health`` while the body runs.

    Args:
        port: TCP port; 0 serves nothing.
        report: Gives the response; called from a thread of the server.
        host: Address to listen on; only this machine by default.
        setting: The setting of the port, for the error message if it is taken.
        metrics: Gives the page of ``/metrics``; without it there is none.

    Raises:
        ListenError: the address cannot be had.
    """
    if port == 0:
        yield
        return

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path == "/metrics" and metrics is not None:
                self._send(HTTPStatus.OK, CONTENT_TYPE, metrics().encode())
                return
            if self.path not in {"/health", "/health/live", "/health/ready"}:
                self.send_error(HTTPStatus.NOT_FOUND)
                return
            response = {"live": True} if self.path == "/health/live" else report()
            body = json.dumps(response).encode()
            good = response.get("live") or response.get("healthy", False)
            if self.path == "/health/ready":
                good = good and response.get("ready", True)
            self._send(HTTPStatus.OK if good else HTTPStatus.SERVICE_UNAVAILABLE, "application/json", body)

        def _send(self, status: HTTPStatus, content_type: str, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
            """Keep probes out of the log."""

    try:
        server = ThreadingHTTPServer((host, port), Handler)
    except OSError as error:
        remedy = f"set another one in {setting}"
        raise ListenError("/health", host, port, error.strerror or str(error), remedy) from error
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, name="health", daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
