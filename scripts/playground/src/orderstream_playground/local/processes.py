"""Starts processes in groups of their own, waits until they are healthy, and leaves none behind."""

import http.client
import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path

import msgspec
import psutil

from orderstream_playground.local.errors import PortTakenError, StartFailedError
from orderstream_workers.runtime.isolation import isolated

_STOP_GRACE = 30.0
"""Seconds a process has to drain after SIGTERM before it is killed."""

_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))
"""A proxy that the shell names cannot reach this machine's loopback interface."""


@dataclass(frozen=True, slots=True)
class ProcessSpec:
    """A process to run.

    Attributes:
        name: What a person calls it.
        command: The program and its arguments.
        port: The loopback port on which it listens.
        health_path: The path that returns 200 there once the process does its work.
        environment: Added to our own environment variables, without their AWS settings: see ``isolated``.
        emulator: True for emulators of AWS, whose CPU time is not our own.
        start_timeout: Seconds until it has to be healthy, on a busy machine too.
    """

    name: str
    command: Sequence[str]
    port: int
    health_path: str
    environment: Mapping[str, str]
    emulator: bool = False
    start_timeout: float = 180.0


class _Reported(msgspec.Struct):
    reason: str | None = None


class RunningProcess(msgspec.Struct, frozen=True, kw_only=True):
    """A process that was started, as it is written to the state file.

    Attributes:
        name: What a person calls it.
        pid: Its id, which is also its process group's.
        created: When it was created, in seconds since the epoch: distinguishes it from a later process of
            that id.
        port: Its loopback port.
        health_path: The path of its health.
        log: What it prints.
        emulator: True for emulators of AWS.
    """

    name: str
    pid: int
    created: float
    port: int
    health_path: str
    log: str
    emulator: bool

    def handle(self) -> psutil.Process | None:
        """The live process, or None if it has ended."""
        try:
            process = psutil.Process(self.pid)
            alive = process.create_time() == self.created and process.status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return None
        return process if alive else None

    def health(self, timeout: float = 2.0) -> bytes | None:
        """The body of its health response, or None while the status is not 200."""
        status, body = self._asked(timeout)
        return body if status == HTTPStatus.OK else None

    def report(self, timeout: float = 2.0) -> bytes | None:
        """The body of its health response, of an unhealthy process too; None while there is none."""
        return self._asked(timeout)[1]

    def reason(self) -> str | None:
        """Why it says that it is not well; None where it says nothing of it."""
        try:
            said = msgspec.json.decode(self.report() or b"", type=_Reported)
        except msgspec.DecodeError:
            return None
        return said.reason

    @property
    def health_url(self) -> str:
        """Where it says how it is."""
        return f"http://127.0.0.1:{self.port}{self.health_path}"

    def _asked(self, timeout: float) -> tuple[int, bytes | None]:
        """Status and body of its health response; 0 and None while there is none."""
        try:
            with _DIRECT.open(f"http://127.0.0.1:{self.port}{self.health_path}", timeout=timeout) as response:
                return response.status, response.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read()
        except (OSError, http.client.HTTPException):
            return 0, None

    def listens(self) -> bool:
        """True if it is this process, or a child of it, that listens on its port.

        Of a process of another user the system does not say; then nothing speaks against it.
        """
        process = self.handle()
        if process is None:
            return False
        try:
            return any(
                socket_.status == psutil.CONN_LISTEN and socket_.laddr.port == self.port
                for one in (process, *process.children(recursive=True))
                for socket_ in one.net_connections("tcp")
            )
        except psutil.NoSuchProcess:
            return False
        except psutil.AccessDenied:
            return True

    def cpu_seconds(self) -> float:
        """CPU time used so far, user and system, in seconds; 0 once it has ended."""
        process = self.handle()
        if process is None:
            return 0.0
        times = process.cpu_times()
        return float(times.user + times.system)


def check_ports(specs: Iterable[ProcessSpec]) -> None:
    """Make sure that every port is free, before anything is started.

    Raises:
        PortTakenError: one is taken.
    """
    for spec in specs:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", spec.port))
            except OSError as error:
                raise PortTakenError(spec.name, spec.port) from error


def start(spec: ProcessSpec, log_folder: Path) -> RunningProcess:
    """Start a process, detached from our terminal, so that Ctrl-C reaches only us."""
    log = log_folder / f"{spec.name}.log"
    with log.open("ab") as output:
        popen = subprocess.Popen(  # noqa: S603 - the commands are this module's callers' own
            spec.command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=isolated(os.environ, spec.environment),
            start_new_session=True,
        )
    # Reaped by psutil's wait below or by init after we are gone; Popen must not warn about it.
    popen.returncode = 0
    return RunningProcess(
        name=spec.name,
        pid=popen.pid,
        created=psutil.Process(popen.pid).create_time(),
        port=spec.port,
        health_path=spec.health_path,
        log=str(log),
        emulator=spec.emulator,
    )


def wait_healthy(
    process: RunningProcess, timeout: float, sleep: Callable[[float], None] = time.sleep
) -> None:
    """Wait until a process is healthy, and check that the response is the process's own.

    Two environments that start at the same moment on the same ports both find them free. One process gets
    each port, and its good health says nothing about the other, which is about to end.

    Raises:
        StartFailedError: it ended, or the time is over.
    """
    deadline = time.monotonic() + timeout
    while process.health() is None or not process.listens():
        if process.handle() is None:
            raise StartFailedError(process.name, "ended while starting", process.log, _tail(process.log))
        if time.monotonic() > deadline:
            raise StartFailedError(
                process.name, f"was not healthy after {timeout:g} s", process.log, _tail(process.log)
            )
        sleep(0.1)


def stop(processes: Sequence[RunningProcess], grace: float = _STOP_GRACE) -> list[str]:
    """Ask processes to drain, all at once, and kill what has not ended in time.

    Args:
        processes: What to stop; those that have ended are passed over.
        grace: Seconds to drain.

    Returns:
        The names of those that had to be killed.
    """
    living = [(process, handle) for process in processes if (handle := process.handle()) is not None]
    for _, handle in living:
        _signal(handle, signal.SIGTERM)
    _, late = psutil.wait_procs([handle for _, handle in living], timeout=grace)
    for handle in late:
        _signal(handle, signal.SIGKILL)
    psutil.wait_procs(late, timeout=grace)
    late_ids = {handle.pid for handle in late}
    return [process.name for process, handle in living if handle.pid in late_ids]


def _signal(handle: psutil.Process, number: signal.Signals) -> None:
    try:
        # Draining is the process's own work; only a kill has to reach its children too.
        if number is signal.SIGKILL:
            os.killpg(handle.pid, number)
        else:
            handle.send_signal(number)
    except (psutil.NoSuchProcess, ProcessLookupError):
        return  # it ended in the meantime, which is what we want


def _tail(log: str, lines: int = 15) -> str:
    return "\n".join(Path(log).read_text(errors="replace").splitlines()[-lines:])
