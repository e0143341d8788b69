"""AWS clients, set up the way each caller needs them."""

import os
from typing import TYPE_CHECKING, Any, Final

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_kinesis import KinesisClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_ses import SESClient
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient

_DEFAULT_REGION: Final = "us-east-1"

# Our own loops retry for ever behind a breaker, and a retry below them would only hide how long a call takes.
_CONFIG: Final = Config(
    connect_timeout=3,
    read_timeout=5,
    retries={"total_max_attempts": 1},
    max_pool_connections=64,
)
# A long poll of SQS answers after twenty seconds at the latest.
_LONG_POLL: Final = _CONFIG.merge(Config(read_timeout=25))


def _client(service: str, config: Config = _CONFIG) -> Any:
    return boto3.client(service, region_name=region(), config=config)  # type: ignore[call-overload]


def region() -> str:
    """The AWS region, as every AWS SDK finds it in the environment."""
    return os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or _DEFAULT_REGION


def kinesis_client() -> "KinesisClient":
    """Reads and describes streams."""
    client: KinesisClient = _client("kinesis")
    return client


def dynamodb_client() -> "DynamoDBClient":
    """Leases, state and guards."""
    client: DynamoDBClient = _client("dynamodb")
    return client


def sqs_client() -> "SQSClient":
    """The queue of payments."""
    client: SQSClient = _client("sqs", _LONG_POLL)
    return client


def s3_client() -> "S3Client":
    """The archive."""
    client: S3Client = _client("s3")
    return client


def ses_client() -> "SESClient":
    """The customers' mail."""
    client: SESClient = _client("ses")
    return client


def sns_client() -> "SNSClient":
    """The operators' topic."""
    client: SNSClient = _client("sns")
    return client
