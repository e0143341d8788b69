"""What a producer tells about itself, once for each Kinesis record and not for each user record."""

import logging
from typing import Protocol

logger = logging.getLogger(__name__)


class ProducerMetrics(Protocol):
    """Counts what happens, in the producer's own thread: it must be quick and must not raise.

    Ready ones: ``orderstream.observability.metrics`` for CloudWatch, OpenTelemetry and Prometheus.
    """

    def attempted(
        self, shard_id: str, user_records: int, size: int, seconds: float, error_code: str | None
    ) -> None:
        """A Kinesis record came back from a PutRecords call.

        Args:
            shard_id: Where it was bound for.
            user_records: How many user records it carries.
            size: Its data and partition key, in bytes.
            seconds: How long the call took.
            error_code: Why it must be sent again or is given up; None if all is well. ``WrongShard`` for an
                aggregate that landed in a shard where consumers drop it.
        """

    def completed(self, shard_id: str | None, user_records: int, size: int, seconds: float) -> None:
        """User records have their outcome.

        Args:
            shard_id: The shard that has them; None if they were given up.
            user_records: How many.
            size: Their payloads and partition keys, in bytes.
            seconds: How long ago the oldest of them was put.
        """


class NoMetrics:
    """Tells nobody."""

    def attempted(
        self, shard_id: str, user_records: int, size: int, seconds: float, error_code: str | None
    ) -> None:
        """Do nothing."""

    def completed(self, shard_id: str | None, user_records: int, size: int, seconds: float) -> None:
        """Do nothing."""


class GuardedMetrics:
    """Keeps what a metrics hook raises from stopping the producer: it is logged.

    Args:
        metrics: The application's hook.
    """

    def __init__(self, metrics: ProducerMetrics) -> None:
        self._metrics = metrics

    def attempted(
        self, shard_id: str, user_records: int, size: int, seconds: float, error_code: str | None
    ) -> None:
        """Pass it on."""
        try:
            self._metrics.attempted(shard_id, user_records, size, seconds, error_code)
        except BaseException:
            logger.exception("a metrics hook failed")

    def completed(self, shard_id: str | None, user_records: int, size: int, seconds: float) -> None:
        """Pass it on."""
        try:
            self._metrics.completed(shard_id, user_records, size, seconds)
        except BaseException:
            logger.exception("a metrics hook failed")
