"""What watches: alarms, dashboards, and the logs with the metrics that are in them."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from shard_sizing.model.pipeline.usage import Usage
from shard_sizing.model.template.cloudformation import Resource
from shard_sizing.model.template.priced import Priced

_HIGH_RESOLUTION_SECONDS: Final = 60  # an alarm with a shorter period is one of high resolution
_MONTHS: Final = 12
_YEAR_DAYS: Final = 365
_METRICS_OF_AN_ANOMALY: Final = 3  # the metric and both bounds of its band


def alarm(resource: Resource) -> Priced:
    """An alarm is paid for by its metrics, and more where it looks more often than once a minute."""
    metrics = list(_metrics(resource))
    if any(period is None for period, _ in metrics):
        return Priced(missing=("an alarm on a query: how many metrics it finds is not known",))
    found = []
    for high, name in ((False, "standard"), (True, "high_resolution")):
        number = sum(count for period, count in metrics if (float(period) < _HIGH_RESOLUTION_SECONDS) is high)
        if number:
            words = "high resolution" if high else "standard resolution"
            found.append(Usage("CloudWatch", f"metrics of alarms, {words}", number, f"alarm_{name}_month"))
    return Priced(standing=tuple(found), missing=() if found else ("an alarm without a metric",))


def _metrics(resource: Resource) -> Iterator[tuple[Any, int]]:
    """Each metric of an alarm: its period in seconds, None if it is a query, and how often it is paid for."""
    several = resource.objects("Metrics")
    if not several:
        if resource.get("MetricName") is not None:
            yield resource.number("Period", _HIGH_RESOLUTION_SECONDS), 1
        return
    times = _METRICS_OF_AN_ANOMALY if resource.get("ThresholdMetricId") is not None else 1
    for each in several:
        if isinstance(stat := each.get("MetricStat"), Mapping):
            yield stat.get("Period", _HIGH_RESOLUTION_SECONDS), times
        elif str(each.get("Expression", "")).lstrip().upper().startswith("SELECT"):
            yield None, 1


def composite_alarm(_: Resource) -> Priced:
    """An alarm on alarms."""
    return Priced(standing=(Usage("CloudWatch", "composite alarms", 1.0, "composite_alarm_month"),))


def dashboard(_: Resource) -> Priced:
    """A dashboard."""
    return Priced(standing=(Usage("CloudWatch", "dashboards", 1.0, "dashboard_month"),))


def log_group(resource: Resource) -> Priced:
    """A group by what it takes in and keeps; metrics are written as lines of it."""
    months = min(resource.number("RetentionInDays", _YEAR_DAYS), _YEAR_DAYS) * _MONTHS / _YEAR_DAYS
    taken = (("cloudwatch_logs_gb", 1.0), ("cloudwatch_metric_month", 1.0))
    return Priced(by_use=(*taken, ("cloudwatch_logs_gb_month", months)))


def metric_filter(resource: Resource) -> Priced:
    """A filter makes a metric of each of its transformations."""
    number = len(resource.items("MetricTransformations"))
    return Priced(standing=(Usage("CloudWatch", "metrics of filters", number, "cloudwatch_metric_month"),))


def scaling_policy(resource: Resource) -> Priced:
    """A policy is free; target tracking makes alarms of its own."""
    if resource.get("PolicyType") == "TargetTrackingScaling":
        return Priced(missing=("the alarms that target tracking makes for itself",))
    return Priced(free="a policy is")
