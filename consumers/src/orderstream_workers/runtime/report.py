"""What ``/health`` of a worker says: the truth about every shard, and counters beside it."""

import datetime as dt
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from orderstream.errors import OrderstreamError
from orderstream_workers.engine.lifecycle import ShardProgress
from orderstream_workers.engine.record import Position

logger = logging.getLogger(__name__)

STALLED_AFTER: Final = dt.timedelta(seconds=90)
"""A shard on which nothing has succeeded for so long is stalled: neither a read nor a call came back well."""


def worker_report(
    application: str,
    stream: str,
    worker_id: str,
    progress: Sequence[ShardProgress],
    figures: Callable[[], Mapping[str, Any]],
    now: dt.datetime,
) -> dict[str, Any]:
    """Say how a worker is doing.

    Args:
        application: The application.
        stream: The stream it reads.
        worker_id: The owner that stands in its leases.
        progress: What the engine says of each shard.
        figures: Gives the application's counters; if it cannot, they are left out.
        now: The time (UTC).

    Returns:
        ``healthy`` is False if any shard is stalled.
    """
    stalled = [
        shard.shard_id
        for shard in progress
        if _is_stalled(shard, now) or shard.standstill is not None or shard.stream_gone
    ]
    return {
        "application": application,
        "stream": stream,
        "healthy": not stalled,
        "worker_id": worker_id,
        "stalled": stalled,
        "shards": [_shown(shard) for shard in progress],
        **figures_or_none(figures),
    }


def _is_stalled(shard: ShardProgress, now: dt.datetime) -> bool:
    return shard.last_success is not None and now - shard.last_success > STALLED_AFTER


def figures_or_none(figures: Callable[[], Mapping[str, Any]]) -> Mapping[str, Any]:
    """Ask for figures, and do without them while what they come from is out of reach."""
    try:
        return figures()
    except OrderstreamError as error:
        # A worker that waits out an outage is healthy, and a probe must not depend on what is down.
        logger.info("no figures for now", extra={"error": str(error)})
        return {}


def _shown(progress: ShardProgress) -> dict[str, Any]:
    checkpoint = progress.checkpoint
    return {
        "shard_id": progress.shard_id,
        "state": progress.state,
        "checkpoint": f"{checkpoint.sequence_number}/{checkpoint.subsequence_number}"
        if isinstance(checkpoint, Position)
        else str(checkpoint),
        "millis_behind_latest": progress.millis_behind_latest,
        "last_success": progress.last_success.isoformat() if progress.last_success else None,
        "foreign_aggregates": progress.foreign_aggregates,
        "corrupt_aggregates": progress.corrupt_aggregates,
        "retention_gaps": progress.retention_gaps,
        "spurious_ends": progress.spurious_ends,
        "standstill": progress.standstill,
        "stream_gone": progress.stream_gone,
    }
