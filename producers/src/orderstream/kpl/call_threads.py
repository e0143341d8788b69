"""A few threads that make blocking calls, so that the owner of the core never blocks."""

import threading
from collections.abc import Callable
from queue import SimpleQueue


class CallThreads:
    """Threads that take calls from one queue, started as they are needed.

    They are daemons, unlike those of ``concurrent.futures``: a call that hangs does not keep the interpreter
    alive.

    Args:
        limit: How many there may be.
        name: What their names begin with.
    """

    def __init__(self, limit: int, name: str) -> None:
        self._limit = limit
        self._name = name
        self._calls: SimpleQueue[Callable[[], None] | None] = SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._idle = threading.Semaphore(0)

    def submit(self, call: Callable[[], None]) -> None:
        """Have a call made as soon as a thread is free; from one thread only."""
        self._calls.put(call)
        if not self._idle.acquire(blocking=False) and len(self._threads) < self._limit:
            thread = threading.Thread(
                target=self._work, name=f"{self._name}-{len(self._threads) + 1}", daemon=True
            )
            self._threads.append(thread)
            thread.start()

    def stop(self, timeout: float) -> None:
        """Let the threads end after their present calls, and wait for each a limited time, in seconds."""
        for _ in self._threads:
            self._calls.put(None)
        for thread in self._threads:
            thread.join(timeout)

    def _work(self) -> None:
        while (call := self._calls.get()) is not None:
            call()
            del call
            self._idle.release()
