"""The declaration of a metric, as data from which exporters, tables, alarms and bills are made."""

from enum import StrEnum
from typing import Literal

import msgspec

Unit = Literal["Count", "Milliseconds", "Seconds", "Bytes", "None"]
"""CloudWatch's units, those that are used."""


class Kind(StrEnum):
    """How the values of a metric are put together."""

    COUNTER = "counter"
    """Values are added up: how often something happened, or how much of it."""

    GAUGE = "gauge"
    """The last reading counts, with the least and the greatest of the period."""

    DISTRIBUTION = "distribution"
    """Each value counts: how long something took, for percentiles. A value below 0 counts as 0."""


class Metric(msgspec.Struct, frozen=True):
    """The declaration of a metric.

    Attributes:
        name: Its name in CloudWatch; KPL's or KCL's where one of them has such a metric.
        kind: How its values are put together.
        unit: CloudWatch's unit.
        meaning: What it says, for a person who reads a table of metrics.
        dimensions: Names of the dimensions that it has besides its meter's own. Their values come from closed
            lists, such as error codes; ids are never among them: each combination is a custom metric, which
            costs as one.
        detailed: Whether it is for a closer look only: exporters that pay by the metric may leave it out, as
            KPL and KCL do at their level SUMMARY.
    """

    name: str
    kind: Kind
    unit: Unit
    meaning: str
    dimensions: tuple[str, ...] = ()
    detailed: bool = False
