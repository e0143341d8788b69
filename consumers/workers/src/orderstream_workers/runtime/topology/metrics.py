"""The catalogue of metrics: what each process of a pipeline measures, and what that costs in CloudWatch."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from orderstream.observability.metrics.metric import Metric
from orderstream_orders.api.metrics import STATUS_CLASSES
from orderstream_orders.contracts import CANCELLATION_REASONS
from orderstream_workers.runtime.topology.processes import Topology
from orderstream_workers.services.saga.definition import step_names
from orderstream_workers.services.saga.metrics import OTHER

LABELS: Final[Mapping[str, Sequence[str]]] = {
    "Reason": (*CANCELLATION_REASONS, OTHER),
    "Step": step_names(),
    "StatusClass": STATUS_CLASSES,
    "ErrorCode": (),
}
"""The values that each dimension may have; of error codes a month without errors has none."""

USD_A_METRIC: Final = 0.30
"""A custom metric a month, of the first 10,000 (Amazon CloudWatch Pricing, us-east-1, read 2026-11-29)."""


@dataclass(frozen=True, slots=True)
class Measurement:
    """A metric of the catalogue.

    Attributes:
        metric: Its declaration.
        processes: The names of the processes that have it, each in the dimension ``Application``.
    """

    metric: Metric
    processes: tuple[str, ...]

    @property
    def series(self) -> int:
        """How many custom metrics each of the processes makes of it."""
        number = 1
        for dimension in self.metric.dimensions:
            number *= len(LABELS[dimension])
        return number


def catalogue(topology: Topology) -> Iterator[Measurement]:
    """Every metric of a pipeline, once.

    Args:
        topology: The pipeline.
    """
    processes: dict[Metric, list[str]] = {}
    for process in topology.processes:
        for metric in process.measured:
            processes.setdefault(metric, []).append(process.name)
    for metric, names in processes.items():
        yield Measurement(metric, tuple(names))


def custom_metrics(topology: Topology, *, detailed: bool) -> dict[str, int]:
    """How many custom metrics each process makes at most, however many containers it has.

    Args:
        topology: The pipeline.
        detailed: Whether those for a closer look are made, too.
    """
    made = {process.name: 0 for process in topology.processes}
    for measurement in catalogue(topology):
        if measurement.metric.detailed and not detailed:
            continue
        for name in measurement.processes:
            made[name] += measurement.series
    return made
