"""Slots: how many calls may be under way at the same time, over all processes that make them.

A holder is a process. What it holds is one row of the limit's item, ``{slots, beat}``: the beat goes up with
every write, and that is how the others see that it lives. A row whose beat another process has not seen move
for a whole ``life``, on its own monotonic clock, is expired, and its slots are free. No time is stored and no
two clocks are compared, so a host whose clock is wrong neither takes a slot early nor keeps one for long.

::

    free ──take──> held ──response, or not used──────────────────────> free
                    │ └──no response──> lingering ──serving seconds──> free
                    └──holder silent for a life (it died, or is frozen)──> free for the others

What the provider counts is what matters, and it works on a call that we have given up: an unanswered call
keeps its slot for as long as the provider may need. For the same reason a holder begins a call only if the
call and what may follow it at the provider are over before anyone can find its row expired. A holder that was
frozen finds that by its own clock when it wakes; its slots stay expired, and it takes new ones once each of
them is given back.

Everything here is a function of what was read, what was asked, and the time.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from orderstream.configuration import ConfigChecks


@dataclass(frozen=True, slots=True)
class SlotLimit:
    """What a provider allows at the same time.

    Attributes:
        at_once: Calls under way at the same time, over all processes; 1 or more.
        call: Seconds after which a caller has given a call up, above 0: all of its timeouts together.
        serving: Seconds that the provider works on at most after its caller has given up, 0 or more.
        life: Seconds after which the slots of a silent holder are free: more than ``call`` and ``serving``
            together, or a slot could be given away under a call.
    """

    at_once: int
    call: float
    serving: float
    life: float

    def __post_init__(self) -> None:
        """Check the ranges."""
        checks = ConfigChecks(self)
        checks.within("at_once", 1)
        checks.above_zero("call")
        checks.within("serving", 0)
        checks.above_zero("life")
        if self.life <= self.call + self.serving:
            raise checks.error("life", f"more than call and serving together ({self.call + self.serving:g})")


@dataclass(frozen=True, slots=True)
class Holding:
    """A holder's row.

    Attributes:
        slots: How many it holds.
        beat: Goes up with every write of its holder.
    """

    slots: int
    beat: int


@dataclass(frozen=True, slots=True)
class SlotPlan:
    """What can be had.

    Attributes:
        room: Slots that may be taken now, 0 or more.
        others: The rows of the other holders that are not expired.
        due: True if the own row is to be written though nothing is taken.
        lost: True if the own slots are others' by now: nothing is to be written until they are given back,
            or they would be taken for good again.
    """

    room: int
    others: Mapping[str, Holding]
    due: bool
    lost: bool = False


class SlotHolder:
    """What one process holds, and what it has seen of the others. For one thread at a time.

    Args:
        name: Of the process, different from every other's, those that ran before included.
        limit: What the provider allows.
    """

    def __init__(self, name: str, limit: SlotLimit) -> None:
        self._name = name
        self._limit = limit
        self._seen: dict[str, tuple[int, float]] = {}
        self._held = 0
        self._lingering: list[float] = []
        self._beat = 0
        self._written_at: float | None = None

    def in_use(self, now: float) -> int:
        """Slots that this process holds: of calls under way, and of those that were given up lately.

        Args:
            now: Seconds on the monotonic clock.
        """
        self._lingering = [until for until in self._lingering if until > now]
        return self._held + len(self._lingering)

    def plan(self, rows: Mapping[str, Holding], now: float) -> SlotPlan:
        """See what can be had.

        Args:
            rows: The rows as they were read, by holder.
            now: Seconds on the monotonic clock, after they were read.
        """
        self._seen = {
            name: seen if (seen := self._seen.get(name)) and seen[0] == row.beat else (row.beat, now)
            for name, row in rows.items()
            if name != self._name
        }
        others = {
            name: rows[name] for name, (_, since) in self._seen.items() if now - since < self._limit.life
        }
        in_use = self.in_use(now)
        room = self._limit.at_once - sum(row.slots for row in others.values()) - in_use
        own = rows.get(self._name)
        if own is None and self._held:
            return SlotPlan(0, others, due=False, lost=True)
        return SlotPlan(max(0, room), others, self._is_due(own.slots if own else 0, in_use, now))

    def rows(self, plan: SlotPlan, taken: int, now: float) -> dict[str, Holding]:
        """The rows to write. Each attempt has a beat of its own: one whose fate is unknown may have happened.

        Args:
            plan: What could be had.
            taken: How many of those are taken.
            now: Seconds on the monotonic clock, before they are written.
        """
        self._beat += 1
        slots = self.in_use(now) + taken
        return {**plan.others, **({self._name: Holding(slots, self._beat)} if slots else {})}

    def written(self, taken: int, began: float) -> None:
        """Note that the rows are written.

        Args:
            taken: Slots that were taken with them.
            began: When the write began, on the monotonic clock: nobody can have seen the beat before.
        """
        self._held += taken
        self._written_at = began

    def give_back(self, now: float, *, answered: bool) -> None:
        """Give one slot back.

        Args:
            now: Seconds on the monotonic clock.
            answered: False where its call got no response, so that the provider may still be at work.
        """
        self._held -= 1
        if not answered:
            self._lingering.append(now + self._limit.serving)

    def may_call(self, now: float) -> bool:
        """Whether a call that begins now is over, at the provider too, before its slot can expire."""
        written = self._written_at
        return written is not None and now + self._limit.call + self._limit.serving <= (
            written + self._limit.life
        )

    def is_due(self, now: float) -> bool:
        """Whether the own row is to be renewed now, though nothing is wanted."""
        written = self._written_at
        return self.in_use(now) > 0 and written is not None and now - written >= self._limit.life / 4

    def _is_due(self, slots: int, in_use: int, now: float) -> bool:
        # What was given back is written with the next permit: by itself only if none comes for a while.
        idle = self._written_at is None or now - self._written_at >= _WRITTEN_ALONE
        return self.is_due(now) or (slots != in_use and idle)


_WRITTEN_ALONE = 1.0
"""Seconds without a write after which slots that were given back are written by themselves."""
