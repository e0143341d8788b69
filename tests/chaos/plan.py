"""What goes wrong in a run, and when: a function of the seed, so that the seed replays it."""

from dataclasses import dataclass
from enum import StrEnum
from random import Random


class Trouble(StrEnum):
    """What can happen to the pipeline from outside."""

    KILL = "kill"
    """SIGKILL, and a new process of the same kind at once."""
    FREEZE = "freeze"
    """SIGSTOP for longer than its leases last while another process of its kind takes over, then SIGCONT."""
    DOUBLE = "double"
    """Twice as many shards."""
    HALVE = "halve"
    """Half as many shards."""


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happens.

    Attributes:
        after: Seconds since the one before.
        trouble: What happens.
        target: The process that it happens to; empty where it is the stream.
    """

    after: float
    trouble: Trouble
    target: str = ""


def plan_of(seed: int, processes: list[str], seconds: float) -> list[Event]:
    """Make the plan of a run.

    Args:
        seed: The same seed gives the same plan.
        processes: What can be killed.
        seconds: How long trouble lasts; afterwards the pipeline is left in peace, and has to drain.
    """
    random = Random(seed)
    events: list[Event] = []
    doubled = False
    passed = 0.0
    while passed < seconds:
        after = random.uniform(0.5, 3.0)
        passed += after
        draw = random.random()
        if draw < 0.75:
            events.append(Event(after, Trouble.KILL, random.choice(processes)))
        elif draw < 0.9:
            events.append(Event(after, Trouble.FREEZE, random.choice(processes)))
        else:
            events.append(Event(after, Trouble.HALVE if doubled else Trouble.DOUBLE))
            doubled = not doubled
    return events
