"""What a process cannot do its work without, as it is asked whether it responds: from its declaration."""

from collections.abc import Iterator

from orderstream_consumer.health import Dependency, stream_asked, table_asked
from orderstream_consumer.store import TableSpec
from orderstream_workers.runtime.asked import bucket_asked, sender_asked, topic_asked
from orderstream_workers.runtime.resources import Resources
from orderstream_workers.runtime.topology import (
    BucketSpec,
    DatabaseSpec,
    HttpServiceSpec,
    Process,
    QueueSpec,
    Resource,
    SenderSpec,
    StreamSpec,
    TopicSpec,
)


def dependencies_of(process: Process, resources: Resources) -> list[Dependency]:
    """What is in AWS of a process's needs; every client is made here, by the caller's thread.

    Args:
        process: As it is declared. Its databases and its services are asked by its own clients.
        resources: Has the clients.
    """
    return [
        dependency
        for resource in process.resources
        for dependency in _asked(resource, resources.settings.name_of(resource), resources)
    ]


def _asked(resource: Resource, name: str, resources: Resources) -> Iterator[Dependency]:
    match resource:
        case TableSpec():
            yield table_asked(resources.store, resource, resources.settings.table_prefix)
        case StreamSpec():
            yield stream_asked(resources.kinesis, name)
        case QueueSpec():
            yield queue_asked(resources, name)
        case BucketSpec():
            yield bucket_asked(resources.s3, name)
        case TopicSpec():
            yield topic_asked(resources.sns, name)
        case SenderSpec():
            yield sender_asked(resources.ses, name)
        case DatabaseSpec() | HttpServiceSpec():
            pass


def queue_asked(resources: Resources, queue: str) -> Dependency:
    """A queue: asked how much is in it.

    Args:
        resources: Has the client.
        queue: What it is called in AWS.
    """
    return Dependency(f"queue {queue}", resources.queue_depth(queue))
