"""The port through which everything is measured."""

from typing import Protocol

from orderstream.observability.metrics.metric import Metric


class Meter(Protocol):
    """Takes values. It must be quick, must not raise, and may be called from any thread.

    ``AggregatingMeter`` is the ready one: ``Exporting`` takes what it has put together to CloudWatch,
    Prometheus or OpenTelemetry.
    """

    def record(self, metric: Metric, value: float = 1, *labels: str, times: int = 1) -> None:
        """Record a value of a metric; the metric's kind determines its aggregation.

        Args:
            metric: Its declaration.
            value: The value, in the metric's unit.
            labels: The values of the metric's dimensions, in their order.
            times: How often the value occurred, at least 1.
        """


class NoMeter:
    """Measures nothing."""

    def record(self, metric: Metric, value: float = 1, *labels: str, times: int = 1) -> None:
        """Do nothing."""
