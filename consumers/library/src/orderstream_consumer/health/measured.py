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
    ages = [_checkpoint_age(shard) for shard in shards]
    oldest = max((age for age in ages if age is not None), default=0)
    # A 0 would end an alarm. Without shards, or while one cannot be read, no one knows that nothing waits.
    if oldest or (ages and None not in ages):
        meter.record(CHECKPOINT_AGE, oldest)
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


def _checkpoint_age(shard: Mapping[str, Any]) -> float | None:
    """Since when a shard's checkpoint has not moved although records wait, in seconds; None while unknown."""
    waits: float | None = shard["oldest_unhandled_seconds"]
    moved: float | None = shard["checkpoint_age_seconds"]
    if waits is None:
        return None if shard["millis_behind_latest"] is None else 0.0
    # A shard that was idle has an old checkpoint, and a record that has just come.
    return waits if moved is None else min(waits, moved)
