"""The life of one shard on one worker: a state machine without I/O.

::

    WAITING_ON_PARENTS ─ parents ended ─> INITIALIZING ─ returned ─> PROCESSING <─┐ returned: next batch
            │                                  │                      │   └───────┘
            │                                  │                      │ closed, and all records returned
            │                                  │                      v
            │                                  │           REGISTERING_CHILDREN ─ done ─> ENDING ─ ended ─┐
            │ stop                             │ stop                 │ stop                 │ stop       v
            v                                  v                      v                      v           DONE
        RELEASING <────────────────────── RELEASING <─ returned ─ STOPPING <─────────────────┘            ^
            └─ done ──────────────────────────────────────────────────────────────────────────────────────┘

Anywhere, once the lease is lost: LOSING ─ returned ─> DONE, or DONE at once if the processor
was not called yet, or has been stopped already.

One command is under way at a time, besides the fetching of the next batch: a shard's calls never overlap, and
at most one batch waits while one is processed. What fails is tried again after a pause, with the same batch,
so that nothing is skipped; only a processor that does not react to the stop signal is left behind.
"""

import logging
from dataclasses import dataclass
from enum import Enum, auto

from orderstream.kinesis.shard import Shard
from orderstream_consumer.engines.config import EngineConfig
from orderstream_consumer.engines.embedded.retrieval.calls import RetrievedBatch

logger = logging.getLogger(__name__)


class State(Enum):
    """Where a shard is in its life on this worker."""

    WAITING_ON_PARENTS = auto()
    INITIALIZING = auto()
    PROCESSING = auto()
    REGISTERING_CHILDREN = auto()
    ENDING = auto()
    STOPPING = auto()
    RELEASING = auto()
    LOSING = auto()
    DONE = auto()


class Signal(Enum):
    """Inputs that carry nothing."""

    WOKEN = auto()
    """Time has passed, or the life begins."""
    LEASE_LOST = auto()
    STOP_REQUESTED = auto()
    FAILED = auto()
    """The command under way failed."""


@dataclass(frozen=True, slots=True)
class Completed:
    """The command under way is done.

    Attributes:
        outcome: What it was to find out: for CHECK_PARENTS whether they have ended, for END_SHARD whether
            SHARD_END was checkpointed. True for the others.
    """

    outcome: bool = True


@dataclass(frozen=True, slots=True)
class Fetched:
    """The batch asked for with FETCH is there."""

    batch: RetrievedBatch


Input = Signal | Completed | Fetched


class Action(Enum):
    """Commands that carry nothing."""

    CHECK_PARENTS = auto()
    INITIALIZE = auto()
    FETCH = auto()
    """Read the next batch; beside whatever else is under way."""
    END_SHARD = auto()
    """Call the processor's ``shard_ended``."""
    REQUEST_SHUTDOWN = auto()
    """Call the processor's ``shutdown_requested``."""
    RELEASE = auto()
    """Leave the lease to others."""
    NOTIFY_LOSS = auto()
    """Call the processor's ``lease_lost``."""


@dataclass(frozen=True, slots=True)
class Process:
    """Call the processor's ``process_records``."""

    batch: RetrievedBatch


@dataclass(frozen=True, slots=True)
class RegisterChildren:
    """Create the leases of the children; those that Kinesis named, none if it named none."""

    children: tuple[Shard, ...]


Command = Action | Process | RegisterChildren

_AFTER = {
    State.WAITING_ON_PARENTS: State.INITIALIZING,
    State.INITIALIZING: State.PROCESSING,
    State.PROCESSING: State.PROCESSING,
    State.REGISTERING_CHILDREN: State.ENDING,
    State.ENDING: State.DONE,
    State.STOPPING: State.RELEASING,
    State.RELEASING: State.DONE,
    State.LOSING: State.DONE,
    State.DONE: State.DONE,
}
"""The state that follows when the command of a state is done."""

_ORDERS = {
    State.WAITING_ON_PARENTS: Action.CHECK_PARENTS,
    State.INITIALIZING: Action.INITIALIZE,
    State.ENDING: Action.END_SHARD,
    State.STOPPING: Action.REQUEST_SHUTDOWN,
    State.RELEASING: Action.RELEASE,
    State.LOSING: Action.NOTIFY_LOSS,
}
"""The command of a state, for those that always have the same."""

_LEAVING = {State.STOPPING, State.RELEASING, State.LOSING}
_BEFORE_PROCESSOR = {State.WAITING_ON_PARENTS, State.INITIALIZING}
_WORKING = {State.PROCESSING, State.REGISTERING_CHILDREN, State.ENDING}


class ShardLifecycle:
    """Takes one shard from its parents' end to its own, or until it has to release the shard.

    Args:
        shard_id: The shard, for the log.
        config: Intervals and pauses.

    Attributes:
        state: Where it is.
        wake_at: When to send WOKEN, in seconds of the caller's clock; None if not by itself.
    """

    def __init__(self, shard_id: str, config: EngineConfig) -> None:
        self.state = State.WAITING_ON_PARENTS
        self.wake_at: float | None = None
        self._shard_id = shard_id
        self._config = config
        self._busy = self._fetching = False
        self._lost = self._stopping = False
        self._not_before = float("-inf")
        self._called_at = float("-inf")
        self._processing: RetrievedBatch | None = None
        self._waiting: RetrievedBatch | None = None
        self._millis_behind = 0
        self._closed = False
        self._children: tuple[Shard, ...] = ()

    def on(self, event: Input, now: float) -> list[Command]:
        """Take an input and return what to do."""
        match event:
            case Signal.LEASE_LOST:
                self._lost = True
            case Signal.STOP_REQUESTED:
                self._stopping = True
            case Signal.FAILED:
                self._failed(now)
            case Completed(outcome):
                self._completed(outcome=outcome, now=now)
            case Fetched(batch):
                self._fetched(batch)
            case Signal.WOKEN:
                pass
        return self._proceed(now)

    def _completed(self, *, outcome: bool, now: float) -> None:
        self._busy = False
        if not outcome:
            pauses = {State.WAITING_ON_PARENTS: self._config.parent_poll_interval}
            self._not_before = now + pauses.get(self.state, self._config.retry_pause)
            return
        if self.state in {State.INITIALIZING, State.PROCESSING}:
            self._called_at = now
            self._processing = None
        if (state := _AFTER[self.state]) is not self.state:
            self._enter(state)

    def _failed(self, now: float) -> None:
        if self.state in _LEAVING:
            # We are leaving: what is not written will be done again by the next owner.
            self._completed(outcome=True, now=now)
            return
        self._busy = False
        self._not_before = now + self._config.retry_pause

    def _fetched(self, batch: RetrievedBatch) -> None:
        self._fetching = False
        self._millis_behind = batch.millis_behind_latest
        if batch.closed:
            self._closed = True
            self._children = batch.children
        if batch.records or batch.gap is not None:
            self._waiting = batch

    def _proceed(self, now: float) -> list[Command]:
        self.wake_at = None
        if self.state is State.DONE:
            return []
        commands: list[Command] = []
        if not self._busy:
            self._turn_away()
            if (command := self._next(now)) is not None:
                self._busy = True
                commands.append(command)
        if self._wants_more():
            self._fetching = True
            commands.append(Action.FETCH)
        return commands

    def _turn_away(self) -> None:
        """Leave the usual course if the lease is lost or the worker stops."""
        if self._lost:
            if self.state in {State.WAITING_ON_PARENTS, State.RELEASING}:
                self._enter(State.DONE)
            elif self.state not in {State.LOSING, State.DONE}:
                self._enter(State.LOSING)
        elif self._stopping:
            if self.state in _BEFORE_PROCESSOR:
                self._enter(State.RELEASING)
            elif self.state in _WORKING:
                self._enter(State.STOPPING)

    def _next(self, now: float) -> Command | None:
        if now < self._not_before:
            self.wake_at = self._not_before
            return None
        if self.state is State.PROCESSING:
            return self._next_batch(now)
        if self.state is State.REGISTERING_CHILDREN:
            return RegisterChildren(self._children)
        return _ORDERS.get(self.state)

    def _next_batch(self, now: float) -> Command | None:
        if self._processing is None:
            self._processing, self._waiting = self._waiting, None
        if self._processing is not None:
            return Process(self._processing)
        if self._closed:
            self._enter(State.REGISTERING_CHILDREN)
            return RegisterChildren(self._children)
        due = self._called_at + self._config.idle_call_interval
        if now < due:
            self.wake_at = due
            return None
        self._processing = RetrievedBatch((), self._millis_behind)
        return Process(self._processing)

    def _wants_more(self) -> bool:
        return (
            self.state is State.PROCESSING
            and not (self._fetching or self._closed or self._lost or self._stopping)
            and self._waiting is None
        )

    def _enter(self, state: State) -> None:
        logger.info(
            "shard changes state",
            extra={"shard_id": self._shard_id, "from": self.state.name, "to": state.name},
        )
        self.state = state
        self._not_before = float("-inf")
