"""What ``local status`` says of each process: where its health is, and why it is not well."""

import json
import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import msgspec
import psutil
import pytest
from click.testing import CliRunner

from orderstream_playground.cli.local import local
from orderstream_playground.local.environment import EnvironmentOptions
from orderstream_playground.local.lifecycle import EnvironmentState
from orderstream_playground.local.processes import RunningProcess


@pytest.fixture
def port() -> Iterator[int]:
    """A process that says that it is stuck."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = json.dumps({"healthy": False, "reason": "the table t has not responded for 95 s"}).encode()
            self.send_response(503)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_port
    server.shutdown()
    thread.join()
    server.server_close()


def test_what_is_not_well_says_why_and_where(port: int, tmp_path: Path) -> None:
    """In its own words, with the address that says more; what has ended, with the way to start it again."""
    own: dict[str, Any] = {
        "pid": os.getpid(),
        "created": psutil.Process().create_time(),
        "health_path": "/health",
        "emulator": False,
    }
    processes = (
        RunningProcess(name="saga", port=port, log="s.log", **own),
        RunningProcess(name="shipping", port=1, log="x.log", **own | {"created": 1.0}),
    )
    state = EnvironmentState(options=EnvironmentOptions(), processes=processes, ready=True)
    (tmp_path / "state.json").write_bytes(msgspec.json.encode(state))
    runner = CliRunner(env={"COLUMNS": "80"})
    ended = runner.invoke(local, ["status", "--home", str(tmp_path)])
    assert ended.exit_code == 1
    assert f"http://127.0.0.1:{port}/health" in ended.stdout
    assert "saga is unhealthy: the table t has not responded for 95 s" in ended.stdout
    assert "shipping is ended: see x.log, then `orderstream local start shipping`" in ended.stdout
