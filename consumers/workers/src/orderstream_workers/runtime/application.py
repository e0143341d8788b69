"""What the composition root makes of a service: a processor for each shard, and what runs beside it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from orderstream_consumer.delivery import RecordHandler
from orderstream_consumer.health.watch import Dependency
from orderstream_consumer.processing.processor import ProcessorFactory
from orderstream_consumer.running import Background


@dataclass(frozen=True, slots=True)
class Application:
    """A stream consumer, ready to run on an engine.

    Attributes:
        name: Names its leases, its checkpoints and its parking.
        processors: Makes the processor of each shard.
        background: What runs beside the shards, such as a poller of timers.
        counters: Gives what this process has counted, for ``/health``.
        failure: Gives what failed last in this process; None if nothing did of late.
        gauges: Each gives a figure that is true of the application as a whole, whichever process asks.
        dependencies: What it cannot work without, besides what the engine needs.
        handler: Carries out one record, for a redrive of what is parked; None where nothing is ever parked.
        stream: The Kinesis stream it reads; None for the stream of messages, ``Settings.stream``.
        initial_position: Where it begins while it has no leases: at the oldest record that is kept (the
            default, so that nothing is missed), or at what comes after its first start.
        ordered: Whether it needs the records of a key in order, the default. It refuses a stream that places
            records itself then (AUTO): there one key has records on several shards, and what is parked on one
            of them holds back nothing on the others.
    """

    name: str
    processors: ProcessorFactory
    background: Sequence[Background] = ()
    counters: Callable[[], Mapping[str, int]] = field(default=dict)
    failure: Callable[[], str | None] = lambda: None
    gauges: Mapping[str, Callable[[], int]] = field(default_factory=dict)
    dependencies: Sequence[Dependency] = ()
    handler: RecordHandler | None = None
    stream: str | None = None
    initial_position: Literal["TRIM_HORIZON", "LATEST"] = "TRIM_HORIZON"
    ordered: bool = True
