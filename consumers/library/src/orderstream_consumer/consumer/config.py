"""Every setting of a consumer, with its unit, default and range, and what it costs."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from orderstream.configuration import ConfigChecks, ConfigError
from orderstream_consumer.delivery import DeliveryConfig
from orderstream_consumer.engines.config import Engine, EngineConfig
from orderstream_consumer.processing.backoff import Backoff

"""What reads the shards: the engine in pure Python, or Amazon's KCL."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsumerConfig:
    """How a consumer reads, retries, stores and reports.

    Attributes:
        engine: ``"embedded"`` (default) reads in this process, in pure Python. ``"kcl"`` starts Amazon's KCL
            (extra ``kcl``, Java included) and a process for each shard. Both keep the same lease table, so an
            application can change from one to the other, one at a time.
        region_name: AWS region. Default: what boto3 finds, or the region of the stream's ARN.
        initial_position: Where an application without leases begins: ``"TRIM_HORIZON"`` (default), the oldest
            record that the stream keeps, so nothing is missed; ``"LATEST"``, what comes after the first
            start; or a time with a zone (embedded engine only).
        lanes: Keys of one shard that are handled at the same time. Default 8; 1 to 1,000. 1 handles a shard's
            records one after the other. Records of one key never overlap.
        threads: Threads that run handlers, shared by all shards. Default 32; 1 to 1,000.
        retries: Times that a record is tried again after an exception of the handler, before ``on_failure``.
            Default 3; 0 to 1,000. The later records of its key wait meanwhile.
        retry_base_delay: Longest pause before the first of these tries, in seconds; it doubles each time.
            Default 0.2; above 0 to 60.
        retry_max_delay: Longest pause before any of them, in seconds. Default 10; from ``retry_base_delay``
            to 300.
        outages: Exceptions of the handler that say nothing about the record, such as ``ConnectionError``: it
            is tried again for as long as they last, and nothing is put aside. ``DependencyError`` always is
            one. Default none.
        lease_table: Name of the DynamoDB table of the leases. Default: the application's name, as KCL names
            it.
        table_prefix: Put before the names of the application's other tables, ``engines``,
            ``consumed-streams`` and ``parking``. Default: the application's name and a hyphen. Applications
            may share them.
        create_tables: Create the tables that are missing, billed per request, as KCL does. Default True. KCL
            creates its own in any case.
        failover_time: A worker that has not renewed a lease for so long loses it, in seconds. Default 10; 1
            to 3,600. Longer ones survive longer pauses of a process and make a crash cost more.
        idle_between_reads: Pause between two reads of a shard that is caught up, in seconds. Default 1.5; 0
            to 60. All applications share a shard's five reads a second.
        max_records: Records of one read, and so of a batch before aggregates are deaggregated. Default 2,000;
            1 to 10,000, Kinesis' limit.
        drain_timeout: How long a consumer that stops waits for handlers, in seconds. Default 30; above 0 to
            3,600. What is at work after that is delivered again elsewhere. KCL gives its shards 15 s.
        stream_gone_timeout: How long a stream may not exist before the consumer ends with StreamGoneError, in
            seconds. Default None: it waits for the stream, and its health says so. Above 0.
        adopt_new_stream: Where the leases belong to another stream of that name, delete them and start over.
            Default False: the consumer refuses to start. For one start, by a person who knows why.
        ordered: Refuse a stream that spreads the records of a key over shards (record distribution AUTO).
            Default True.
        health_port: TCP port of ``/health``, ``/health/live`` and ``/health/ready``. Default None: none is
            served. 1 to 65,535.
        health_host: Address that they listen on. Default ``"127.0.0.1"``; in a container ``"0.0.0.0"``.
        kcl_properties: Properties of MultiLangDaemon's own, which win over those made from these settings.

    Raises:
        ConfigError: A value is out of range.
    """

    engine: Engine = "embedded"
    region_name: str | None = None
    initial_position: Literal["TRIM_HORIZON", "LATEST"] | dt.datetime = "TRIM_HORIZON"
    lanes: int = 8
    threads: int = 32
    retries: int = 3
    retry_base_delay: float = 0.2
    retry_max_delay: float = 10.0
    outages: tuple[type[Exception], ...] = ()
    lease_table: str | None = None
    table_prefix: str | None = None
    create_tables: bool = True
    failover_time: float = 10.0
    idle_between_reads: float = 1.5
    max_records: int = 2_000
    drain_timeout: float = 30.0
    stream_gone_timeout: float | None = None
    adopt_new_stream: bool = False
    ordered: bool = True
    health_port: int | None = None
    health_host: str = "127.0.0.1"
    kcl_properties: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        checks = ConfigChecks(self)
        checks.one_of("engine", "embedded", "kcl")
        self._check_position()
        checks.within("lanes", 1, 1_000)
        checks.within("threads", 1, 1_000)
        checks.within("retries", 0, 1_000)
        checks.above_zero("retry_base_delay", 60)
        checks.within("retry_max_delay", self.retry_base_delay, 300)
        self._check_outages()
        for name in ("region_name", "lease_table", "table_prefix"):
            checks.text_or_none(name, "the default")
        checks.within("failover_time", 1, 3_600)
        checks.within("idle_between_reads", 0, 60)
        checks.within("max_records", 1, 10_000)
        checks.above_zero("drain_timeout", 3_600)
        if self.stream_gone_timeout is not None:
            checks.above_zero("stream_gone_timeout")
        if self.health_port is not None:
            checks.within("health_port", 1, 65_535)
        for name in ("create_tables", "adopt_new_stream", "ordered"):
            checks.one_of(name, True, False)

    def engine_config(self) -> EngineConfig:
        """The settings as both engines take them."""
        position = self.initial_position
        at = position if isinstance(position, dt.datetime) else None
        return EngineConfig(
            failover_time=self.failover_time,
            initial_position="AT_TIMESTAMP" if isinstance(position, dt.datetime) else position,
            initial_timestamp=at,
            idle_between_reads=self.idle_between_reads,
            max_records=self.max_records,
            shutdown_timeout=self.drain_timeout,
        )

    def delivery_config(self, put_aside_as: str) -> DeliveryConfig:
        """The settings as delivery takes them.

        Args:
            put_aside_as: The event that is counted when a record is put aside.
        """
        return DeliveryConfig(
            max_lanes=self.lanes,
            record_retries=self.retries,
            record_backoff=Backoff(first=self.retry_base_delay, longest=self.retry_max_delay),
            put_aside_as=put_aside_as,
        )

    def _check_position(self) -> None:
        position: object = self.initial_position
        if isinstance(position, dt.datetime):
            if position.tzinfo is None:
                raise ConfigError("initial_position", position, "a time with a zone")
            if self.engine == "kcl":
                allowed = "'TRIM_HORIZON' or 'LATEST' with engine='kcl'"
                raise ConfigError("initial_position", position, allowed)
        elif position not in ("TRIM_HORIZON", "LATEST"):
            allowed = "'TRIM_HORIZON', 'LATEST' or a time with a zone"
            raise ConfigError("initial_position", position, allowed)

    def _check_outages(self) -> None:
        outages: Any = self.outages
        kinds = isinstance(outages, tuple) and all(
            isinstance(kind, type) and issubclass(kind, Exception) for kind in outages
        )
        if not kinds or Exception in outages:
            allowed = "a tuple of classes of exceptions, without Exception itself"
            raise ConfigError("outages", outages, allowed)
