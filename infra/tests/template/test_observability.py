"""Alarms and the dashboard: what is declared is deployed, reaches operators, and leads them to the guide."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from aws_cdk import App
from aws_cdk.assertions import Template

from conftest import DEPLOYMENT
from orderstream_infra.declaration import GUIDE, check_alarms
from orderstream_infra.deployment import DeploymentError
from orderstream_infra.stacks.observability import ObservabilityStack
from orderstream_workers.runtime.settings import Settings
from orderstream_workers.runtime.topology import Process, Topology
from orderstream_workers.runtime.topology.alarms import alarms

TEXT = GUIDE.read_text(encoding="utf-8")


@pytest.fixture(params=["standard", "small"])
def resources(request: pytest.FixtureRequest) -> Mapping[str, Any]:
    """The resources of the stack in each size."""
    templates = request.getfixturevalue("templates" if request.param == "standard" else "small")
    found: Mapping[str, Any] = templates["orderstream-observability"]["Resources"]
    return found


def made(resources: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The properties of each alarm, by its name in AWS."""
    found = [one["Properties"] for one in resources.values() if one["Type"] == "AWS::CloudWatch::Alarm"]
    return {one["AlarmName"]: one for one in found}


def test_every_declared_alarm_is_deployed_and_reaches_operators(
    resources: Mapping[str, Any], declared: Topology, settings: Settings
) -> None:
    """With a mail when it fires and one at its end, each of which says what to do first and where to read."""
    found = made(resources)
    assert set(found) == {f"orderstream-{spec.name}" for spec in alarms(declared)}
    for spec in alarms(declared):
        alarm = found[f"orderstream-{spec.name}"]
        assert alarm["AlarmActions"] == alarm["OKActions"] == [settings.operators_topic]
        assert alarm["ActionsEnabled"] is True
        assert alarm["AlarmDescription"] == f"{spec.says} Runbook: docs/operations.md#{spec.runbook}"
        assert len(alarm["AlarmDescription"]) <= 1024
        assert (alarm["Threshold"], alarm["TreatMissingData"]) == (spec.threshold, spec.missing)
        assert (alarm["DatapointsToAlarm"], alarm["EvaluationPeriods"]) == (spec.datapoints, spec.periods)


def test_alarms_watch_the_series_that_processes_write(resources: Mapping[str, Any]) -> None:
    """Namespace and dimensions are those of the EMF lines; a metric of AWS names stream or gateway."""
    found = made(resources)
    behind = found["orderstream-payments-behind"]
    assert (behind["Namespace"], behind["MetricName"]) == ("Orderstream", "MillisBehindLatest")
    assert behind["Dimensions"] == [{"Name": "Application", "Value": "payments"}]
    throttled = found["orderstream-orders-write-throttled"]
    assert throttled["Namespace"] == "AWS/Kinesis"
    assert throttled["Dimensions"] == [{"Name": "StreamName", "Value": "orders"}]
    share, *of = found["orderstream-gateway-failing"]["Metrics"]
    assert share["Expression"] == "100 * SUM([FILL(m0, 0)]) / SUM([FILL(m1, 0)])"
    assert [one["MetricStat"]["Metric"]["MetricName"] for one in of] == ["5xx", "Count"]
    for one in of:
        (dimension,) = one["MetricStat"]["Metric"]["Dimensions"]
        assert dimension["Name"] == "ApiId"
        assert "Fn::ImportValue" in dimension["Value"]


def test_cloudwatch_may_publish_on_the_topic_and_use_its_key(templates: Mapping[str, Any]) -> None:
    """An alarm that must not publish fires in silence: CloudWatch of this account, and no other's."""
    data = templates["orderstream-data"]["Resources"].values()
    ours = {"StringEquals": {"aws:SourceAccount": DEPLOYMENT.account}}
    for kind, document, action in (
        ("AWS::SNS::TopicPolicy", "PolicyDocument", "sns:Publish"),
        ("AWS::KMS::Key", "KeyPolicy", "kms:GenerateDataKey"),
    ):
        (policy,) = (one["Properties"][document] for one in data if one["Type"] == kind)
        (allowed,) = (one for one in policy["Statement"] if one.get("Sid") == "AlarmsPublish")
        assert allowed["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
        assert action in allowed["Action"]
        assert (allowed["Effect"], allowed["Condition"]) == ("Allow", ours)


def body(resources: Mapping[str, Any]) -> dict[str, Any]:
    """The dashboard's body, with the logical id in place of each reference."""
    (dashboard,) = (one for one in resources.values() if one["Type"] == "AWS::CloudWatch::Dashboard")
    text = dashboard["Properties"]["DashboardBody"]["Fn::Join"][1]
    parts = (one if isinstance(one, str) else str(next(iter(one.values()))) for one in text)
    found: dict[str, Any] = json.loads("".join(part.replace("'", "") for part in parts))
    return found


def test_the_dashboard_shows_every_alarm_first(resources: Mapping[str, Any]) -> None:
    """Whoever is called at night sees at the top what is wrong."""
    widgets = body(resources)["widgets"]
    states = [one for one in widgets if one["type"] == "alarm"]
    assert sum(len(one["properties"]["alarms"]) for one in states) == len(made(resources))
    assert max(one["y"] for one in states) < min(one["y"] for one in widgets if one["type"] == "metric")


def test_widgets_stand_beside_each_other(resources: Mapping[str, Any]) -> None:
    """None lies on another or sticks out of the 24 columns, and each graph says its unit."""
    taken: set[tuple[int, int]] = set()
    for one in body(resources)["widgets"]:
        cells = {
            (x, y)
            for x in range(one["x"], one["x"] + one["width"])
            for y in range(one["y"], one["y"] + one["height"])
        }
        assert not cells & taken
        assert max(x for x, _ in cells) < 24
        taken |= cells
        if one["type"] == "metric":
            assert one["properties"]["yAxis"]["left"]["label"]
            assert one["properties"]["title"]


def test_while_everything_is_stopped_nobody_is_called(declared: Topology, settings: Settings) -> None:
    """No heartbeat is to be expected of what was stopped on purpose."""
    stack = ObservabilityStack(
        App(), replace(DEPLOYMENT, stopped=True), declared, settings, gateway="gateway"
    )
    found = made(Template.from_stack(stack).to_json()["Resources"])
    assert {one["ActionsEnabled"] for one in found.values()} == {False}


def test_an_alarm_without_a_section_ends_synthesis(declared: Topology) -> None:
    """With a sentence that names the alarm and the heading that is missing."""
    check_alarms(declared, TEXT)
    without = TEXT.replace("## Stock is negative", "## Stock is low, very")
    with pytest.raises(
        DeploymentError, match=r"stock-negative names the section #stock-is-negative, and oper"
    ):
        check_alarms(declared, without)


def test_an_alarm_on_what_nobody_measures_ends_synthesis(declared: Topology) -> None:
    """With a sentence that names the alarm, the process and the metric."""
    (saga,) = (process for process in declared.processes if process.name == "saga")
    lonely = Process(name="courier", does="drives", alarms=saga.alarms)
    planted = Topology(processes=(lonely,))
    with pytest.raises(
        DeploymentError, match=r"saga-reserve-stock-overdue can never fire: no process is called"
    ):
        check_alarms(planted, TEXT)
