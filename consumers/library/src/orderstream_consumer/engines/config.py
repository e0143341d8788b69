"""Every knob of the engine, with its unit, default and range."""

import datetime as dt
from dataclasses import dataclass
from typing import Literal

from orderstream.configuration import ConfigChecks

Engine = Literal["embedded", "kcl"]
"""What a stream consumer runs on: our own engine, or Amazon's Kinesis Client Library."""

InitialPosition = Literal["TRIM_HORIZON", "LATEST", "AT_TIMESTAMP"]
WrongShardAggregates = Literal["discard", "deliver"]


@dataclass(frozen=True, kw_only=True, slots=True)
class EngineConfig:
    """Settings of a worker.

    Attributes:
        failover_time: Seconds without a renewal after which a lease is free for others, and after which its
            owner stops. Default 10, at least 0.1. Leases are renewed and looked at three times as often.
        initial_position: Where an application without leases begins. Default TRIM_HORIZON, so nothing is
            missed.
        initial_timestamp: The moment to begin at; needed by, and only by, AT_TIMESTAMP. With a time zone.
        idle_between_reads: Seconds between two reads of a shard that is caught up. Default 1.5, at least 0:
            all polling applications share a shard's five reads a second. Who is further behind reads again at
            once.
        min_between_reads: Seconds between two reads of a shard in any case. Default 0.2, at least 0.
        max_records: Records of one GetRecords call. Default 2,000, from 1 to 10,000 (Kinesis' limit).
        wrong_shard_aggregates: What becomes of an aggregate with a user record outside its shard's hash
            range: discard it whole as KCL does (default; the producer sends it again), or deliver it.
        idle_call_interval: Seconds after which a quiet shard's processor is called without records. Default
            1, above 0.
        parent_poll_interval: Seconds between looks at the parents of a shard that waits for them. Default 2,
            above 0.
        shard_sync_interval: Seconds between comparisons of the listed shards with the leases. Default 60,
            above 0.
        retry_pause: Seconds before something that failed is tried again. Default 1, above 0.
        shutdown_timeout: Seconds that a draining worker waits for its processors. Default 30, above 0. Leases
            that are not released by then are left to expire.
        io_threads: Threads that read from Kinesis. Default 8, at least 1.
        call_threads: Processors that can be inside a call at the same time. Default 64, at least 1.
    """

    failover_time: float = 10.0
    initial_position: InitialPosition = "TRIM_HORIZON"
    initial_timestamp: dt.datetime | None = None
    idle_between_reads: float = 1.5
    min_between_reads: float = 0.2
    max_records: int = 2_000
    wrong_shard_aggregates: WrongShardAggregates = "discard"
    idle_call_interval: float = 1.0
    parent_poll_interval: float = 2.0
    shard_sync_interval: float = 60.0
    retry_pause: float = 1.0
    shutdown_timeout: float = 30.0
    io_threads: int = 8
    call_threads: int = 64

    def __post_init__(self) -> None:
        """Check the ranges."""
        checks = ConfigChecks(self)
        checks.within("failover_time", 0.1)
        checks.within("idle_between_reads", 0)
        checks.within("min_between_reads", 0)
        checks.within("max_records", 1, 10_000)
        checks.within("io_threads", 1)
        checks.within("call_threads", 1)
        for name in (
            "idle_call_interval",
            "parent_poll_interval",
            "shard_sync_interval",
            "retry_pause",
            "shutdown_timeout",
        ):
            checks.above_zero(name)
        if (self.initial_position == "AT_TIMESTAMP") != (self.initial_timestamp is not None):
            raise checks.error("initial_timestamp", "a time with AT_TIMESTAMP, and only with it")
        if self.initial_timestamp is not None and self.initial_timestamp.tzinfo is None:
            raise checks.error("initial_timestamp", "a time with a time zone")

    @property
    def lease_interval(self) -> float:
        """Seconds between renewals, and between looks at the other workers' leases."""
        return self.failover_time / 3
