"""What each process may do in AWS, and with what: a function of the declaration.

A right is what IAM is asked for. There is no action for a transaction: DynamoDB asks for the action of each
item in it. ``tests/recording`` holds what processes were seen to call, and a test compares both ways.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from orderstream_consumer.delivery import PARKING
from orderstream_consumer.store.protocol import TableSpec
from orderstream_workers.runtime.settings import Settings
from orderstream_workers.runtime.topology import (
    BucketSpec,
    DatabaseSpec,
    Process,
    QueueSpec,
    Resource,
    SenderSpec,
    StreamApplication,
    TopicSpec,
)
from orderstream_workers.services.inventory import STOCK
from orderstream_workers.services.saga.timers import TIMERS


@dataclass(frozen=True, slots=True)
class Right:
    """Leave to do something with one resource.

    Attributes:
        service: As IAM spells it, such as ``dynamodb``.
        kind: What the resource is: ``table``, ``stream``, ``queue``, ``topic``, ``bucket``, ``objects``,
            ``identity``, ``secret`` or ``traces``.
        name: How the resource is called in AWS; a topic and a secret by their ARN.
        actions: Without the service.
    """

    service: str
    kind: str
    name: str
    actions: tuple[str, ...]


_READ_STREAM: Final = ("DescribeStreamSummary", "GetRecords", "GetShardIterator", "ListShards")
_WRITE_STREAM: Final = ("ListShards", "PutRecords")
_LEASES: Final = (
    "DescribeTable",  # a worker makes sure of its table before it takes a lease
    *("DeleteItem", "GetItem", "PutItem", "Scan", "UpdateItem"),
)
_STATE: Final = ("GetItem", "PutItem")
_TABLES: Final[Mapping[TableSpec, tuple[str, ...]]] = {
    STOCK: ("GetItem", "UpdateItem"),
    TIMERS: ("DeleteItem", "GetItem", "PutItem", "Query"),
    PARKING: ("ConditionCheckItem", "GetItem", "PutItem", "Query"),
}
"""Where a table needs other than ``_STATE``, which an item with its state and its inbox is kept by."""

_SEND: Final = ("GetQueueAttributes", "GetQueueUrl", "SendMessage")
_RECEIVE: Final = (
    *("ChangeMessageVisibility", "DeleteMessage", "GetQueueAttributes", "GetQueueUrl", "ReceiveMessage"),
    "SendMessage",  # what was received often is sent again, before SQS takes it for a dead letter
)
_WATCH: Final = ("GetQueueAttributes", "GetQueueUrl")


def rights_of(process: Process, settings: Settings) -> tuple[Right, ...]:
    """Everything that a process needs, and nothing else.

    Args:
        process: As it is declared.
        settings: Say how everything is called.

    Returns:
        One right for each resource, or two where the process both reads and writes it; sorted.
    """
    found = [Right("kinesis", "stream", settings.name_of(stream), _WRITE_STREAM) for stream in process.writes]
    if isinstance(process, StreamApplication):
        found.append(Right("kinesis", "stream", settings.name_of(process.reads), _READ_STREAM))
        found.append(Right("dynamodb", "table", settings.name_of(process.leases), _LEASES))
    if settings.xray_region is not None:
        # IAM knows no resource here: who may send spans may send any.
        found.append(Right("xray", "traces", "*", ("PutTraceSegments",)))
    for resource in process.resources:
        found += _needed(process, resource, settings.name_of(resource))
        if isinstance(resource, DatabaseSpec):
            found += to_database(resource, settings)
    return _sorted(found)


def union(rights: Iterable[Right]) -> tuple[Right, ...]:
    """What several processes need together, where they have one role.

    Args:
        rights: Of all of them.

    Returns:
        One right for each resource; sorted.
    """
    allowed: dict[tuple[str, str, str], set[str]] = {}
    for right in rights:
        allowed.setdefault((right.service, right.kind, right.name), set()).update(right.actions)
    return _sorted(Right(*which, tuple(sorted(actions))) for which, actions in allowed.items())


def _sorted(rights: Iterable[Right]) -> tuple[Right, ...]:
    return tuple(sorted(rights, key=lambda right: (right.service, right.kind, right.name, right.actions)))


def to_database(database: DatabaseSpec, settings: Settings) -> tuple[Right, ...]:
    """The right that opening a database needs: reading its secret, if it has one.

    Args:
        database: As it is declared.
        settings: Say which secret; none is needed for a file.
    """
    secret = "" if database.credentials is None else getattr(settings, database.credentials)
    return (Right("secretsmanager", "secret", secret, ("GetSecretValue",)),) if secret else ()


def _needed(process: Process, resource: Resource, called: str) -> Iterator[Right]:
    if isinstance(resource, TableSpec):
        actions = ("GetItem",) if resource in process.looks_up else _TABLES.get(resource, _STATE)
        yield Right("dynamodb", "table", called, actions)
    elif isinstance(resource, QueueSpec):
        # Stream applications fill queues, other processes empty them.
        if isinstance(process, StreamApplication):
            yield Right("sqs", "queue", called, _SEND)
        else:
            yield Right("sqs", "queue", called, _RECEIVE)
            yield Right("sqs", "queue", resource.dead_letters_of(called), _WATCH)
    elif isinstance(resource, TopicSpec):
        yield Right("sns", "topic", called, ("GetTopicAttributes", "Publish"))
    elif isinstance(resource, BucketSpec):
        yield Right("s3", "bucket", called, ("ListBucket",))
        yield Right("s3", "objects", called, ("GetObject", "PutObject"))
    elif isinstance(resource, SenderSpec):
        yield Right("ses", "identity", called, ("SendEmail",))
        # Knows no resource: AWS gives the verification of any identity or of none.
        yield Right("ses", "identity", "*", ("GetIdentityVerificationAttributes",))
