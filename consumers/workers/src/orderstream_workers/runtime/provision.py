"""Creates what the pipeline is declared to need: streams, tables, queues and so on. Idempotent."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import cache
from typing import Any

import boto3

from orderstream.aws import ExpectedRefusalError, aws_calls, expecting, given_by_service, required
from orderstream.errors import DependencyError, OrderstreamError, RequestInvalidError
from orderstream_consumer.engines.embedded.leases import DynamoDBLeaseTable
from orderstream_consumer.store import TableSpec, create_tables
from orderstream_workers.runtime.clients import region
from orderstream_workers.runtime.discovery import topology
from orderstream_workers.runtime.read_model import migrate_read_model
from orderstream_workers.runtime.resources import Resources
from orderstream_workers.runtime.settings import Settings
from orderstream_workers.runtime.topology import (
    BucketSpec,
    DatabaseSpec,
    QueueSpec,
    SenderSpec,
    StreamSpec,
    TopicSpec,
    Topology,
)
from orderstream_workers.runtime.topology.pipeline import OPERATORS_TOPIC, READ_MODEL


class ProvisionError(OrderstreamError):
    """Something that the pipeline needs could not be created.

    Args:
        resource: What was to be made, such as ``"S3 bucket orderstream-archive"``.
        reason: The error of AWS, or of its emulator.
    """

    def __init__(self, resource: str, reason: str) -> None:
        self.resource = resource
        self.reason = reason
        super().__init__(
            f"{resource} could not be provisioned: {reason}; fix that, then run it again: the rest stays"
        )


MakeClient = Callable[[str], Any]
"""Makes a boto3 client, by the name of its service."""


def client_of_environment(service: str) -> Any:
    """A client of wherever AWS is for boto3: ``AWS_ENDPOINT_URL``, the credentials' variables and so on."""
    return boto3.client(service, region_name=region())  # type: ignore[call-overload]


def provision(settings: Settings, shards: int, make_client: MakeClient = client_of_environment) -> None:
    """Create whatever is missing.

    Args:
        settings: Names of everything.
        shards: Shards of each new stream whose declaration leaves them open.
        make_client: Makes the clients; they are closed in the end.

    Raises:
        ProvisionError: AWS, or its emulator, refuses.
        SettingsError: no region is set.
        TopologyError: an application cannot be read.
        ReadModelError: the read model's database cannot be opened, or refuses.
    """
    declared, name_of = topology(settings), settings.name_of
    with ExitStack() as closing:

        @cache
        def client(service: str) -> Any:
            made = make_client(service)
            closing.callback(made.close)
            return made

        for stream in declared.of(StreamSpec):
            with _making(f"Kinesis stream {name_of(stream)}"):
                _stream(client("kinesis"), name_of(stream), stream, stream.shards or shards)
        _tables(client("dynamodb"), declared, settings)
        for captured in (stream.captures for stream in declared.of(StreamSpec) if stream.captures):
            with _making(f"capture of DynamoDB table {name_of(captured)}"):
                _capture(client("dynamodb"), name_of(captured))
        for queue in declared.of(QueueSpec):
            with _making(f"SQS queue {name_of(queue)}"):
                _queue(client("sqs"), name_of(queue), queue)
        for topic in declared.of(TopicSpec):
            with _making(f"SNS topic {_topic_name(name_of(topic))}"):
                topic_with_inbox(client("sns"), client("sqs"), _topic_name(name_of(topic)))
        for bucket in declared.of(BucketSpec):
            with _making(f"S3 bucket {name_of(bucket)}"):
                _bucket(client("s3"), name_of(bucket))
        for sender in declared.of(SenderSpec):
            with _making(f"SES identity {name_of(sender)}"):
                given_by_service(client("ses").verify_email_identity(EmailAddress=name_of(sender)))
        if READ_MODEL in declared.of(DatabaseSpec):
            _read_model(settings)


@contextmanager
def _making(resource: str) -> Iterator[None]:
    try:
        with aws_calls(resource, "provisioning"):
            yield
    except DependencyError as error:
        reason = f"{error.reason}; {error.advice}" if error.advice else error.reason
        raise ProvisionError(resource, reason) from error
    except RequestInvalidError as error:
        raise ProvisionError(resource, error.reason) from error


def _stream(kinesis: Any, name: str, spec: StreamSpec, shards: int) -> None:
    # Asked for by name: a list has pages, and an account may have hundreds of other streams.
    described = _unless("ResourceNotFoundException", lambda: kinesis.describe_stream_summary(StreamName=name))
    if described is None:
        _unless("ResourceInUseException", lambda: kinesis.create_stream(StreamName=name, ShardCount=shards))
        kinesis.get_waiter("stream_exists").wait(
            StreamName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 60}
        )
        described = kinesis.describe_stream_summary(StreamName=name)
    summary = required(described, "StreamDescriptionSummary", dict)
    if required(summary, "RetentionPeriodHours", int) < spec.retention_hours:
        kinesis.increase_stream_retention_period(StreamName=name, RetentionPeriodHours=spec.retention_hours)


def _unless(code: str, call: Callable[[], Any]) -> Any:
    """What a call returns; None if it is refused with a code that is expected."""
    with suppress(ExpectedRefusalError), aws_calls("aws", "provisioning", refusals=expecting(code)):
        return call()
    return None


def _tables(dynamodb: Any, declared: Topology, settings: Settings) -> None:
    for table in declared.of(TableSpec):
        with _making(f"DynamoDB table {settings.name_of(table)}"):
            create_tables(dynamodb, [table], settings.table_prefix)
    for application in declared.applications:
        leases = settings.name_of(application.leases)
        with _making(f"DynamoDB table {leases}"):
            DynamoDBLeaseTable(dynamodb, leases).create_table()


def _capture(dynamodb: Any, table: str) -> None:
    """Have the table's changes recorded, for the bridge to read."""
    described = required(dynamodb.describe_table(TableName=table), "Table", dict)
    if not described.get("StreamSpecification", {}).get("StreamEnabled"):
        dynamodb.update_table(
            TableName=table,
            StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
        )


def operators_queue(settings: Settings) -> str:
    """Name of the queue in which what the operators' topic received can be read: the topic's own."""
    return _topic_name(settings.name_of(OPERATORS_TOPIC))


def _topic_name(arn: str) -> str:
    return arn.rpartition(":")[2]


def topic_with_inbox(sns: Any, sqs: Any, name: str) -> None:
    """Make a topic, and a queue of its name in which what it received can be read.

    Args:
        sns: Makes the topic, unless it is there.
        sqs: Makes the queue, unless it is there.
        name: Of both.
    """
    topic = required(sns.create_topic(Name=name), "TopicArn", str)
    inbox = _arn(sqs, _made(sqs, name))
    attributes = {"RawMessageDelivery": "true"}
    subscribed = sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=inbox, Attributes=attributes)
    required(subscribed, "SubscriptionArn", str)


def _queue(sqs: Any, name: str, spec: QueueSpec) -> None:
    # Created by name, then configured: a queue that is there already may have been made with other settings.
    dead_letters = _made(sqs, spec.dead_letters_of(name))
    retention = {"MessageRetentionPeriod": str(spec.retention_seconds)}
    given_by_service(sqs.set_queue_attributes(QueueUrl=dead_letters, Attributes=retention))
    redrive = {"deadLetterTargetArn": _arn(sqs, dead_letters), "maxReceiveCount": spec.max_receives}
    attributes = {
        **retention,
        "RedrivePolicy": json.dumps(redrive),
        "VisibilityTimeout": str(spec.visibility_seconds),
    }
    given_by_service(sqs.set_queue_attributes(QueueUrl=_made(sqs, name), Attributes=attributes))


def _made(sqs: Any, name: str) -> str:
    """The URL of a queue, made if there is none."""
    return required(sqs.create_queue(QueueName=name), "QueueUrl", str)


def _arn(sqs: Any, queue_url: str) -> str:
    response = sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["QueueArn"])
    return required(required(response, "Attributes", dict), "QueueArn", str)


def _read_model(settings: Settings) -> None:
    with Resources(settings) as resources:
        migrate_read_model(resources)


def _bucket(s3: Any, name: str) -> None:
    # HEAD has no body, so the status serves as the code.
    found = _unless("404", lambda: s3.head_bucket(Bucket=name))
    if found is not None:
        given_by_service(found)
        return
    where = s3.meta.region_name
    # The one region that must not be named.
    elsewhere = {} if where == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": where}}
    _unless("BucketAlreadyOwnedByYou", lambda: s3.create_bucket(Bucket=name, **elsewhere))
