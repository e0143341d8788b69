"""The pipeline's declaration, as far as it can be deployed."""

from pathlib import Path
from typing import Final

from orderstream_consumer.store.protocol import TableSpec
from orderstream_infra.deployment import DeploymentError
from orderstream_workers.runtime.guide import anchors
from orderstream_workers.runtime.topology import (
    BucketSpec,
    DatabaseSpec,
    HttpServiceSpec,
    QueueSpec,
    SenderSpec,
    StreamSpec,
    TopicSpec,
    Topology,
)
from orderstream_workers.runtime.topology.alarms import alarms, faults_in
from orderstream_workers.runtime.topology.lifetimes import ARCHIVER_AWAY_DAYS

_KNOWN: Final = frozenset(
    {
        BucketSpec,
        DatabaseSpec,
        HttpServiceSpec,
        QueueSpec,
        SenderSpec,
        StreamSpec,
        TableSpec,
        TopicSpec,
    }
)

GUIDE: Final = Path(__file__).parents[3] / "docs" / "operations.md"
"""The operations guide, whose sections alarms name."""


def check_alarms(declared: Topology, guide: str) -> None:
    """Refuse alarms that could never fire, or that leave the operator alone.

    Args:
        declared: The pipeline.
        guide: The text of the operations guide.

    Raises:
        DeploymentError: an alarm watches what nothing measures, two have one name, or the guide lacks the
            section that one names.
    """
    for fault in faults_in(declared):
        raise DeploymentError(fault)
    sections = anchors(guide)
    for alarm in alarms(declared):
        if alarm.runbook not in sections:
            raise DeploymentError(
                f"the alarm {alarm.name} names the section #{alarm.runbook}, "
                f"and {GUIDE.name} has no such heading"
            )


def checked(declared: Topology) -> Topology:
    """A topology that can be deployed.

    Args:
        declared: The pipeline.

    Raises:
        DeploymentError: something is declared that no construct makes, or a stream is kept for less time than
            the archiver may be away.
    """
    for process in declared.processes:
        for resource in process.resources:
            if type(resource) not in _KNOWN:
                kind = type(resource).__name__
                raise DeploymentError(
                    f"{process.name} needs the {kind} {resource.name}, and no construct makes a {kind}"
                )
    for application in declared.applications:
        kept_days = application.reads.retention_hours / 24
        archives = any(isinstance(resource, BucketSpec) for resource in application.resources)
        if archives and kept_days < ARCHIVER_AWAY_DAYS:
            raise DeploymentError(
                f"the stream {application.reads.name} keeps records for {kept_days * 24:.0f} hours, and "
                f"{application.name} may be away for {ARCHIVER_AWAY_DAYS * 24:.0f}: what it has not archived "
                "by then would be gone"
            )
    return declared
