"""Processes of a local environment: checked before, watched while starting, and never left behind."""

import http.server
import socket
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import msgspec
import psutil
import pytest

from orderstream_playground.local.environment import EnvironmentOptions
from orderstream_playground.local.errors import LocalEnvironmentError, PortTakenError, StartFailedError
from orderstream_playground.local.lifecycle import EnvironmentState, down, read_state, set_aside, start_again
from orderstream_playground.local.processes import (
    ProcessSpec,
    RunningProcess,
    check_ports,
    start,
    stop,
    wait_healthy,
)

SERVE = """
import http.server, sys
handler = http.server.SimpleHTTPRequestHandler
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), handler).serve_forever()
"""
SERVE_UNHEALTHY = """
import http.server, sys
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(503)
        self.end_headers()
        self.wfile.write(b"unwell")
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""
IGNORE_TERM = """
import signal
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("ready", flush=True)
while True:
    signal.pause()
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def spec_of(code: str, *arguments: str, port: int = 0) -> ProcessSpec:
    return ProcessSpec(
        name="it",
        command=(sys.executable, "-c", code, *arguments),
        port=port,
        health_path="/",
        environment={},
    )


@pytest.fixture
def started(tmp_path: Path) -> Iterator[list[RunningProcess]]:
    """Processes that a test has started, stopped in the end."""
    processes: list[RunningProcess] = []
    yield processes
    stop(processes, grace=1.0)


def test_a_healthy_process_is_waited_for_and_stopped(tmp_path: Path, started: list[RunningProcess]) -> None:
    """A process counts as started once it answers, and has ended when stop returns."""
    port = free_port()
    process = start(spec_of(SERVE, str(port), port=port), tmp_path)
    started.append(process)
    wait_healthy(process, timeout=20)
    assert process.health() is not None
    assert stop([process]) == []
    assert process.handle() is None


def test_an_unhealthy_process_reports_all_the_same(tmp_path: Path, started: list[RunningProcess]) -> None:
    """A process whose health response is not 200 is not healthy, but what it reports can be read."""
    port = free_port()
    process = start(spec_of(SERVE_UNHEALTHY, str(port), port=port), tmp_path)
    started.append(process)
    while process.report() is None:
        assert process.handle() is not None
    assert process.report() == b"unwell"
    assert process.health() is None


def test_a_process_that_ends_says_why(tmp_path: Path) -> None:
    """One that ends while starting is an error with the last lines that it printed."""
    process = start(spec_of("print('the reason'); raise SystemExit(3)", port=free_port()), tmp_path)
    with pytest.raises(StartFailedError, match=r"ended while starting.*\n.*the reason"):
        wait_healthy(process, timeout=20)


def test_a_process_that_never_answers_is_an_error(tmp_path: Path, started: list[RunningProcess]) -> None:
    """One that lives and does not respond is an error once its time is over."""
    process = start(spec_of("import signal; signal.pause()", port=free_port()), tmp_path)
    started.append(process)
    with pytest.raises(StartFailedError, match="was not healthy after 0"):
        wait_healthy(process, timeout=0)


def test_the_health_of_another_on_the_same_port_does_not_count(
    tmp_path: Path, started: list[RunningProcess]
) -> None:
    """Of two that start on one port at the same moment, the one that did not get it has not started."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler) as other:
        threading.Thread(target=other.serve_forever, daemon=True).start()
        process = start(spec_of("import sys; sys.stdin.read()", port=other.server_port), tmp_path)
        started.append(process)
        assert process.health() is not None
        with pytest.raises(StartFailedError, match="ended while starting"):
            wait_healthy(process, timeout=20)
        other.shutdown()


def test_a_process_that_will_not_drain_is_killed_and_named(
    tmp_path: Path, started: list[RunningProcess]
) -> None:
    """After its grace a process is killed, and the caller is told which one."""
    process = start(spec_of(IGNORE_TERM), tmp_path)
    started.append(process)
    ready = threading.Event()
    while "ready" not in Path(process.log).read_text():
        assert not ready.wait(0.02)
    assert stop([process], grace=0.3) == ["it"]
    assert not psutil.pid_exists(process.pid)


def test_a_taken_port_is_named_before_anything_starts() -> None:
    """A port in use is an error that names the port, what it was for, and the way out."""
    with http.server.HTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler) as server:
        spec = spec_of(SERVE, port=server.server_port)
        with pytest.raises(PortTakenError, match=rf"port {server.server_port}, meant for it.*--base-port"):
            check_ports([spec])


def test_the_logs_of_the_run_before_are_kept(tmp_path: Path) -> None:
    """Whoever starts anew may still want to know how the last run ended; the one before that is gone."""
    for run in ("first", "second"):
        set_aside(tmp_path)
        (tmp_path / "logs").mkdir()
        (tmp_path / "logs" / "saga.log").write_text(run)
    set_aside(tmp_path)
    assert (tmp_path / "logs.before" / "saga.log").read_text() == "second"
    assert not (tmp_path / "logs").exists()


def test_another_process_of_the_same_id_is_not_ours(tmp_path: Path) -> None:
    """A process id that was given to somebody else is never signalled."""
    ours = psutil.Process()
    stale = RunningProcess(
        name="stale", pid=ours.pid, created=0.0, port=0, health_path="/", log="", emulator=False
    )
    assert stale.handle() is None
    assert stop([stale]) == []


def test_down_without_an_environment_says_so(tmp_path: Path) -> None:
    """Nothing to stop is an error that says how to start."""
    assert read_state(tmp_path) is None
    with pytest.raises(LocalEnvironmentError, match="orderstream local up"):
        down(tmp_path)


def test_only_what_can_come_back_is_started_again(tmp_path: Path) -> None:
    """No environment, a name that is none of its, and an emulator that forgot everything are told apart."""
    with pytest.raises(LocalEnvironmentError, match="orderstream local up"):
        start_again(tmp_path)
    ended = RunningProcess(
        name="aws", pid=psutil.Process().pid, created=0.0, port=0, health_path="/", log="", emulator=True
    )
    state = EnvironmentState(options=EnvironmentOptions(), processes=(ended,))
    (tmp_path / "state.json").write_bytes(msgspec.json.encode(state))
    with pytest.raises(LocalEnvironmentError, match="has no shiping; it has aws"):
        start_again(tmp_path, ["shiping"])
    with pytest.raises(LocalEnvironmentError, match="everything that it held"):
        start_again(tmp_path)
