"""State of one process: after a fork, threads and locks are the parent's, and copies must not be used.

Python reports its own forks only (``os.register_at_fork``). A server that forks in C, as uWSGI does, reports
none. So each put checks: a page that the kernel wipes in a child (``MADV_WIPEONFORK``, Linux since 4.14),
which takes a hundredth of a put, or at the process id where there is no such page.
"""

import mmap
import os
import sys
import threading
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from orderstream.producer.delivery import Delivery

# Python names most of Linux' advices, not this one.
_MADV_WIPEONFORK = 18


class ForkProbe(Protocol):
    """Its first item is true in the process that made it, and false in every child."""

    def __getitem__(self, item: int, /) -> int:
        """Look."""


class PidProbe:
    """Compares process ids: a system call each time."""

    __slots__ = ("_pid",)

    def __init__(self) -> None:
        self._pid = os.getpid()

    def __getitem__(self, item: int, /) -> int:
        """Look."""
        return os.getpid() == self._pid


def wiped_page() -> ForkProbe:
    """Make a page of memory that the kernel wipes in a child.

    Raises:
        OSError: This kernel does not do that.
    """
    page = mmap.mmap(-1, mmap.PAGESIZE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    page.madvise(_MADV_WIPEONFORK)
    page[0] = 1
    return page


def make_probe() -> ForkProbe:
    """Make the cheapest probe that this system has."""
    if sys.platform == "linux":
        try:
            return wiped_page()
        except OSError:
            pass
    return PidProbe()


class Process:
    """The process that producers and deliveries were made in.

    Attributes:
        here: True in its first item if this is the process; false in a child.
        registration: Held to wait or listen while an outcome is open, and to complete it.
        listeners: Callbacks for an outcome that is still open.
        completing_threads: Threads that complete deliveries: they must not wait for an outcome.
    """

    def __init__(self) -> None:
        self.here = make_probe()
        self.registration = threading.Lock()
        self.listeners: dict[Delivery, list[Callable[[Delivery], object]]] = {}
        self.completing_threads: set[int] = set()

    def in_completing_thread(self) -> bool:
        """Whether this is a producer's own thread, where delivery callbacks run."""
        return threading.get_ident() in self.completing_threads


_current = Process()


def current() -> Process:
    """Return the present process."""
    global _current  # noqa: PLW0603 - its value belongs to another process
    if not _current.here[0]:
        _current = Process()
    return _current
