"""Provisions a local environment from a synthesized template, as CloudFormation would in an account.

Kinesis is a server of its own here, and the CloudFormation of the emulator leaves out expiry and captured
changes. So the template is read here, and each resource is made by the call for its type. What
nothing on this machine can keep (keys, policies, backups, mail to operators) is left out, and listed; a type
that is not known here is refused, as what would be missing is not known.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any, Final

from orderstream.aws import ExpectedRefusalError, aws_calls, expecting
from orderstream_playground.local.errors import LocalEnvironmentError

_LEFT_OUT: Final = frozenset(
    {
        "AWS::KMS::Key",  # no emulator encrypts
        "AWS::S3::BucketPolicy",  # evaluated by the gateway of `make enforced`
        "AWS::SNS::Subscription",  # mail
        "AWS::SNS::TopicPolicy",
        "AWS::SQS::QueuePolicy",
    }
)

_MADE: Final = frozenset(
    {
        "AWS::DynamoDB::Table",
        "AWS::Kinesis::Stream",
        "AWS::S3::Bucket",
        "AWS::SES::EmailIdentity",
        "AWS::SNS::Topic",
        "AWS::SQS::Queue",
    }
)

Resource = Mapping[str, Any]
"""A resource's properties, as the template has them."""

MakeClient = Callable[[str], Any]
"""Makes a boto3 client, by the name of its service."""


class TemplateError(LocalEnvironmentError):
    """A template cannot be provisioned here.

    Args:
        file: The template.
        reason: Why not.
    """

    def __init__(self, file: Path, reason: str) -> None:
        self.file = file
        super().__init__(
            f"{file} cannot be provisioned: {reason}; `make infra-synth` writes "
            "infra/cdk.out/orderstream-data.template.json"
        )


class Template:
    """The template of what holds orders.

    Args:
        file: As CloudFormation takes it, in JSON.

    Raises:
        TemplateError: it cannot be read, or holds something that is not known here.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        try:
            self._resources: Mapping[str, Any] = json.loads(file.read_bytes())["Resources"]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise TemplateError(file, f"it is no template ({error})") from error
        for name, resource in self._resources.items():
            if (kind := resource.get("Type")) not in _LEFT_OUT | _MADE:
                raise TemplateError(file, f"{name} is of the type {kind}, which nothing here stands for")

    def of(self, kind: str) -> Iterator[Resource]:
        """The properties of every resource of a type."""
        return (one["Properties"] for one in self._resources.values() if one["Type"] == kind)

    @property
    def bucket(self) -> str:
        """The name of its one bucket."""
        names = [bucket["BucketName"] for bucket in self.of("AWS::S3::Bucket")]
        if len(names) != 1:
            raise TemplateError(self._file, f"it has {len(names)} buckets in place of one")
        return str(names[0])

    def named_by(self, reference: Any) -> Resource:
        """The properties of what ``Fn::GetAtt`` refers to.

        Args:
            reference: As the template has it.
        """
        try:
            properties: Resource = self._resources[reference["Fn::GetAtt"][0]]["Properties"]
        except (KeyError, TypeError) as error:
            raise TemplateError(self._file, f"nothing is known of {reference}") from error
        return properties


def provision_from(template: Template, make_client: MakeClient) -> None:
    """Make everything that a template holds and that is not there yet.

    Args:
        template: The template.
        make_client: Makes the clients.

    Raises:
        DependencyError: an emulator refuses, or does not respond.
    """
    client = cache(make_client)
    for stream in template.of("AWS::Kinesis::Stream"):
        _stream(client("kinesis"), stream)
    for table in template.of("AWS::DynamoDB::Table"):
        _table(client("dynamodb"), table)
    # A queue refers to that of its dead letters, which refers to none.
    for queue in sorted(template.of("AWS::SQS::Queue"), key=lambda queue: "RedrivePolicy" in queue):
        _queue(client("sqs"), queue, template)
    for topic in template.of("AWS::SNS::Topic"):
        with aws_calls("sns", "provisioning", client=client("sns")):
            client("sns").create_topic(Name=topic["TopicName"])
    for bucket in template.of("AWS::S3::Bucket"):
        with _made_or_there("BucketAlreadyOwnedByYou"):
            client("s3").create_bucket(Bucket=bucket["BucketName"])
    for sender in template.of("AWS::SES::EmailIdentity"):
        with aws_calls("ses", "provisioning", client=client("ses")):
            client("ses").verify_email_identity(EmailAddress=sender["EmailIdentity"])


@contextmanager
def _made_or_there(code: str) -> Iterator[None]:
    """Make something in the body; the service's code says that it is there already."""
    with suppress(ExpectedRefusalError), aws_calls("aws", "provisioning", refusals=expecting(code)):
        yield


def _stream(kinesis: Any, stream: Resource) -> None:
    name, mode = stream["Name"], stream["StreamModeDetails"]
    shards = {"ShardCount": stream["ShardCount"]} if "ShardCount" in stream else {}
    with _made_or_there("ResourceInUseException"):
        kinesis.create_stream(StreamName=name, StreamModeDetails=mode, **shards)
    with aws_calls("kinesis", "provisioning", client=kinesis, resource=name):
        kinesis.get_waiter("stream_exists").wait(
            StreamName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 60}
        )
        described = kinesis.describe_stream_summary(StreamName=name)
        hours = stream["RetentionPeriodHours"]
        if described["StreamDescriptionSummary"]["RetentionPeriodHours"] < hours:
            kinesis.increase_stream_retention_period(StreamName=name, RetentionPeriodHours=hours)


def _table(dynamodb: Any, table: Resource) -> None:
    name = table["TableName"]
    passed = ("TableName", "KeySchema", "AttributeDefinitions", "BillingMode", "GlobalSecondaryIndexes")
    # The bridge reads what DynamoDB itself would put into the stream of changes.
    captured = (
        {"StreamSpecification": {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}}
        if "KinesisStreamSpecification" in table
        else {}
    )
    with _made_or_there("ResourceInUseException"):
        dynamodb.create_table(**{key: table[key] for key in passed if key in table}, **captured)
    if "TimeToLiveSpecification" not in table:
        return
    with aws_calls("dynamodb", "provisioning", client=dynamodb, resource=name):
        expiry = dynamodb.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
        if expiry["TimeToLiveStatus"] == "DISABLED":
            dynamodb.update_time_to_live(
                TableName=name, TimeToLiveSpecification=table["TimeToLiveSpecification"]
            )


def _queue(sqs: Any, queue: Resource, template: Template) -> None:
    attributes = {
        key: str(queue[key]) for key in ("MessageRetentionPeriod", "VisibilityTimeout") if key in queue
    }
    with aws_calls("sqs", "provisioning", client=sqs, resource=queue["QueueName"]):
        if "RedrivePolicy" in queue:
            redrive = queue["RedrivePolicy"]
            dead = template.named_by(redrive["deadLetterTargetArn"])["QueueName"]
            url = sqs.get_queue_url(QueueName=dead)["QueueUrl"]
            found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]
            attributes["RedrivePolicy"] = json.dumps({**redrive, "deadLetterTargetArn": found["QueueArn"]})
        sqs.create_queue(QueueName=queue["QueueName"], Attributes=attributes)
