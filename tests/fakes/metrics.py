"""Metrics as tests see them: what a meter was given, and lines of EMF, checked as they are read."""

import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import jsonschema_rs

from orderstream import Metric

_SCHEMA = json.loads((Path(__file__).parents[2] / "docs" / "emf-schema.json").read_text())
_VALIDATOR = jsonschema_rs.Draft202012Validator(_SCHEMA)


class Recorded:
    """A meter that keeps all it is given."""

    def __init__(self) -> None:
        self.values: dict[tuple[str, ...], list[float]] = defaultdict(list)
        self.metrics: dict[str, Metric] = {}

    def record(self, metric: Metric, value: float = 1, *labels: str, times: int = 1) -> None:
        assert len(labels) == len(metric.dimensions), metric.name
        self.metrics[metric.name] = metric
        self.values[metric.name, *labels] += [value] * times

    def sum(self, name: str, *labels: str) -> float:
        """All that was recorded of a metric, added up."""
        return sum(self.values.get((name, *labels), ()))


def emf(line: str) -> dict[str, Any]:
    """A line of EMF, checked against the specification."""
    read: dict[str, Any] = json.loads(line)
    _VALIDATOR.validate(read)
    assert len(line.encode()) <= 1_000_000
    for directive in read["_aws"]["CloudWatchMetrics"]:
        for metric in directive["Metrics"]:
            assert isinstance(read[metric["Name"]], int | float | list), metric
        for dimensions in directive["Dimensions"]:
            assert all(isinstance(read[name], str) for name in dimensions)
    return read


def emf_sums(lines: list[str], *dimensions: str) -> dict[tuple[str, ...], float]:
    """What the values of each metric in lines of EMF add up to, by its name and the dimensions named here."""
    sums: dict[tuple[str, ...], float] = defaultdict(float)
    for line in map(emf, lines):
        for metric in line["_aws"]["CloudWatchMetrics"][0]["Metrics"]:
            value = line[metric["Name"]]
            key = (metric["Name"], *(line[name] for name in dimensions if name in line))
            sums[key] += sum(value) if isinstance(value, list) else value
    return dict(sums)
