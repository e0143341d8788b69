"""Metrics as CloudWatch names them: namespace, name and dimensions, and expressions over several of them."""

from collections.abc import Sequence
from dataclasses import dataclass

from orderstream_workers.runtime.settings import Settings
from orderstream_workers.runtime.telemetry.metrics import NAMESPACE
from orderstream_workers.runtime.topology import AwsMetric, Gateway, OwnMetric, QueueSpec, StreamSpec


@dataclass(frozen=True, slots=True)
class Measured:
    """Where a metric is found in CloudWatch.

    Attributes:
        settings: Say how streams and queues are called.
        gateway: The id of the gateway.
    """

    settings: Settings
    gateway: str

    def namespace(self, metric: OwnMetric | AwsMetric) -> str:
        """The namespace of a metric."""
        return NAMESPACE if isinstance(metric, OwnMetric) else metric.namespace

    def dimensions(self, metric: OwnMetric | AwsMetric) -> dict[str, str]:
        """The dimensions of a metric, by their names."""
        if isinstance(metric, OwnMetric):
            return metric.dimensions
        match metric.of:
            case StreamSpec():
                return {"StreamName": self.settings.name_of(metric.of)}
            case QueueSpec():
                return {"QueueName": self.settings.name_of(metric.of)}
            case Gateway():
                return {"ApiId": self.gateway}


def sum_of(ids: Sequence[str]) -> str:
    """An expression that adds metrics up; one without a value, or that never had one, counts as 0.

    Args:
        ids: Their ids.
    """
    return f"SUM([{', '.join(f'FILL({one}, 0)' for one in ids)}])"


def share_of(part: Sequence[str], of: Sequence[str]) -> str:
    """An expression for metrics in percent of others; without a value where these add up to 0.

    Args:
        part: The ids of what is counted.
        of: The ids of all of it.
    """
    return f"100 * {sum_of(part)} / {sum_of(of)}"
