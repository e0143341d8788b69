"""Alarms follow from what is declared: none that a process ought to have is missing, and each can fire."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from orderstream_consumer.processing.metrics import MILLIS_BEHIND_LATEST, PARKED, RENEW_LEASE_TIME
from orderstream_workers.runtime.discovery import topology
from orderstream_workers.runtime.guide import anchors
from orderstream_workers.runtime.settings import Settings
from orderstream_workers.runtime.topology import (
    AlarmSpec,
    AwsMetric,
    Gateway,
    OwnMetric,
    Process,
    QueueSpec,
    Series,
    Share,
    StreamApplication,
    StreamSpec,
    Topology,
)
from orderstream_workers.runtime.topology.alarms import alarms, alarms_of, faults_in
from orderstream_workers.services.saga.definition import step_names
from orderstream_workers.services.saga.metrics import SAGA_OVERDUE

PIPELINE = topology(Settings())

FILE = """
from orderstream_workers.runtime.topology import StreamApplication

DECLARATION = StreamApplication(name="gift-desk", does="nothing")


def build(resources):
    return resources.in_lanes(DECLARATION, {})
"""


def alarm(name: str, **other: Any) -> AlarmSpec:
    """An alarm on the lag of an application called a, changed as asked."""
    usual: dict[str, Any] = {
        "about": "a",
        "says": "a is behind: look at it",
        "runbook": "an-application-falls-behind",
        "watches": Series(OwnMetric(MILLIS_BEHIND_LATEST, "a"), "Maximum"),
        "comparison": "GreaterThanThreshold",
        "threshold": 1,
        "because": "it is a test",
    }
    return AlarmSpec(name=name, **(usual | other))


def test_a_process_that_is_one_file_has_its_alarms(tmp_path: Path) -> None:
    """Heartbeat, lag, checkpoint, breaker, retention and parked records, without a line of its own."""
    (tmp_path / "gift_desk.py").write_text(FILE)
    added = topology(Settings(applications_folder=str(tmp_path)))
    new = {each.name for each in alarms(added)} - {each.name for each in alarms(PIPELINE)}
    kinds = (
        "behind",
        "breaker-open",
        "parked",
        "records-expired",
        "retention-half-used",
        "stuck",
        "unhealthy",
    )
    assert sorted(new) == [f"gift-desk-{kind}" for kind in kinds]
    assert list(faults_in(added)) == []


def test_only_what_parks_has_an_alarm_on_parked_records() -> None:
    """The archiver and order status park nothing: their alarm could never fire."""
    parking = {each.about for each in alarms(PIPELINE) if each.name.endswith("-parked")}
    assert parking == {application.name for application in PIPELINE.applications if application.parks}


@pytest.mark.parametrize("process", PIPELINE.processes, ids=lambda process: process.name)
def test_a_process_that_is_gone_is_noticed(process: Process) -> None:
    """It measures nothing any more, so missing figures breach."""
    (heartbeat,) = (each for each in alarms_of(process) if each.name == f"{process.name}-unhealthy")
    assert (heartbeat.missing, heartbeat.threshold) == ("breaching", 1)


def test_every_step_that_can_be_overdue_has_an_alarm() -> None:
    """A step that is added to the saga is watched from its first day."""
    watched = {
        series.metric.labels
        for each in alarms(PIPELINE)
        for series in each.series
        if isinstance(series.metric, OwnMetric) and series.metric.metric == SAGA_OVERDUE
    }
    assert watched == {(step,) for step in step_names()}


def test_retention_counts_for_the_stream_that_is_read() -> None:
    """Half of what that stream keeps, whatever it keeps."""
    brief = StreamApplication(name="a", does="a", reads=StreamSpec("brief", retention_hours=48))
    (half,) = (each for each in alarms_of(brief) if each.name == "a-retention-half-used")
    assert half.threshold == 24 * 3_600_000


def test_the_pipelines_alarms_can_all_fire() -> None:
    """Each watches what is measured, each has a name of its own, and each says something."""
    assert list(faults_in(PIPELINE)) == []
    for each in alarms(PIPELINE):
        assert each.says.endswith(".")
        assert ": " in each.says  # what is wrong, then what to do first
        assert each.because


@pytest.mark.parametrize(
    ("watches", "reason"),
    [
        (Series(OwnMetric(MILLIS_BEHIND_LATEST, "b"), "Maximum"), "no process is called b"),
        (Series(OwnMetric(SAGA_OVERDUE, "a", ("x",)), "Sum"), "a does not measure SagaOverdue"),
        (Series(OwnMetric(PARKED, "a"), "Maximum"), "a does not measure Parked"),
        (Series(OwnMetric(RENEW_LEASE_TIME, "a"), "p99"), "RenewLease.Time is detailed"),
        (Series(AwsMetric("AWS/SQS", "Sent", "Count", QueueSpec("q")), "Sum"), "the pipeline has no q"),
        (Series(AwsMetric("AWS/ApiGateway", "5xx", "Count", Gateway("a")), "Sum"), "no gateway of a"),
        (Share((Series(OwnMetric(PARKED, "a"), "Sum"),), ()), "a does not measure Parked"),
    ],
)
def test_an_alarm_that_could_never_fire_is_named(watches: Any, reason: str) -> None:
    """A misspelt process, a metric that the process has not: CloudWatch would take it and stay silent."""
    process = StreamApplication(name="a", does="a", parks=False, alarms=(alarm("a-silent", watches=watches),))
    (fault,) = faults_in(Topology(processes=(process,)))
    assert fault.startswith("the alarm a-silent can never fire: ")
    assert reason in fault


def test_labels_are_those_of_the_metric() -> None:
    """A label that is never written, or is left out, names no custom metric at all."""
    (saga,) = (one for one in PIPELINE.processes if one.name == "saga")
    for labels, reason in ((("x",), "Step of SagaOverdue is never x"), ((), "has the dimensions Step")):
        watches = Series(OwnMetric(SAGA_OVERDUE, "saga", labels), "Sum")
        planted = replace(saga, alarms=(alarm("saga-planted", watches=watches),))
        (fault,) = faults_in(Topology(processes=(planted,)))
        assert reason in fault


def test_two_alarms_of_one_name_are_one_in_cloudwatch() -> None:
    """The second would silently take the place of the first."""
    twice = StreamApplication(name="a", does="a", alarms=(alarm("a-behind"),))
    assert list(faults_in(Topology(processes=(twice,)))) == ["two alarms are called a-behind"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": "Payments Behind"},
        {"datapoints": 2},
        {"datapoints": 0},
        {"period_seconds": 45},
        {"period_seconds": 3600, "periods": 25},
    ],
)
def test_what_cloudwatch_would_refuse_is_refused_where_it_is_declared(wrong: dict[str, Any]) -> None:
    """Else a deployment would end halfway."""
    with pytest.raises(ValueError, match=r"kebab case|cannot breach|no period|more than a day"):
        alarm(**({"name": "a-b"} | wrong))


def test_the_condition_is_written_as_a_person_would() -> None:
    """For the operations guide and the mail: units of time, percent, and how long."""
    shown = {each.name: each.fires_when for each in alarms(PIPELINE)}
    assert shown["payments-behind"] == "> 5 min, for 3 min"
    assert shown["saga-retention-half-used"] == "> 84 h, once"
    assert shown["api-failing"] == "> 5 %, in 3 of 5 min"
    assert shown["payments-in-doubt"] == "> 10, within 5 min"


def test_every_alarm_has_its_section_in_the_guide() -> None:
    """A mail at night names a section that exists."""
    page = (Path(__file__).parents[3] / "docs" / "operations.md").read_text(encoding="utf-8")
    assert {each.runbook for each in alarms(PIPELINE)} <= anchors(page)


def test_each_section_that_a_mail_leads_to_says_when_it_is_over() -> None:
    """An operator who has repaired something needs to know whether it was enough."""
    page = (Path(__file__).parents[3] / "docs" / "operations.md").read_text(encoding="utf-8")
    sections = re.split(r"^## ", page, flags=re.MULTILINE)[1:]
    silent = {
        anchor
        for section in sections
        for anchor in anchors(f"## {section.splitlines()[0]}")
        if "**It is over when**" not in section
    }
    assert {each.runbook for each in alarms(PIPELINE)} & silent == set()


def test_anchors_are_those_that_a_browser_jumps_to() -> None:
    """Small letters, hyphens, no other signs; a sharp in a block of shell is no heading of words."""
    assert anchors("# Who may call?\n\n## A shard's end, `again`\n") == {"who-may-call", "a-shards-end-again"}


def test_the_deployment_page_counts_them() -> None:
    """They cost by the month, each metric that they watch."""
    page = (Path(__file__).parents[3] / "docs" / "deployment.md").read_text(encoding="utf-8")
    declared = alarms(PIPELINE)
    assert f"There are {len(declared)} alarms and one dashboard" in page
    assert f"which makes {sum(len(each.series) for each in declared)}," in page
