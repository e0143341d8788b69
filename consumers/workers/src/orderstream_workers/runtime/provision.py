"""Creates what the pipeline needs: streams, tables, queues, topic, bucket, sender. Idempotent."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, Final

import boto3
from botocore.exceptions import ClientError

from orderstream.aws import aws_calls, error_code, given_by_service, required
from orderstream.errors import DependencyError, OrderstreamError, RequestInvalidError
from orderstream_consumer.store import create_tables
from orderstream_workers.projections.order_status import create_schema, open_engine
from orderstream_workers.runtime.clients import region
from orderstream_workers.runtime.settings import Settings
from orderstream_workers.runtime.tables import TABLES
from orderstream_workers.services.inventory import STOCK

_RETENTION_HOURS: Final = 168
"""Business consumers may be down for days; seven days of retention are what operations reckons with."""

_MAX_RECEIVES: Final = 10
"""Receives of a payment's message before it is a dead letter."""

_VISIBILITY_SECONDS: Final = 30

_QUEUE_RETENTION_SECONDS: Final = 14 * 86_400
"""As long as SQS keeps a message at all: a dead letter must not be gone before a person has looked."""


class ProvisionError(OrderstreamError):
    """Something that the pipeline needs could not be created.

    Args:
        resource: What was to be made, such as ``"S3 bucket orderstream-archive"``.
        reason: What AWS, or its emulator, answered.
    """

    def __init__(self, resource: str, reason: str) -> None:
        self.resource = resource
        self.reason = reason
        super().__init__(
            f"{resource} could not be provisioned: {reason}; mend that, then run it again: the rest stays"
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
        shards: Shards of the stream, if it has to be made.
        make_client: Makes the clients; they are closed in the end.

    Raises:
        ProvisionError: AWS, or its emulator, refuses.
        SettingsError: no region is set.
        ReadModelError: the read model's database cannot be opened.
    """
    with ExitStack() as closing:

        def client(service: str) -> Any:
            made = make_client(service)
            closing.callback(made.close)
            return made

        kinesis, dynamodb, sqs = client("kinesis"), client("dynamodb"), client("sqs")
        stock = settings.table_prefix + STOCK.name
        with _making(f"Kinesis stream {settings.stream}"):
            _stream(kinesis, settings.stream, shards)
        with _making(f"Kinesis stream {settings.stock_stream}"):
            _stream(kinesis, settings.stock_stream, 1)
        for table in TABLES:
            with _making(f"DynamoDB table {settings.table_prefix}{table.name}"):
                create_tables(dynamodb, [table], settings.table_prefix)
        with _making(f"capture of DynamoDB table {stock}"):
            _capture(dynamodb, stock)
        with _making(f"SQS queue {settings.payment_queue}"):
            _queue(sqs, settings.payment_queue)
        with _making(f"SNS topic {operators_queue(settings)}"):
            _topic(client("sns"), sqs, operators_queue(settings))
        with _making(f"S3 bucket {settings.archive_bucket}"):
            _bucket(client("s3"), settings.archive_bucket)
        with _making(f"SES identity {settings.mail_sender}"):
            given_by_service(client("ses").verify_email_identity(EmailAddress=settings.mail_sender))
        _read_model(settings.read_model_url)


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


def _stream(kinesis: Any, name: str, shards: int) -> None:
    # Asked for by name: a list has pages, and an account may have hundreds of other streams.
    described = _unless("ResourceNotFoundException", lambda: kinesis.describe_stream_summary(StreamName=name))
    if described is None:
        _unless("ResourceInUseException", lambda: kinesis.create_stream(StreamName=name, ShardCount=shards))
        kinesis.get_waiter("stream_exists").wait(
            StreamName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 60}
        )
        described = kinesis.describe_stream_summary(StreamName=name)
    summary = required(described, "StreamDescriptionSummary", dict)
    if required(summary, "RetentionPeriodHours", int) < _RETENTION_HOURS:
        kinesis.increase_stream_retention_period(StreamName=name, RetentionPeriodHours=_RETENTION_HOURS)


def _unless(code: str, call: Callable[[], Any]) -> Any:
    """What a call answers; None if it is refused with a code that is expected."""
    try:
        return call()
    except ClientError as error:
        if error_code(error) != code:
            raise
        return None


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
    return settings.operators_topic.rpartition(":")[2]


def _topic(sns: Any, sqs: Any, name: str) -> None:
    """Make the operators' topic and the queue that is subscribed to it."""
    topic = required(sns.create_topic(Name=name), "TopicArn", str)
    inbox = _arn(sqs, _made(sqs, name))
    attributes = {"RawMessageDelivery": "true"}
    subscribed = sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=inbox, Attributes=attributes)
    required(subscribed, "SubscriptionArn", str)


def _queue(sqs: Any, name: str) -> None:
    # Created by name and then told: a queue that is there already may have been made with other settings.
    dead_letters = _made(sqs, f"{name}-dlq")
    retention = {"MessageRetentionPeriod": str(_QUEUE_RETENTION_SECONDS)}
    given_by_service(sqs.set_queue_attributes(QueueUrl=dead_letters, Attributes=retention))
    redrive = {"deadLetterTargetArn": _arn(sqs, dead_letters), "maxReceiveCount": _MAX_RECEIVES}
    attributes = {
        **retention,
        "RedrivePolicy": json.dumps(redrive),
        "VisibilityTimeout": str(_VISIBILITY_SECONDS),
    }
    given_by_service(sqs.set_queue_attributes(QueueUrl=_made(sqs, name), Attributes=attributes))


def _made(sqs: Any, name: str) -> str:
    """The URL of a queue, made if there is none."""
    return required(sqs.create_queue(QueueName=name), "QueueUrl", str)


def _arn(sqs: Any, queue_url: str) -> str:
    response = sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=["QueueArn"])
    return required(required(response, "Attributes", dict), "QueueArn", str)


def _read_model(url: str) -> None:
    engine = open_engine(url)
    create_schema(engine)
    engine.dispose()


def _bucket(s3: Any, name: str) -> None:
    # HEAD has no body, so the status stands in for a code.
    found = _unless("404", lambda: s3.head_bucket(Bucket=name))
    if found is not None:
        given_by_service(found)
        return
    where = s3.meta.region_name
    # The one region that must not be named.
    elsewhere = {} if where == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": where}}
    _unless("BucketAlreadyOwnedByYou", lambda: s3.create_bucket(Bucket=name, **elsewhere))
