"""The way between a worker and what it depends on: slow, lossy, and sometimes the last that a worker sees.

::

    the worker calls ──request──> done there ──answer──> the worker goes on
         │              │                      │
         │              ├ refused: not done    └ lost: done, and nobody says so
         │              └ late: the caller has given up when it is done
         └ the process dies before, in between or after
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from random import Random
from typing import TypeVar

from botocore.exceptions import ClientError, ConnectionClosedError, ReadTimeoutError

from fakes.engine_world.scheduler import Process, Scheduler
from orderstream.errors import OrderstreamError

_T = TypeVar("_T")
ENDPOINT = "https://simulated"


@dataclass
class Trouble:
    """How often what goes wrong, as probabilities of a call."""

    refused: float = 0.0
    lost: float = 0.0
    late: float = 0.0
    slow: float = 0.0
    longest: float = 6.0
    dies: float = 0.0


class Network:
    """Carries calls of simulated processes.

    Attributes:
        trouble: Its state; all is well by default.
        peaceful: Whether nobody dies any more, not even of a call that began before.
    """

    def __init__(self, scheduler: Scheduler, random: Random) -> None:
        self._scheduler = scheduler
        self._random = random
        self._other_side = Process("the other side")
        self.trouble = Trouble()
        self.peaceful = False

    @property
    def delivers_late(self) -> bool:
        """Whether what is done right now was asked for by a call that has been given up."""
        task = self._scheduler.current
        return task is not None and task.process is self._other_side

    def call(self, act: Callable[[], _T], refusals: tuple[str, ...], operation: str, dies: float = 1.0) -> _T:
        """Carry a call there and its response back.

        Args:
            act: What is done on the other side.
            refusals: Codes with which it may be refused.
            operation: Its name.
            dies: How much likelier than usual the caller dies of it.
        """
        random, trouble = self._random, self.trouble
        self._maybe_die(trouble.dies * dies)
        if random.random() < trouble.slow:
            self._scheduler.sleep(random.uniform(0.1, trouble.longest))
        else:
            self._scheduler.sleep(0.002 + 0.01 * random.random())
        fate = random.random()
        if fate < trouble.refused:
            raise ClientError({"Error": {"Code": random.choice(refusals), "Message": "as drawn"}}, operation)
        fate -= trouble.refused
        if fate < trouble.late:
            late = random.uniform(0.1, trouble.longest)
            self._scheduler.spawn(self._other_side, lambda: _quietly(act), late)
            self._scheduler.sleep(random.uniform(0, late))
            raise ReadTimeoutError(endpoint_url=ENDPOINT)
        done = act()
        if random.random() < trouble.slow:
            self._scheduler.sleep(random.uniform(0.1, trouble.longest))
        self._maybe_die(trouble.dies * dies)
        if fate - trouble.late < trouble.lost:
            raise ConnectionClosedError(endpoint_url=ENDPOINT)
        return done

    def kill_caller(self) -> None:
        """End the calling process, here."""
        if not self.peaceful:
            self._scheduler.die()

    def _maybe_die(self, rate: float) -> None:
        if rate and self._random.random() < rate:
            self.kill_caller()


def _quietly(act: Callable[[], object]) -> None:
    with suppress(ClientError, OrderstreamError):  # nobody hears of it
        act()
