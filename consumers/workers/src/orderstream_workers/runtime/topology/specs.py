"""What a process can need, each kind a value. Tables are the library's ``TableSpec``.

A name is that of the declaration. In AWS a resource is called as its setting says. Without a setting, a
stream has just its name, and everything else the table prefix before it (``Settings.name_of``).
"""

from dataclasses import dataclass
from typing import Final, TypeAlias

from orderstream_consumer.store.protocol import TableSpec

_RETENTION_HOURS: Final = 168
_QUEUE_RETENTION_SECONDS: Final = 14 * 86_400


@dataclass(frozen=True, slots=True)
class StreamSpec:
    """A Kinesis stream.

    Attributes:
        name: Its name.
        setting: The field of ``Settings`` that says how it is called; None where it has just its name.
        shards: Shards of a new stream, at least 1; None leaves it to the one who provisions.
        retention_hours: How long records are kept, 24 to 8,760. Business consumers may be down for days; the
            operations guide is written for seven days.
        captures: The table whose changes it carries; None for a stream that processes write to.
    """

    name: str
    setting: str | None = None
    shards: int | None = None
    retention_hours: int = _RETENTION_HOURS
    captures: TableSpec | None = None


@dataclass(frozen=True, slots=True)
class LeasesSpec:
    """The DynamoDB table of a stream application's leases and checkpoints, in KCL's layout.

    Attributes:
        application: Whose leases.
    """

    application: str

    @property
    def name(self) -> str:
        """Its name; the suffix distinguishes it from the service's tables, one of which has its name."""
        return f"{self.application}-consumer"


@dataclass(frozen=True, slots=True)
class QueueSpec:
    """A standard SQS queue, and the queue of its dead letters: its name with ``-dlq``.

    Attributes:
        name: Its name.
        setting: The field of ``Settings`` that says how it is called.
        visibility_seconds: How long a received message is hidden where its receiver names no other time, 0 to
            43,200.
        max_receives: Receives of a message before it is a dead letter, at least 1.
        retention_seconds: How long messages are kept, dead letters too, 60 to 1,209,600. By default as long
            as SQS keeps a message at all: a dead letter must not be gone before a person has looked.
    """

    name: str
    setting: str | None = None
    visibility_seconds: int = 30
    max_receives: int = 10
    retention_seconds: int = _QUEUE_RETENTION_SECONDS

    @staticmethod
    def dead_letters_of(queue: str) -> str:
        """What the queue of the dead letters is called in AWS.

        Args:
            queue: What the queue itself is called there.
        """
        return f"{queue}-dlq"


@dataclass(frozen=True, slots=True)
class TopicSpec:
    """An SNS topic.

    Attributes:
        name: Its name.
        setting: The field of ``Settings`` with its ARN, by which alone a topic is known.
    """

    name: str
    setting: str


@dataclass(frozen=True, slots=True)
class BucketSpec:
    """An S3 bucket.

    Attributes:
        name: Its name.
        setting: The field of ``Settings`` that says how it is called.
    """

    name: str
    setting: str | None = None


@dataclass(frozen=True, slots=True)
class SenderSpec:
    """An address that mail is sent from, an identity of SES.

    Attributes:
        name: What it is for.
        setting: The field of ``Settings`` with the address.
    """

    name: str
    setting: str


@dataclass(frozen=True, slots=True)
class DatabaseSpec:
    """An SQL database.

    Attributes:
        name: What it is for.
        setting: The field of ``Settings`` with its SQLAlchemy URL.
        credentials: The field of ``Settings`` that names the secret with its user and password; None where it
            needs none.
    """

    name: str
    setting: str
    credentials: str | None = None


@dataclass(frozen=True, slots=True)
class HttpServiceSpec:
    """A third party's service that is called over HTTP.

    Attributes:
        name: What it is.
        setting: The field of ``Settings`` with its base URL.
    """

    name: str
    setting: str


Resource: TypeAlias = (
    TableSpec | StreamSpec | QueueSpec | TopicSpec | BucketSpec | SenderSpec | DatabaseSpec | HttpServiceSpec
)
"""Anything that a process can need."""
