"""The processes of a pipeline, and the pipeline as the sum of them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal, TypeVar

from orderstream.errors import OrderstreamError
from orderstream.observability.metrics.metric import Metric
from orderstream.producer.metrics import PRODUCER_METRICS
from orderstream_consumer.delivery import PARKING
from orderstream_consumer.engines.ownership import ENGINES
from orderstream_consumer.engines.stream_identity import CONSUMED_STREAMS
from orderstream_consumer.processing.metrics import (
    CONSUMER_METRICS,
    HEALTHY,
    OVERTOOK,
    PARKED,
    RECORDS_HANDED_OVER,
    RECORDS_PARKED,
)
from orderstream_consumer.store.protocol import TableSpec
from orderstream_workers.runtime.topology.alarm_spec import AlarmSpec
from orderstream_workers.runtime.topology.specs import LeasesSpec, Resource, StreamSpec

ORDERS: Final = StreamSpec("orders", setting="stream")
"""The stream of messages, by which the services of the pipeline talk to each other."""

Kind = TypeVar("Kind", bound=Resource)


class TopologyError(OrderstreamError):
    """What is declared does not fit together, or cannot be read.

    Args:
        reason: What is wrong, and where.
    """

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(f"{reason}; correct the declaration and start again")


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """A process that runs for as long as the pipeline does.

    Attributes:
        name: What a person calls it.
        does: What it does, in a few words.
        needs: What it cannot work without, besides streams.
        looks_up: Tables of others that it reads and never writes.
        writes: The streams that it puts records into.
        settings: Fields of ``Settings`` that are its own business, besides those that name what it needs
            and those that every process reads.
        serves: ``http`` where requests come in, on a port that the command names; ``health`` where only
            ``/health`` is served, on the port of the setting ``health_port``.
        metrics: What it measures of its own, beside what every process of its kind does.
        alarms: Its own alarms, beside those that every process of its kind has.
    """

    name: str
    does: str
    needs: tuple[Resource, ...] = ()
    looks_up: tuple[TableSpec, ...] = ()
    writes: tuple[StreamSpec, ...] = ()
    settings: tuple[str, ...] = ()
    serves: Literal["health", "http"] = "health"
    metrics: tuple[Metric, ...] = ()
    alarms: tuple[AlarmSpec, ...] = ()

    @property
    def command(self) -> tuple[str, ...]:
        """What follows ``orderstream`` on its command line."""
        return (self.name,)

    @property
    def resources(self) -> tuple[Resource, ...]:
        """Everything that it cannot work without, each once."""
        return tuple(dict.fromkeys((*self.writes, *self.needs, *self.looks_up)))

    @property
    def measured(self) -> tuple[Metric, ...]:
        """Everything that it measures, each with its name in the dimension ``Application``."""
        return (*self.metrics, HEALTHY, *(PRODUCER_METRICS if self.writes else ()))


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamApplication(Process):
    """An application that consumes a stream, on either engine, in any number of processes.

    Attributes:
        reads: The stream.
        initial_position: Where it begins while it has no leases: at the oldest record that is kept (the
            default, so that nothing is missed), or at what comes after its first start.
        ordered: Whether it needs the records of a key in order, the default. If so, it refuses a stream
            that distributes records itself (AUTO): there one key has records on several shards, and what is
            parked on one of them holds back nothing on the others.
        parks: Whether a record that fails by itself is parked, the default.
    """

    reads: StreamSpec = ORDERS
    initial_position: Literal["TRIM_HORIZON", "LATEST"] = "TRIM_HORIZON"
    ordered: bool = True
    parks: bool = True

    @property
    def command(self) -> tuple[str, ...]:
        """See ``Process.command``."""
        return ("worker", self.name)

    @property
    def leases(self) -> LeasesSpec:
        """Where its leases and checkpoints are."""
        return LeasesSpec(self.name)

    @property
    def resources(self) -> tuple[Resource, ...]:
        """See ``Process.resources``; its leases are not among them, since its engine asks for them itself."""
        parking = (PARKING,) if self.parks else ()
        engine = (self.reads, ENGINES, CONSUMED_STREAMS, *parking)
        return tuple(dict.fromkeys((*engine, *self.writes, *self.needs, *self.looks_up)))

    @property
    def measured(self) -> tuple[Metric, ...]:
        """See ``Process.measured``."""
        never = {RECORDS_HANDED_OVER} | (set() if self.parks else {PARKED, RECORDS_PARKED, OVERTOOK})
        consumed = (metric for metric in CONSUMER_METRICS if metric not in never)
        return tuple(dict.fromkeys((*self.metrics, *consumed, *(PRODUCER_METRICS if self.writes else ()))))


@dataclass(frozen=True, slots=True, kw_only=True)
class Topology:
    """A whole pipeline.

    Attributes:
        processes: Everything that runs.
        operated: What the commands of operators need besides.

    Raises:
        TopologyError: two processes have one name, or two different resources of a kind have one.
    """

    processes: tuple[Process, ...]
    operated: tuple[Resource, ...] = ()

    def __post_init__(self) -> None:
        """Check that a name means one thing."""
        names = [process.name for process in self.processes]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise TopologyError(f"two processes are called {twice[0]}")
        known: dict[tuple[type, str], tuple[Resource, str]] = {}
        for owner, resource in self._declared():
            first, by = known.setdefault((type(resource), resource.name), (resource, owner))
            if first != resource:
                raise TopologyError(f"{owner} declares {resource}, and {by} declares {first}")

    @property
    def applications(self) -> tuple[StreamApplication, ...]:
        """Those that consume a stream."""
        return tuple(one for one in self.processes if isinstance(one, StreamApplication))

    @property
    def resources(self) -> tuple[Resource, ...]:
        """All resources that any process needs, each once."""
        return tuple(dict.fromkeys(resource for _, resource in self._declared()))

    def of(self, kind: type[Kind]) -> tuple[Kind, ...]:
        """All resources of a kind that any process needs, each once.

        Args:
            kind: Such as ``QueueSpec``.
        """
        return tuple(resource for resource in self.resources if isinstance(resource, kind))

    def users(self, resource: Resource) -> tuple[str, ...]:
        """The names of the processes that cannot work without something."""
        return tuple(process.name for process in self.processes if resource in process.resources)

    def readers(self, stream: StreamSpec) -> tuple[str, ...]:
        """The names of the applications that consume a stream."""
        return tuple(application.name for application in self.applications if application.reads == stream)

    def _declared(self) -> Iterator[tuple[str, Resource]]:
        for process in self.processes:
            for resource in process.resources:
                yield process.name, resource
                if isinstance(resource, StreamSpec) and resource.captures is not None:
                    yield process.name, resource.captures
        for resource in self.operated:
            yield "the operators' commands", resource
