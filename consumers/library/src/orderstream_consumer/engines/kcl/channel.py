"""The channel between a worker and its shard processes: JSON lines over a Unix socket.

A shard process is started by the daemon, so nothing but the environment passes from the worker to it. It
reports its progress after each call. The worker has it drain, and closes the connection when it ends: a
shard process that outlives its worker ends too, and the daemon with it.
"""

import logging
import os
import socket
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, Self

import msgspec

from orderstream.observability.metrics import Collected
from orderstream_consumer.processing.progress import ShardProgress

logger = logging.getLogger(__name__)

CHANNEL: Final = "ORDERSTREAM_KCL_CHANNEL"
"""Environment variable that names the socket."""

_DRAIN: Final = b"drain\n"

ORPHANED: Final = 69
"""Exit status of a shard process whose worker has ended (``EX_UNAVAILABLE``)."""


class ShardReport(msgspec.Struct, frozen=True):
    """What a shard process reports.

    Attributes:
        progress: How its shard is doing.
        counters: What it has counted since it began.
        metrics: What it has measured since its last report.
    """

    progress: ShardProgress
    counters: dict[str, int]
    metrics: Collected | None = None


class WorkerEnd:
    """The worker's end; threads of its own listen.

    Args:
        measured: Takes what shard processes have measured; from any thread.

    Attributes:
        path: Where shard processes connect to.
    """

    def __init__(self, measured: Callable[[Collected], object] = lambda _: None) -> None:
        self._measured = measured
        self._folder = tempfile.TemporaryDirectory(prefix="orderstream-kcl-")
        self.path = Path(self._folder.name) / "channel"
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.bind(str(self.path))
        self._socket.listen()
        self._lock = threading.Lock()
        self._connections: dict[int, socket.socket] = {}
        self._reports: dict[int, ShardReport] = {}
        self._counted: Counter[str] = Counter()
        self._draining = False
        self._threads: list[threading.Thread] = []
        self._accepting = threading.Thread(target=self._accept, name="kcl-channel", daemon=True)
        self._accepting.start()

    def __enter__(self) -> Self:
        """Listen while the body runs."""
        return self

    def __exit__(self, *_: object) -> None:
        """Hang up; shard processes that still run end by it."""
        # Only a shutdown wakes a thread that waits in accept or recv.
        self._socket.shutdown(socket.SHUT_RDWR)
        self._accepting.join()
        self._socket.close()
        with self._lock:
            connections = list(self._connections.values())
        for connection in connections:
            _shut(connection)
        for thread in self._threads:
            thread.join()
        self._folder.cleanup()

    def drain(self) -> None:
        """Make every shard process, later ones too, start no new work."""
        with self._lock:
            self._draining = True
            connections = list(self._connections.values())
        for connection in connections:
            _send(connection, _DRAIN)

    def progress(self) -> tuple[ShardProgress, ...]:
        """The last report of each living shard process."""
        with self._lock:
            progress = [report.progress for report in self._reports.values()]
        return tuple(sorted(progress, key=lambda each: each.shard_id))

    def counters(self) -> Mapping[str, int]:
        """Sums over all shard processes, those that have ended included."""
        with self._lock:
            return sum(
                (Counter(report.counters) for report in self._reports.values()), Counter(self._counted)
            )

    def _accept(self) -> None:
        for number in range(2**63):
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return  # this end was closed
            with self._lock:
                self._connections[number] = connection
                draining = self._draining
            if draining:
                _send(connection, _DRAIN)
            thread = threading.Thread(
                target=self._listen, args=(number, connection), name="kcl-shard", daemon=True
            )
            thread.start()
            self._threads = [*(alive for alive in self._threads if alive.is_alive()), thread]

    def _listen(self, number: int, connection: socket.socket) -> None:
        decoder = msgspec.json.Decoder(ShardReport)
        with connection, connection.makefile("rb") as lines:
            try:
                for line in lines:
                    report = decoder.decode(line)
                    if report.metrics is not None:
                        self._measured(report.metrics)
                    with self._lock:
                        self._reports[number] = report
            except (OSError, msgspec.MsgspecError) as error:
                # A killed process may leave half a line; its successor reports everything again.
                logger.warning("a shard process stopped reporting", extra={"error": error})
            with self._lock:
                del self._connections[number]
                if last := self._reports.pop(number, None):
                    self._counted.update(last.counters)


class ShardEnd:
    """A shard process's end.

    Args:
        path: The worker's socket.
        stop: Set when the worker says that it drains.
        orphaned: Called when the worker has ended.
    """

    def __init__(
        self, path: str, stop: threading.Event, orphaned: Callable[[], Any] = lambda: os._exit(ORPHANED)
    ) -> None:
        self._stop = stop
        self._orphaned = orphaned
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.connect(path)
        self._closing = False
        self._thread = threading.Thread(target=self._receive, name="kcl-channel", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Hang up: the shard process ends by itself."""
        self._closing = True
        _shut(self._socket)
        self._thread.join()
        self._socket.close()

    def report(self, report: ShardReport) -> None:
        """Report to the worker; a report to one that has ended is lost."""
        _send(self._socket, msgspec.json.encode(report) + b"\n")

    def _receive(self) -> None:
        try:
            while self._socket.recv(64):
                self._stop.set()
        except OSError as error:
            logger.warning("the worker's end of the channel failed", extra={"error": error})
        if not self._closing:
            self._orphaned()


def _send(connection: socket.socket, line: bytes) -> None:
    try:
        connection.sendall(line)
    except OSError as error:
        # The other end is gone, which its own thread notices and acts upon.
        logger.info("the other end of the channel is closed", extra={"error": error})


def _shut(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError as error:
        logger.debug("hung up already", extra={"error": error})
