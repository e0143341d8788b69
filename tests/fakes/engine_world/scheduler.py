"""Virtual time: tasks of several processes take turns, and only one runs at any moment.

A task is a greenlet with a stack of its own, so the code that it runs is the shipped code, and it may wait in
the middle of anything: of a call, of a lock, of a processor. While it waits the others go on. Nothing happens
between two waits, and which task runs next is decided by the time that each of them asked for.

Millions of turns are played, so a turn is cheap: whoever waits hands over to the next one directly, or just
goes on if that is itself, and the stack of a task that has ended carries the next one that begins.
"""

import heapq
import math
from collections.abc import Callable
from itertools import count

from greenlet import getcurrent, greenlet

TICK = 1e-9
"""Seconds that each wait takes beyond its length, since no real wait is over before its time."""


TURNS = 20_000
"""Most turns within a millisecond: more of them are a loop that never waits."""


class KilledError(BaseException):
    """Unwinds the tasks of a process that is dead. Whatever they do on the way has no effect."""


class Process:
    """What lives and dies together.

    Attributes:
        alive: False once it was killed: its tasks never go on.
        frozen_until: Its tasks stand still until then, as those of a suspended machine do.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.alive = True
        self.frozen_until = -math.inf


class Task:
    """One thread of a process."""

    __slots__ = ("ended", "greenlet", "joining", "process", "ticket", "woken")

    def __init__(self, process: Process, stack: greenlet) -> None:
        self.process = process
        self.greenlet = stack
        self.ticket = 0
        self.woken = False
        self.ended = False
        self.joining: list[Waiting] = []


Waiting = tuple[Task, int]
"""A task, and which of its waits is meant: it may have gone on by now, and wait for something else."""


class Scheduler:
    """Runs tasks.

    Attributes:
        now: The time, in seconds.
        current: The task that runs.
    """

    def __init__(self) -> None:
        self.now = 0.0
        self.current: Task | None = None
        self._hub = getcurrent()
        self._until = 0.0
        self._order = count()
        self._agenda: list[tuple[float, int, Task, int]] = []
        self._acts: dict[Task, Callable[[], object]] = {}
        self._tasks: dict[Task, None] = {}
        self._idle: list[greenlet] = []
        self._failure: BaseException | None = None
        self._over = False
        self._turns = 0
        self._turns_since = 0.0

    def spawn(self, process: Process, act: Callable[[], object], delay: float = 0.0) -> Task:
        """Start a task after ``delay`` seconds."""
        task = Task(process, self._idle.pop() if self._idle else greenlet(self._carry, self._hub))
        self._acts[task] = act
        self._tasks[task] = None
        self._push(task, self.now + delay)
        return task

    def _carry(self, _: object = None) -> None:
        """Carry out one task after the other."""
        while (task := self.current) is not None and (act := self._acts.pop(task, None)) is not None:
            try:
                act()
            except KilledError:
                pass
            except BaseException as error:  # noqa: BLE001 - the hub raises it
                self.fail(error)
            task.ended = True
            self._tasks.pop(task, None)
            for waiting in task.joining:
                self.wake(waiting)
            if self._over:
                return
            self._idle.append(task.greenlet)
            self._hand_over(task.greenlet)

    def fail(self, error: BaseException) -> None:
        """End the history with an error, whoever would have caught it."""
        self._failure = self._failure or error

    def run_until(self, moment: float) -> None:
        """Let all tasks go on until a moment; raises what ``fail`` was told."""
        self._until = moment
        self._hand_over(self._hub)
        if self._failure is not None:
            raise self._failure
        self.now = max(self.now, moment)

    def _hand_over(self, stack: greenlet) -> None:
        """Let the next task go on, and return when it is the turn of ``stack``, which is the running one."""
        following = self._next()
        if following is not stack:
            following.switch()

    def _next(self) -> greenlet:
        """Choose the task that goes on now; the hub goes on if there is none."""
        agenda = self._agenda
        while agenda and agenda[0][0] <= self._until and self._failure is None:
            at, _, task, ticket = heapq.heappop(agenda)
            self.now = max(self.now, at)
            if task.ticket != ticket or task.ended or not task.process.alive:
                continue
            if task.process.frozen_until > self.now:
                self._push(task, task.process.frozen_until)
                continue
            if self.now > self._turns_since + 0.001:
                self._turns, self._turns_since = 0, self.now
            self._turns += 1
            if self._turns >= TURNS:
                self.fail(AssertionError("somebody goes round and round without waiting"))
            task.ticket += 1
            self.current = task
            return task.greenlet
        self.current = None
        return self._hub

    def sleep(self, seconds: float) -> None:
        """Let others go on for so long."""
        self.wait(seconds)

    def wait(self, timeout: float | None = None) -> bool:
        """Wait to be woken; False if the time was up before."""
        task = self.current
        assert task is not None
        self.check_alive(task)
        task.woken = False
        if timeout is not None:
            self._push(task, self.now + max(timeout, 0.0) + TICK)
        self._hand_over(task.greenlet)
        self.check_alive(task)
        return task.woken

    def waiting(self) -> Waiting:
        """The running task, which is about to wait: what ``wake`` has to be given."""
        assert self.current is not None
        return self.current, self.current.ticket

    def wake(self, waiting: Waiting) -> None:
        """End a task's wait."""
        task, ticket = waiting
        if task.ticket == ticket and not task.woken and not task.ended:
            task.woken = True
            self._push(task, self.now)

    def check_alive(self, task: Task | None = None) -> None:
        """Unwind the running task if its process is dead."""
        task = task or self.current
        if self._over or (task is not None and not task.process.alive):
            raise KilledError

    def die(self) -> None:
        """Kill the process of the running task, here."""
        assert self.current is not None
        self.current.process.alive = False
        self._hand_over(self.current.greenlet)
        raise KilledError

    def end(self) -> None:
        """Unwind whatever has not ended."""
        self._over = True
        for task in list(self._tasks):
            if task not in self._acts:  # else it has not begun
                self.current = task
                task.greenlet.throw(KilledError)
        for stack in (*self._idle, *(task.greenlet for task in self._acts)):
            stack.throw()
        self._tasks.clear()
        self._acts.clear()

    def _push(self, task: Task, at: float) -> None:
        heapq.heappush(self._agenda, (at, next(self._order), task, task.ticket))
