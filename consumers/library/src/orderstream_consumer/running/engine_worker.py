"""The one place that chooses the engine: both workers behind one interface."""

import datetime as dt
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from orderstream.observability.metrics import AggregatingMeter
from orderstream_consumer.engines.config import Engine, EngineConfig
from orderstream_consumer.engines.embedded.leases import LeaseTable
from orderstream_consumer.engines.embedded.worker import Worker
from orderstream_consumer.engines.kcl import KclWorker
from orderstream_consumer.engines.stream_identity import ConsumedStream
from orderstream_consumer.engines.stream_leases import StreamLeases
from orderstream_consumer.processing.clock import utc_now
from orderstream_consumer.processing.processor import ProcessorFactory
from orderstream_consumer.processing.progress import GivenUp, ShardProgress

if TYPE_CHECKING:
    from mypy_boto3_kinesis import KinesisClient


class EngineWorker(Protocol):
    """What both engines offer: see ``engines.embedded.worker.Worker`` and ``engines.kcl.KclWorker``."""

    worker_id: str
    failure: str | None
    tells_streams_apart: bool
    """Whether it takes a lease that was made for another stream for none; see ``StreamLeases``."""

    @property
    def hole(self) -> str | None:
        """What no lease covers, in words; from any thread."""

    given_up: dict[str, GivenUp]

    @property
    def started(self) -> bool:
        """Whether it has begun to look after shards; from any thread."""

    def run(self) -> None:
        """Work until ``request_shutdown``."""

    def request_shutdown(self) -> None:
        """Drain; from any thread."""

    def progress(self) -> tuple[ShardProgress, ...]:
        """Return the progress of each shard of this worker; from any thread."""

    def counters(self) -> Mapping[str, int]:
        """What processes of its own have counted; empty where it has none; from any thread."""


@dataclass(frozen=True, kw_only=True)
class ShardProcesses:
    """How KCL's daemon and its processes, one for each shard, are started.

    Attributes:
        command: Starts the process of a shard; see ``run_shard_process``.
        region: AWS region.
        environment: Environment of the daemon and of the processes.
        properties: Properties of KCL's own, which win over those made from the settings.
    """

    command: tuple[str, ...]
    region: str
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ)
    properties: Mapping[str, str] = field(default_factory=dict)


def engine_worker(
    application: str,
    stream: str,
    *,
    engine: Engine,
    config: EngineConfig,
    kinesis: "KinesisClient",
    leases: LeaseTable,
    lease_table: str,
    consumed: ConsumedStream,
    processors: ProcessorFactory,
    shard_processes: Callable[[], ShardProcesses],
    meter: AggregatingMeter | None = None,
    clock: Callable[[], dt.datetime] = utc_now,
) -> EngineWorker:
    """The worker of an application on the engine that is asked for.

    Args:
        application: The application's name.
        stream: The stream's name.
        engine: Which engine.
        config: The settings that both engines share.
        kinesis: Reads the stream; KCL has a client of its own.
        leases: The application's leases.
        lease_table: The name of their table.
        consumed: The stream that the leases belong to.
        processors: Makes the processor of each shard; in KCL's processes, they make their own.
        shard_processes: How KCL's processes are started; asked for on that engine only.
        meter: Takes what the engine measures, and what the processes of shards do.
        clock: The time (UTC).

    Raises:
        KclMissingError: The engine is KCL, and the extra is not installed.
    """
    if engine == "embedded":
        return Worker(
            application,
            stream,
            kinesis=kinesis,
            leases=StreamLeases(leases, consumed),
            processors=processors,
            config=config,
            wall_clock=clock,
            meter=meter,
        )
    started = shard_processes()
    return KclWorker(
        application,
        stream,
        lease_table=lease_table,
        shard_command=started.command,
        config=config,
        region=started.region,
        environment=started.environment,
        more=started.properties,
        meter=meter,
    )
