"""Checks whether each dependency of a process responds, from the start and every half minute.

::

              ask responds                      ask fails
    UNKNOWN ──────────────> ANSWERING <──────────────────────> FAILING (reason, since)
       └──────────────────────── ask fails ───────────────────────^

A worker that has nothing to do meets none of its dependencies, so a missing table, bucket or permission would
show only with the first record. The same thread reads the figures that ``/health`` shows, so that a probe
costs no call.
"""

import datetime as dt
import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from orderstream.errors import DependencyError
from orderstream_consumer.processing.log_throttle import LogThrottle
from orderstream_consumer.processing.processor import StopSignal

logger = logging.getLogger(__name__)

ASK_EVERY: Final = dt.timedelta(seconds=30)
"""Between two questions to a dependency that responds."""

ASK_AGAIN: Final = dt.timedelta(seconds=2)
"""Between two questions to one that does not."""

READ_EVERY: Final = dt.timedelta(seconds=10)
"""Between two readings of a figure."""

_LOOK_EVERY: Final = 0.5
"""Seconds between two looks at what is due."""

_WARN_EVERY: Final = 60.0
"""Seconds between two warnings of one dependency."""


@dataclass(frozen=True, slots=True)
class Dependency:
    """Something that a process cannot do its work without.

    Attributes:
        name: Its kind and name, such as ``table orderstream-orders``.
        ask: A cheap call that returns if the dependency responds, and raises if it does not.
    """

    name: str
    ask: Callable[[], object]


@dataclass(frozen=True, slots=True)
class DependencyState:
    """What a dependency said last.

    Attributes:
        name: The dependency.
        watched_since: When it was first to be asked (UTC).
        responded_at: When it last responded (UTC); None before.
        failure: Why it did not respond when it was last asked; None if it did, or was not asked yet.
        asked_at: When it was last asked (UTC); None before.
    """

    name: str
    watched_since: dt.datetime
    responded_at: dt.datetime | None = None
    failure: str | None = None
    asked_at: dt.datetime | None = None

    def due_at(self) -> dt.datetime:
        """When it should be asked next."""
        if self.asked_at is None:
            return self.watched_since
        return self.asked_at + (ASK_EVERY if self.failure is None else ASK_AGAIN)


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure as it was last read.

    Attributes:
        value: The figure; None while it is unknown.
        reason: Why it is unknown.
        due_at: When it should be read next (UTC).
    """

    value: int | None
    reason: str | None
    due_at: dt.datetime


class DependencyWatch:
    """Watches the dependencies and the figures of one process. ``run`` belongs to a thread of its own.

    Args:
        dependencies: What is asked; of several with one name the first.
        gauges: Reads the figures, by name.
        clock: The time (UTC).
    """

    def __init__(
        self,
        dependencies: Sequence[Dependency],
        gauges: Mapping[str, Callable[[], int]],
        clock: Callable[[], dt.datetime],
    ) -> None:
        self._clock = clock
        self._asks = {dependency.name: dependency.ask for dependency in reversed(dependencies)}
        self._gauges = gauges
        now = clock()
        names = dict.fromkeys(dependency.name for dependency in dependencies)
        self._states = {name: DependencyState(name, now) for name in names}
        self._warnings = {name: LogThrottle(_WARN_EVERY) for name in names}
        self._figures = {name: Figure(None, "it was not read yet", now) for name in gauges}
        self._lock = threading.Lock()

    def states(self) -> tuple[DependencyState, ...]:
        """What each dependency said last; from any thread."""
        with self._lock:
            return tuple(self._states.values())

    def figures(self) -> dict[str, Figure]:
        """The figures as they were last read; from any thread."""
        with self._lock:
            return dict(self._figures)

    def run(self, stop: StopSignal) -> None:
        """Ask and read until stopped."""
        while not stop.is_set():
            self.look()
            stop.wait(_LOOK_EVERY)

    def look(self) -> None:
        """Ask and read what is due."""
        for state in self.states():
            if state.due_at() <= self._clock():
                heard = self._ask(state)
                with self._lock:
                    self._states[state.name] = heard
        for name, figure in self.figures().items():
            if figure.due_at <= self._clock():
                read = self._read(name)
                with self._lock:
                    self._figures[name] = read

    def _ask(self, state: DependencyState) -> DependencyState:
        failure = _failure_of(self._asks[state.name])
        now, warnings = self._clock(), self._warnings[state.name]
        fields = {"dependency": state.name}
        if failure is None:
            if warnings.logged:
                logger.info("dependency responds again", extra=fields)
            warnings.reset()
            return replace(state, responded_at=now, asked_at=now, failure=None)
        if warnings.is_due(now.timestamp()):
            logger.warning("dependency does not respond", extra=fields | {"error": failure})
        return replace(state, asked_at=now, failure=failure)

    def _read(self, name: str) -> Figure:
        values: list[int] = []
        failure = _failure_of(lambda: values.append(self._gauges[name]()))
        due_at = self._clock() + READ_EVERY
        return Figure(values[0], None, due_at) if failure is None else Figure(None, failure, due_at)


def _failure_of(act: Callable[[], object]) -> str | None:
    """Why an act failed; None if it did not."""
    try:
        act()
    except DependencyError as error:
        return f"{error.operation}: {error.reason}"
    except Exception as error:  # noqa: BLE001 - whatever it is, it is what /health has to say
        return f"{type(error).__name__}: {error}"
    return None
