"""Alarms of CloudWatch, one for each that is declared: operators get a mail when it fires, and at its end."""

from collections.abc import Sequence
from typing import Final

from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from orderstream_infra.resources.monitoring.measured import Measured, share_of
from orderstream_workers.runtime.topology import AlarmSpec, Series, Share

PREFIX: Final = "orderstream-"
"""Before the name of each alarm in AWS."""


class Alarms(Construct):
    """Every alarm of the pipeline.

    Args:
        scope: Where they belong.
        specs: Their declarations.
        measured: Where metrics are found.
        topic: ARN of the topic that notifies operators.
        guide: Where the operations guide is: a URL, or a path in the repository.
        silent: Whether they notify nobody, because everything is stopped on purpose.

    Attributes:
        arns: The ARN of each alarm, by its declared name.
    """

    def __init__(
        self,
        scope: Construct,
        specs: Sequence[AlarmSpec],
        *,
        measured: Measured,
        topic: str,
        guide: str,
        silent: bool,
    ) -> None:
        super().__init__(scope, "Alarms")
        self._measured = measured
        self.arns: dict[str, str] = {}
        for spec in specs:
            alarm = cloudwatch.CfnAlarm(
                self,
                spec.name,
                alarm_name=f"{PREFIX}{spec.name}",
                alarm_description=f"{spec.says} Runbook: {guide}#{spec.runbook}",
                actions_enabled=not silent,
                alarm_actions=[topic],
                ok_actions=[topic],
                comparison_operator=spec.comparison,
                threshold=spec.threshold,
                evaluation_periods=spec.periods,
                datapoints_to_alarm=spec.datapoints,
                treat_missing_data=spec.missing,
            )
            match spec.watches:
                case Series():
                    self._watch(alarm, spec.watches, spec.period_seconds)
                case Share():
                    alarm.metrics = [*self._share(spec.watches, spec.period_seconds)]
            self.arns[spec.name] = alarm.attr_arn

    def _watch(self, alarm: cloudwatch.CfnAlarm, series: Series, period: int) -> None:
        alarm.namespace = self._measured.namespace(series.metric)
        alarm.metric_name = series.metric.name
        alarm.dimensions = [
            cloudwatch.CfnAlarm.DimensionProperty(name=name, value=value)
            for name, value in self._measured.dimensions(series.metric).items()
        ]
        alarm.period = period
        if series.statistic.startswith("p"):
            alarm.extended_statistic = series.statistic
        else:
            alarm.statistic = series.statistic

    def _share(self, share: Share, period: int) -> list[cloudwatch.CfnAlarm.MetricDataQueryProperty]:
        ids = {series: f"m{number}" for number, series in enumerate(dict.fromkeys((*share.part, *share.of)))}
        expression = share_of([ids[one] for one in share.part], [ids[one] for one in share.of])
        return [
            cloudwatch.CfnAlarm.MetricDataQueryProperty(id="share", expression=expression, return_data=True),
            *(
                cloudwatch.CfnAlarm.MetricDataQueryProperty(
                    id=called, metric_stat=self._stat(series, period), return_data=False
                )
                for series, called in ids.items()
            ),
        ]

    def _stat(self, series: Series, period: int) -> cloudwatch.CfnAlarm.MetricStatProperty:
        return cloudwatch.CfnAlarm.MetricStatProperty(
            metric=cloudwatch.CfnAlarm.MetricProperty(
                namespace=self._measured.namespace(series.metric),
                metric_name=series.metric.name,
                dimensions=[
                    cloudwatch.CfnAlarm.DimensionProperty(name=name, value=value)
                    for name, value in self._measured.dimensions(series.metric).items()
                ],
            ),
            period=period,
            stat=series.statistic,
        )
