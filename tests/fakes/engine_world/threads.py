"""The engine's port to threads, locks and queues, on the tasks of a simulated process."""

import queue
from collections import deque
from collections.abc import Callable
from random import Random
from typing import Any

from fakes.engine_world.scheduler import Process, Scheduler, Task, Waiting


class VirtualLock:
    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler
        self._taken = False
        self._waiting: deque[Waiting] = deque()

    def acquire(self, blocking: bool = True) -> bool:
        while self._taken:
            if not blocking:
                return False
            self._waiting.append(self._scheduler.waiting())
            self._scheduler.wait()
        self._taken = True
        return True

    def release(self) -> None:
        self._taken = False
        if self._waiting:
            self._scheduler.wake(self._waiting.popleft())

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(self, *_: object) -> None:
        self.release()


class VirtualEvent:
    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler
        self._is_set = False
        self._waiting: list[Waiting] = []

    def set(self) -> None:
        self._is_set = True
        waiting, self._waiting = self._waiting, []
        for task in waiting:
            self._scheduler.wake(task)

    def clear(self) -> None:
        self._is_set = False

    def is_set(self) -> bool:
        return self._is_set

    def wait(self, timeout: float | None = None) -> bool:
        if not self._is_set:
            self._waiting.append(self._scheduler.waiting())
            self._scheduler.wait(timeout)
        return self._is_set


class VirtualMailbox:
    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler
        self._items: deque[Any] = deque()
        self._waiting: Waiting | None = None

    def put(self, item: Any) -> None:
        self._items.append(item)
        if self._waiting is not None:
            self._scheduler.wake(self._waiting)

    def get(self, block: bool = True, timeout: float | None = None) -> Any:
        deadline = None if timeout is None else self._scheduler.now + timeout
        waited = False
        while not self._items:
            left = None if deadline is None else deadline - self._scheduler.now
            if not block or (left is not None and left <= 0):
                if not waited:
                    self._scheduler.sleep(0)  # whoever never waits must not be alone in the world
                if self._items:
                    break
                raise queue.Empty
            waited = True
            self._waiting = self._scheduler.waiting()
            try:
                self._scheduler.wait(left)
            finally:
                self._waiting = None
        return self._items.popleft()

    def empty(self) -> bool:
        return not self._items


class VirtualExecutor:
    """A pool whose threads take a moment to begin, each another one."""

    def __init__(self, scheduler: Scheduler, process: Process, random: Random, size: int) -> None:
        self._scheduler = scheduler
        self._process = process
        self._random = random
        self._size = size
        self._running = 0
        self._waiting: deque[Callable[[], object]] = deque()
        self._idle: list[Waiting] = []
        self._closed = False

    def submit(self, act: Callable[..., object], /, *arguments: Any) -> None:
        if self._closed:
            raise RuntimeError("cannot schedule new futures after shutdown")
        self._scheduler.check_alive()
        self._waiting.append(lambda: act(*arguments))
        if self._running < self._size:
            self._running += 1
            self._scheduler.spawn(self._process, self._work, self._random.choice((0.0, 0.0, 0.001, 0.02)))

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        self._closed = True
        if cancel_futures:
            self._waiting.clear()
        while wait and self._running:
            self._idle.append(self._scheduler.waiting())
            self._scheduler.wait()

    def _work(self) -> None:
        while self._waiting:
            self._waiting.popleft()()
        self._running -= 1
        if not self._running:
            idle, self._idle = self._idle, []
            for task in idle:
                self._scheduler.wake(task)


class VirtualThread:
    def __init__(self, scheduler: Scheduler, task: Task) -> None:
        self._scheduler = scheduler
        self._task = task

    def join(self) -> None:
        while not self._task.ended:
            self._task.joining.append(self._scheduler.waiting())
            self._scheduler.wait()


class VirtualConcurrency:
    """Implements ``engine.concurrency.Concurrency`` for one process."""

    def __init__(self, scheduler: Scheduler, process: Process, random: Random) -> None:
        self._scheduler = scheduler
        self._process = process
        self._random = random

    def lock(self) -> VirtualLock:
        return VirtualLock(self._scheduler)

    def event(self) -> VirtualEvent:
        return VirtualEvent(self._scheduler)

    def mailbox(self) -> VirtualMailbox:
        return VirtualMailbox(self._scheduler)

    def executor(self, size: int, name: str) -> VirtualExecutor:
        return VirtualExecutor(self._scheduler, self._process, self._random, size)

    def start(self, act: Callable[[], None], name: str) -> VirtualThread:
        return VirtualThread(self._scheduler, self._scheduler.spawn(self._process, act))
