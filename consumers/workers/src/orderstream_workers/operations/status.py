"""Every application in one look, from the tables that its workers write: wherever these can be read.

A lease has no time in it that an observer could trust. Whether its owner lives is seen by looking twice: a
worker writes each of its leases three times in a failover time, on both engines::

    look ──0.4 failover times──> look ── a lease did not move? ──0.7 more──> look
                                  └── none did: that is all

What no table holds is left out: breakers, failures, and the state of a process without leases (the orders
API, the payment worker) are in its own ``/health``.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import msgspec

from orderstream.errors import DependencyError
from orderstream_consumer.delivery import StoredParking
from orderstream_consumer.engines.embedded.leases import Lease
from orderstream_consumer.engines.embedded.lifecycle.shard_sync import hole_in
from orderstream_consumer.engines.ownership import ENGINES
from orderstream_consumer.engines.stream_identity import CONSUMED_STREAMS, StreamIdentity
from orderstream_consumer.store import Item
from orderstream_workers.runtime.discovery import topology
from orderstream_workers.runtime.resources import Resources
from orderstream_workers.runtime.topology import QueueSpec
from orderstream_workers.runtime.topology.pipeline import PAYMENT_QUEUE

_PAUSES: Final = (0.4, 0.7)
"""Failover times between two looks."""

_NAMED: Final = 3
"""Shards that a sentence names."""


class ShardStatus(msgspec.Struct, frozen=True, kw_only=True):
    """An open shard, as its lease shows it.

    Attributes:
        shard_id: The shard.
        owner: The worker that holds it; None if there is none.
        renewed: Whether the owner has written the lease while it was observed.
        checkpoint: How far it is done: a position, or where it begins.
        done_until: Every record that arrived before this time is done (UTC). None where that is not known:
            before a worker has first caught up, and on KCL, which does not write it.
    """

    shard_id: str
    owner: str | None
    renewed: bool
    checkpoint: str
    done_until: dt.datetime | None


class ApplicationStatus(msgspec.Struct, frozen=True, kw_only=True):
    """An application.

    Attributes:
        application: Its name.
        engine: The engine that runs it, or ran it last; None if no worker ever ran.
        running: Whether a worker renewed the engine's ownership while it was observed; None if unknown.
        stream: ARN of the stream that its leases belong to; None before it has one.
        shards: Its open shards.
        ended_shards: How many leases are of shards that are done for good.
        parked: Parked records; None if unknown.
        wrong: What is wrong, a sentence each; empty if nothing is known to be.
    """

    application: str
    engine: str | None
    running: bool | None
    stream: str | None
    shards: tuple[ShardStatus, ...] = ()
    ended_shards: int = 0
    parked: int | None = None
    wrong: tuple[str, ...] = ()

    @property
    def owners(self) -> frozenset[str]:
        """The workers that hold its shards and live."""
        return frozenset(shard.owner for shard in self.shards if shard.owner is not None and shard.renewed)

    @property
    def done_until(self) -> dt.datetime | None:
        """The time before which everything is done on all of its shards; None if one does not report it."""
        known = [shard.done_until for shard in self.shards if shard.done_until is not None]
        return min(known) if known and len(known) == len(self.shards) else None


class QueueStatus(msgspec.Struct, frozen=True, kw_only=True):
    """A queue beside the streams, and its dead letters.

    Attributes:
        queue: What it is called in AWS.
        waiting: Messages in it, hidden and delayed ones included, approximately; None if unknown.
        dead_letters: Messages that were received too often, approximately; None if unknown.
        wrong: What is wrong, a sentence each.
    """

    queue: str
    waiting: int | None
    dead_letters: int | None
    wrong: tuple[str, ...] = ()


class PipelineStatus(msgspec.Struct, frozen=True, kw_only=True):
    """All applications.

    Attributes:
        at: When it was looked at last (UTC).
        applications: By name.
        queues: Every queue that an application or the payment worker works with.
    """

    at: dt.datetime
    applications: tuple[ApplicationStatus, ...]
    queues: tuple[QueueStatus, ...]

    @property
    def healthy(self) -> bool:
        """Whether nothing is known to be wrong, and nothing is unknown for want of a response."""
        wrong = [one.wrong for one in self.applications] + [one.wrong for one in self.queues]
        return not any(wrong)


@dataclass(frozen=True, slots=True)
class Look:
    """An application's tables at one moment.

    Attributes:
        ownership: The item that says which engine owns it; None if no worker ever ran.
        stream: ARN of its stream.
        leases: By shard.
        parked: Parked records.
        failure: Why they could not be read; None if they could.
    """

    ownership: Item | None
    stream: str | None = None
    leases: Mapping[str, Lease] = field(default_factory=dict)
    parked: int | None = None
    failure: str | None = None

    @property
    def open(self) -> list[Lease]:
        """The leases of shards that are not done, by shard."""
        return [lease for _, lease in sorted(self.leases.items()) if not lease.has_ended]


def pipeline_status(resources: Resources, *, behind: dt.timedelta) -> PipelineStatus:
    """Look at every application, for about a failover time at most.

    Args:
        resources: Where the tables and queues are. The failover time must be that of the workers.
        behind: An application that was last known to have done everything longer ago is behind, and wrong.

    Raises:
        TopologyError: an application cannot be read.
        DependencyError: the tables ``engines`` and ``consumed-streams`` cannot be read: nothing is known.
    """
    failover = resources.settings.failover_seconds
    declared = topology(resources.settings)
    names = [application.name for application in declared.applications]
    first = _looks(resources, names)
    last, observed = dict(first), dict.fromkeys(names, 0.0)
    for pause in _PAUSES:
        restless = [name for name in names if not is_conclusive(first[name], last[name])]
        if not restless:
            break
        resources.wait(pause * failover)
        last |= _looks(resources, restless)
        observed |= {name: observed[name] + pause * failover for name in restless}
    now = resources.clock()
    return PipelineStatus(
        at=now,
        applications=tuple(
            judged(name, first[name], last[name], observed=observed[name], behind=behind, now=now)
            for name in names
        ),
        queues=tuple(_queue(resources, queue) for queue in declared.of(QueueSpec)),
    )


def is_conclusive(first: Look, last: Look) -> bool:
    """Whether a further look would show nothing new: all that should have been written has been."""
    if last.ownership is None or last.failure is not None:
        return True
    return _is_running(first, last) and all(_is_renewed(first, lease) for lease in last.open)


def judged(
    application: str, first: Look, last: Look, *, observed: float, behind: dt.timedelta, now: dt.datetime
) -> ApplicationStatus:
    """What two looks say of an application. Pure.

    Args:
        application: Its name.
        first: The first look.
        last: The last one.
        observed: Seconds between them.
        behind: See ``pipeline_status``.
        now: The time (UTC).
    """
    engine = None if last.ownership is None else str(last.ownership.attributes["engine"])
    if last.ownership is None or last.failure is not None:
        return ApplicationStatus(
            application=application,
            engine=engine,
            running=False if last.ownership is None else None,
            stream=last.stream,
            parked=last.parked,
            wrong=("no worker has ever run it here",)
            if last.failure is None
            else (f"unknown: {last.failure}",),
        )
    shards = tuple(
        ShardStatus(
            shard_id=lease.lease_key,
            owner=lease.lease_owner,
            renewed=_is_renewed(first, lease),
            checkpoint=str(lease.checkpoint),
            # KCL leaves what the embedded engine wrote last as it was.
            done_until=lease.done_until if engine == "embedded" else None,
        )
        for lease in last.open
    )
    found = ApplicationStatus(
        application=application,
        engine=engine,
        running=_is_running(first, last),
        stream=last.stream,
        shards=shards,
        ended_shards=len(last.leases) - len(shards),
        parked=last.parked,
    )
    wrong = [*_without_workers(found, observed), *_uncovered(first, last), *_backlog(found, behind, now)]
    return msgspec.structs.replace(found, wrong=tuple(wrong))


def _without_workers(found: ApplicationStatus, observed: float) -> list[str]:
    if not found.running:
        return [f"no worker runs: no {found.engine} worker has renewed its ownership for {observed:.0f} s"]
    if not found.shards:
        return ["a worker runs, and has no lease of an open shard"]
    left = [shard.shard_id for shard in found.shards if not shard.renewed]
    if not left:
        return []
    more = f" and {len(left) - _NAMED} more" if len(left) > _NAMED else ""
    named = ", ".join(left[:_NAMED]) + more
    return [f"no worker holds {named}: its lease has not been renewed for {observed:.0f} s"]


def _uncovered(first: Look, last: Look) -> list[str]:
    """A hole that two looks show; leases without ranges do not show it."""
    ranged = all(lease.hash_range is not None for look in (first, last) for lease in look.open)
    if not ranged or not last.open or hole_in(first.open, ()) is None:
        return []
    hole = hole_in(last.open, ())
    return [] if hole is None else [f"no lease covers the hash keys from {hole.start} to {hole.end}"]


def _backlog(found: ApplicationStatus, behind: dt.timedelta, now: dt.datetime) -> list[str]:
    late = [
        f"{shard.shard_id} has not caught up for {(now - shard.done_until).total_seconds():.0f} s"
        for shard in found.shards
        if shard.done_until is not None and now - shard.done_until > behind
    ]
    more = f" (and {len(late) - 1} more shards)" if len(late) > 1 else ""
    said = [f"{late[0]}{more}"] if late else []
    if found.parked:
        said.append(f"{found.parked} records are parked: `orderstream dlq list` says why")
    return said


def _is_running(first: Look, last: Look) -> bool:
    if first.ownership is None or last.ownership is None:
        return last.ownership is not None  # it was made while we looked
    return first.ownership.version != last.ownership.version


def _is_renewed(first: Look, lease: Lease) -> bool:
    before = first.leases.get(lease.lease_key)
    counted = before is None or before.lease_counter != lease.lease_counter
    return lease.lease_owner is not None and counted


def _looks(resources: Resources, applications: Sequence[str]) -> dict[str, Look]:
    ownerships = resources.store.get_many(ENGINES.name, applications)
    streams = resources.store.get_many(CONSUMED_STREAMS.name, applications)
    return {name: _look(resources, name, ownerships.get(name), streams.get(name)) for name in applications}


def _look(resources: Resources, application: str, ownership: Item | None, stream: Item | None) -> Look:
    """Look at one application; its own failure does not hide the others."""
    noted = None if stream is None else StreamIdentity.noted(stream)
    arn = None if noted is None else noted.arn
    try:
        parked = StoredParking(resources.store, application, resources.clock).count()
        # Its first worker makes the table of leases.
        leases = () if ownership is None else resources.leases(application).list_leases()
    except DependencyError as error:
        return Look(ownership, arn, failure=f"{error.operation}: {error.reason}")
    own = {
        lease.lease_key: lease
        for lease in leases
        if noted is None
        or lease.stream in (None, noted.text)  # others are deleted by the next worker that looks
    }
    return Look(ownership, arn, own, parked)


def _queue(resources: Resources, declared: QueueSpec) -> QueueStatus:
    queue = resources.settings.name_of(declared)
    try:
        waiting = resources.queue_depth(queue)()
        dead = resources.queue_depth(declared.dead_letters_of(queue))()
    except DependencyError as error:
        wrong = f"unknown: {error.operation}: {error.reason}"
        return QueueStatus(queue=queue, waiting=None, dead_letters=None, wrong=(wrong,))
    if not dead:
        return QueueStatus(queue=queue, waiting=waiting, dead_letters=0)
    wrong = (
        f"{dead} payments are dead letters: `orderstream dlq list` names their orders"
        if declared == PAYMENT_QUEUE
        else f"{dead} messages are dead letters, in {declared.dead_letters_of(queue)}"
    )
    return QueueStatus(queue=queue, waiting=waiting, dead_letters=dead, wrong=(wrong,))
