"""What the composition root makes of a service: a processor for each shard, and what runs beside it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from orderstream_consumer.delivery import RecordHandler
from orderstream_consumer.health.watch import Dependency
from orderstream_consumer.processing.processor import ProcessorFactory
from orderstream_consumer.running import Background
from orderstream_workers.runtime.topology import StreamApplication


@dataclass(frozen=True, slots=True)
class Application:
    """A stream consumer, ready to run on an engine.

    Attributes:
        declared: What it is, and what it needs. Its name names its leases, its checkpoints and its parking.
        processors: Makes the processor of each shard.
        background: What runs beside the shards, such as a poller of timers.
        counters: Gives what this process has counted, for ``/health``.
        failure: Returns the last failure in this process; None if there was none recently.
        gauges: Each gives a figure that is true of the application as a whole, whichever process asks.
        dependencies: What it asks by a client of its own whether it responds, such as a database. What is in
            AWS follows from the declaration.
        handler: Carries out one record, for a redrive of what is parked; None where nothing is ever parked.
    """

    declared: StreamApplication
    processors: ProcessorFactory
    background: Sequence[Background] = ()
    counters: Callable[[], Mapping[str, int]] = field(default=dict)
    failure: Callable[[], str | None] = lambda: None
    gauges: Mapping[str, Callable[[], int]] = field(default_factory=dict)
    dependencies: Sequence[Dependency] = ()
    handler: RecordHandler | None = None
