"""Serves ``/health`` beside a worker: what it is doing, as JSON, for a probe and for a person."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Report = Callable[[], dict[str, Any]]
"""Gives what ``/health`` answers; its field ``healthy`` decides between 200 and 503."""


@contextmanager
def health_served(port: int, report: Report) -> Iterator[None]:
    """Serve ``/health`` on the loopback interface while the body runs.

    Args:
        port: TCP port; 0 serves nothing.
        report: Gives the answer; called from a thread of the server.
    """
    if port == 0:
        yield
        return

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path != "/health":
                self.send_error(HTTPStatus.NOT_FOUND)
                return
            answer = report()
            body = json.dumps(answer).encode()
            healthy = answer.get("healthy", False)
            self.send_response(HTTPStatus.OK if healthy else HTTPStatus.SERVICE_UNAVAILABLE)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
            """Keep probes out of the log."""

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, name="health", daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
