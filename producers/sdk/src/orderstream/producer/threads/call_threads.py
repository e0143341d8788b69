"""A few threads that make blocking calls, so that the owner of the core never blocks."""

import logging
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Protocol

logger = logging.getLogger(__name__)


class StartsThread(Protocol):
    """Starts a thread that keeps no interpreter alive."""

    def __call__(self, work: Callable[[], None], name: str) -> threading.Thread:
        """Start it.

        Raises:
            RuntimeError: The operating system or the interpreter gives no thread.
        """


def start_daemon(work: Callable[[], None], name: str) -> threading.Thread:
    """Start a daemon, unlike the threads of ``concurrent.futures``: a call that hangs holds up no exit.

    Raises:
        RuntimeError: There is no thread to be had: a limit of the system, or, on Python 3.12.0 to 3.12.2, an
            interpreter that is shutting down.
    """
    thread = threading.Thread(target=work, name=name, daemon=True)
    thread.start()
    return thread


class CallThreads:
    """Threads that take calls from one queue, started as they are needed.

    Where no further thread can be had, the calls wait for those there are, and the next call asks again. As
    long as there is none at all, the thread that submits a call makes it.

    Args:
        limit: How many there may be.
        name: What their names begin with.
        start: Starts a thread.
    """

    def __init__(self, limit: int, name: str, start: StartsThread = start_daemon) -> None:
        self._limit = limit
        self._name = name
        self._start = start
        self._calls: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._idle = threading.Semaphore(0)
        self._refused = False

    def submit(self, call: Callable[[], None]) -> None:
        """Have a call made as soon as a thread is free; from one thread only."""
        if not self._idle.acquire(blocking=False) and len(self._threads) < self._limit:
            self._start_another()
        if self._threads:
            self._calls.put(call)
        else:
            call()

    def stop(self, timeout: float) -> None:
        """Let the threads end after their present calls, and wait for each a limited time, in seconds."""
        for _ in self._threads:
            self._calls.put(None)
        for thread in self._threads:
            thread.join(timeout)

    def _start_another(self) -> None:
        try:
            thread = self._start(self._work, f"{self._name}-{len(self._threads) + 1}")
        except RuntimeError as error:
            if not self._refused:
                logger.warning(
                    "%s: no further thread for calls to Kinesis (%s): %d threads make them all, slower; "
                    "each call asks for another thread",
                    self._name,
                    error,
                    len(self._threads),
                )
            self._refused = True
        else:
            self._refused = False
            self._threads.append(thread)

    def _work(self) -> None:
        while (call := self._calls.get()) is not None:
            call()
            del call
            self._idle.release()
