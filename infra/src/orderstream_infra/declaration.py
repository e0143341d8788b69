"""The pipeline's declaration, as far as it can be deployed."""

from typing import Final

from orderstream_consumer.store.protocol import TableSpec
from orderstream_infra.deployment import DeploymentError
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
