"""Processes that share a provider's slots, and are killed, frozen and cut off: a world without threads.

The provider counts what it is working on, as it sees it: a request that its caller has given up, or whose
caller is dead, is worked on all the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random

from orderstream.errors import DependencyError
from orderstream_consumer.limits import SharedSlots, SlotExpiredError, SlotLimit, StoredRateLimiter
from orderstream_consumer.store import Write
from orderstream_consumer.testing import Fault, MemoryStore

LIMIT = SlotLimit(at_once=3, call=4.0, serving=3.0, life=12.0)


@dataclass
class Call:
    """A call under way.

    Attributes:
        ends: When its caller is done with it.
        answered: Whether it gets a response then.
    """

    ends: float
    answered: bool


@dataclass
class Process:
    """One process: its slots, what it has taken and not used, and its calls."""

    slots: SharedSlots
    limiter: StoredRateLimiter
    taken: int = 0
    calls: list[Call] = field(default_factory=list)
    frozen_until: float = 0.0


class SlotWorld:
    """Three processes at one provider.

    Args:
        seed: Draws what happens.
        slots: The class of their slots: one with a planted defect breaks a rule.
    """

    def __init__(self, seed: int, slots: type[SharedSlots] = SharedSlots) -> None:
        self.random = Random(seed)
        self.now = 1_000.0
        self.quiet = False
        self.most = 0
        self.done = 0
        self._kind = slots
        self._serving: list[float] = []
        self._nested = False
        self._store = MemoryStore(self._fault)
        self.processes = [self._process() for _ in range(3)]

    def _process(self) -> Process:
        slots = self._kind(LIMIT, name="api", holder=f"p{self.random.getrandbits(60)}", now=lambda: self.now)
        limiter = StoredRateLimiter(
            self._store,
            name="api",
            rate=1_000.0,
            burst=1_000,
            slots=slots,
            now=lambda: self.now,
            sleep=self._pass,
        )
        return Process(slots, limiter)

    def step(self) -> None:
        """Let one thing happen."""
        self._pass(self.random.uniform(0.0, 0.8))
        index = self.random.randrange(len(self.processes))
        process = self.processes[index]
        if not self.quiet:
            luck = self.random.random()
            if luck < 0.02:
                self.processes[index] = self._process()  # killed, and replaced
                return
            if luck < 0.05:
                process.frozen_until = self.now + self.random.uniform(1.0, 40.0)
        self._act(process)

    def _act(self, process: Process) -> None:
        if process.frozen_until > self.now:
            return
        self._finish(process)
        try:
            if process.taken and self.random.random() < 0.7:
                self._call(process)
            elif process.taken and self.random.random() < 0.3:
                process.taken -= 1
                process.slots.give_back()
            else:
                process.taken += process.limiter.take(self.random.randint(0, 2)).granted
        except DependencyError:
            pass

    def _call(self, process: Process) -> None:
        process.taken -= 1
        try:
            process.slots.demand()
        except SlotExpiredError:
            process.slots.give_back()
            raise
        answered = self.quiet or self.random.random() < 0.7
        # A caller gives up after ``call`` seconds; the provider is done ``serving`` seconds later at most.
        ends = self.now + (self.random.uniform(0.1, LIMIT.call) if answered else LIMIT.call)
        process.calls.append(Call(ends, answered))
        self._serving.append(ends if answered else ends + self.random.uniform(0.0, LIMIT.serving))
        self._serving = [until for until in self._serving if until > self.now]
        self.most = max(self.most, len(self._serving))
        self.done += 1

    def _finish(self, process: Process) -> None:
        for call in [call for call in process.calls if call.ends <= self.now]:
            process.calls.remove(call)
            process.slots.give_back(answered=call.answered)

    def _pass(self, seconds: float) -> None:
        self.now += seconds

    def _fault(self, operation: str, _: Sequence[Write]) -> Fault | None:
        """Between a read and its write: others act, the process is frozen; or the store fails."""
        if self.quiet or self._nested:
            return None
        luck = self.random.random()
        if luck < 0.05:
            return Fault.AFTER if operation == "transact" else Fault.BEFORE
        if luck < 0.15:
            self._nested = True
            self._pass(self.random.choice((0.1, 1.0, 15.0)))
            # A process is not asked here while it is taking: its threads take one after another.
            free = [each for each in self.processes if not each.limiter._taking.locked()]
            for each in free:
                self._act(each)
            self._nested = False
        return None

    def left_after_peace(self) -> int:
        """How many slots one process can have once everything has been quiet for a while."""
        self.quiet = True
        for process in self.processes:
            process.frozen_until = 0.0
        for _ in range(3):
            self._pass(LIMIT.life + 1)
            for process in self.processes:
                self._finish(process)
                while process.taken:
                    process.taken -= 1
                    process.slots.give_back()
                process.limiter.take(0)
        return self.processes[0].limiter.take(10).granted
