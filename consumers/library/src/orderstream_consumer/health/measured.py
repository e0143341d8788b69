"""What a report of ``/health`` says, as metrics: one truth, read before each collection."""

from collections.abc import Mapping
from typing import Any

from orderstream.observability.metrics import Meter
from orderstream_consumer.health.watch import Figure
from orderstream_consumer.processing.metrics import (
    CHECKPOINT_AGE,
    CORRUPT_AGGREGATES,
    CURRENT_LEASES,
    HEALTHY,
    MILLIS_BEHIND_LATEST,
    PARKED,
    RETENTION_GAPS,
    WRONG_SHARD_AGGREGATES,
)


def measure_report(report: Mapping[str, Any], figures: Mapping[str, Figure], meter: Meter) -> None:
    """Record a worker's state.

    Args:
        report: See ``worker_report``.
        figures: What is true of the application as a whole.
        meter: Takes the figures; what is unknown is not recorded.
    """
    shards = report["shards"]
    meter.record(HEALTHY, int(report["healthy"]))
    meter.record(CURRENT_LEASES, len(shards))
    if shards and (lag := report["millis_behind_latest"]) is not None:
        meter.record(MILLIS_BEHIND_LATEST, lag)
    # A shard that was idle has an old checkpoint, and a record that has just come.
    waits = [
        (shard["oldest_unhandled_seconds"], shard["checkpoint_age_seconds"])
        for shard in shards
        if shard["oldest_unhandled_seconds"] is not None
    ]
    ages = [oldest if moved is None else min(oldest, moved) for oldest, moved in waits]
    meter.record(CHECKPOINT_AGE, max(ages, default=0))
    for metric, number in (
        (RETENTION_GAPS, report["retention_gaps"]),
        (CORRUPT_AGGREGATES, sum(shard["corrupt_aggregates"] for shard in shards)),
        (WRONG_SHARD_AGGREGATES, sum(shard["wrong_shard_aggregates"] for shard in shards)),
    ):
        if number:  # a metric costs from its first figure on
            meter.record(metric, number)
    parked = figures.get("parked")
    if parked is not None and parked.value is not None:
        meter.record(PARKED, parked.value)
