"""Whatever lets the engine do several things side by side, as a port.

In production these are the threads, locks and queues of the standard library. A simulation puts in tasks
under a virtual clock, so that the same worker meets every interleaving that a seed draws.
"""

import queue
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Any, Protocol, TypeVar

from orderstream.observability.log_context import logs_as_here

_T = TypeVar("_T")


class Lock(Protocol):
    """What ``threading.Lock`` makes."""

    def acquire(self, blocking: bool = True) -> bool:
        """Take the lock; False, without a wait, if it is taken and ``blocking`` is False."""

    def release(self) -> None:
        """Give the lock back."""

    def __enter__(self) -> bool: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class Event(Protocol):
    """What ``threading.Event`` is."""

    def set(self) -> None:
        """Wake all waiting threads."""

    def clear(self) -> None:
        """Make it as new."""

    def is_set(self) -> bool:
        """Whether it was set."""

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for at most ``timeout`` seconds; True if it is set."""


class Mailbox(Protocol[_T]):
    """What ``queue.SimpleQueue`` is."""

    def put(self, item: _T) -> None:
        """Add an item; never waits."""

    def get(self, block: bool = True, timeout: float | None = None) -> _T:
        """Take the oldest item.

        Raises:
            queue.Empty: None came within ``timeout`` seconds.
        """

    def empty(self) -> bool:
        """Whether there is nothing to take."""


class Executor(Protocol):
    """The part of ``concurrent.futures.Executor`` that the engine uses; results come through a mailbox."""

    def submit(self, act: Callable[..., object], /, *arguments: Any) -> object:
        """Do something on a thread of the pool.

        Raises:
            RuntimeError: The pool is shut down, or there is no thread to be had; it will not be done.
        """

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Take nothing more.

        Args:
            wait: Return only once everything is done.
            cancel_futures: Forget what has not begun.
        """


class Thread(Protocol):
    """A thread that has been started."""

    def join(self) -> None:
        """Wait for its end."""


class Concurrency(Protocol):
    """Makes what the engine runs on."""

    def lock(self) -> Lock:
        """A lock that may be held during a call to the outside."""

    def event(self) -> Event:
        """An event."""

    def mailbox(self) -> Mailbox[Any]:
        """A queue without bound."""

    def executor(self, size: int, name: str) -> Executor:
        """A pool of at most ``size`` threads."""

    def start(self, act: Callable[[], None], name: str) -> Thread:
        """Start a thread that does not keep its process alive."""


class ThreadPool:
    """Implements ``Executor``: what is refused is never done.

    ``ThreadPoolExecutor`` queues a task before it asks the system for a thread. If there is none to be had it
    raises, and yet a thread that it has does the task later, beside the caller's second try.

    Args:
        size: Most threads.
        name: Prefix of their names.
    """

    def __init__(self, size: int, name: str) -> None:
        self._pool = ThreadPoolExecutor(size, name)

    def submit(self, act: Callable[..., object], /, *arguments: Any) -> object:
        """See ``Executor.submit``."""
        # Taken once: by the thread that does the task, or by us, who take it back.
        claim = threading.Lock()

        def do() -> None:
            if claim.acquire(blocking=False):
                act(*arguments)

        try:
            return self._pool.submit(logs_as_here(do))
        except RuntimeError:
            if claim.acquire(blocking=False):
                raise
            return None  # another thread of the pool has begun it all the same

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """See ``Executor.shutdown``."""
        self._pool.shutdown(wait, cancel_futures=cancel_futures)


class Threads:
    """Threads of the standard library."""

    def lock(self) -> Lock:
        """See ``Concurrency.lock``."""
        return threading.Lock()

    def event(self) -> Event:
        """See ``Concurrency.event``."""
        return threading.Event()

    def mailbox(self) -> Mailbox[Any]:
        """See ``Concurrency.mailbox``."""
        return queue.SimpleQueue()

    def executor(self, size: int, name: str) -> Executor:
        """See ``Concurrency.executor``."""
        return ThreadPool(size, name)

    def start(self, act: Callable[[], None], name: str) -> Thread:
        """See ``Concurrency.start``."""
        thread = threading.Thread(target=logs_as_here(act), name=name, daemon=True)
        thread.start()
        return thread
