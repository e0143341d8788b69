"""How many tasks of a service run: as many as the work asks for, within bounds."""

from typing import Final

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_ecs as ecs

from orderstream_consumer.processing.metrics import MILLIS_BEHIND_LATEST
from orderstream_workers.runtime.telemetry.metrics import NAMESPACE

_CPU_PERCENT: Final = 60
_LAG_MILLIS: Final = 60_000
_BY: Final = "Application"


def scaled(service: ecs.FargateService, *, most: int, lag_of: str | None) -> None:
    """Add tasks while they are busy or behind, and take them away when neither holds.

    Of the two, whichever asks for more tasks wins, and tasks are taken away only where both agree.

    Args:
        service: What is scaled; it has one task at least.
        most: Tasks at most, at least 1; 1 scales nothing.
        lag_of: The application whose distance from the tip of its stream counts, too: the metric
            ``MillisBehindLatest`` of its worst process. None for what reads no stream.
    """
    if most == 1:
        return
    scaling = service.auto_scale_task_count(min_capacity=1, max_capacity=most)
    scaling.scale_on_cpu_utilization(
        "Busy", target_utilization_percent=_CPU_PERCENT, scale_in_cooldown=Duration.minutes(5)
    )
    if lag_of is not None:
        scaling.scale_to_track_custom_metric(
            "Behind",
            metric=cloudwatch.Metric(
                namespace=NAMESPACE,
                metric_name=MILLIS_BEHIND_LATEST.name,
                dimensions_map={_BY: lag_of},
                statistic="Maximum",
                period=Duration.minutes(1),
            ),
            target_value=_LAG_MILLIS,
            scale_in_cooldown=Duration.minutes(5),
        )
