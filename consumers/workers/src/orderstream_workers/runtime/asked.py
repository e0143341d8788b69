"""What AWS is asked to find out whether it responds: a page in a service's place is no response."""

from typing import TYPE_CHECKING

from orderstream.aws import aws_calls, given_by_service, required
from orderstream_consumer.health.watch import Dependency

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_ses import SESClient
    from mypy_boto3_sns import SNSClient


def bucket_asked(s3: "S3Client", bucket: str) -> Dependency:
    """An S3 bucket: asked whether it is there."""

    def ask() -> None:
        with aws_calls("s3", "HeadBucket", client=s3, resource=bucket):
            given_by_service(s3.head_bucket(Bucket=bucket))

    return Dependency(f"bucket {bucket}", ask)


def topic_asked(sns: "SNSClient", topic: str) -> Dependency:
    """An SNS topic: asked for its attributes."""

    def ask() -> None:
        with aws_calls("sns", "GetTopicAttributes", client=sns, resource=topic):
            required(sns.get_topic_attributes(TopicArn=topic), "Attributes", dict)

    return Dependency(f"topic {topic}", ask)


def sender_asked(ses: "SESClient", sender: str) -> Dependency:
    """A sender of SES: asked whether it is verified."""

    def ask() -> None:
        with aws_calls("ses", "GetIdentityVerificationAttributes", client=ses, resource=sender):
            response = ses.get_identity_verification_attributes(Identities=[sender])
            required(given_by_service(response), "VerificationAttributes", dict)

    return Dependency(f"sender {sender}", ask)
