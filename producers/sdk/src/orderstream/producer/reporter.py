"""Logs failures, in sentences that are clear without a formatter."""

import datetime as dt
import logging
from collections.abc import Callable
from time import time

from orderstream.producer.core.troubles import TroubleReport
from orderstream.producer.requests.target import Target

logger = logging.getLogger("orderstream.producer")


class Reporter:
    """Writes a producer's log.

    Args:
        target: The stream.
        waiting: Describes what waits, such as ``"records that wait: 12 (3400 of 33554432 bytes)"``.
        clock: Seconds since the epoch.
    """

    def __init__(self, target: Target, waiting: Callable[[], str], clock: Callable[[], float] = time) -> None:
        self._target = target
        self._waiting = waiting
        self._clock = clock

    def trouble(self, report: TroubleReport, now: float) -> None:
        """Report that calls fail, or that they succeed again.

        Args:
            report: What there is to say.
            now: The time of the report's own clock, in seconds.
        """
        lasted = now - report.since
        # For programs; the sentence says the same to a person.
        fields = {
            "stream": self._target.name,
            "operation": report.operation,
            "code": report.failure.code,
            "failures": report.failures,
            "failing_shards": report.shards,
        }
        if report.over:
            logger.info(
                "%s on %s succeeds again, after %.1f s and %s with %s",
                report.operation,
                self._target,
                lasted,
                _number(report.failures, "failure"),
                report.failure.code,
                extra=fields,
            )
            return
        since = dt.datetime.fromtimestamp(self._clock() - lasted, dt.UTC).isoformat(timespec="seconds")
        concerned = f" for {_number(report.shards, 'shard')}" if report.shards else ""
        logger.warning(
            "%s on %s fails%s: %s; %s since %s (%.1f s); %s",
            report.operation,
            self._target,
            concerned,
            report.failure,
            _number(report.failures, "failure"),
            since,
            lasted,
            self._waiting(),
            extra=fields,
        )

    def given_up(self, records: int, reason: str) -> None:
        """Report that records were given up."""
        logger.warning("%s given up, bound for %s: %s", _number(records, "record"), self._target, reason)


def _number(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
