"""AWS clients, set up the way each caller needs them."""

import os
from contextlib import closing
from typing import TYPE_CHECKING, Any, Final

import boto3
import botocore.session
from botocore.config import Config

from orderstream.aws import aws_calls, required
from orderstream.errors import DependencyError
from orderstream_consumer.consumer.clients import CLIENT_CONFIG
from orderstream_workers.runtime.settings import SettingsError

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_kinesis import KinesisClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_ses import SESClient
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient

_EMULATED_REGION: Final = "us-east-1"
"""Emulators respond in every region, and their callers seldom name one."""

# A long poll of SQS returns after twenty seconds at the latest.
_LONG_POLL: Final = CLIENT_CONFIG.merge(Config(read_timeout=25))
# Mail and topics know no idempotency key: who gives a slow response up sends the same message again.
_UNREPEATABLE: Final = CLIENT_CONFIG.merge(Config(read_timeout=25))


def _client(service: str, config: Config = CLIENT_CONFIG) -> Any:
    return boto3.client(service, region_name=region(), config=config)  # type: ignore[call-overload]


def region() -> str:
    """The AWS region: of the environment, or else of the profile, as every AWS SDK finds it.

    Raises:
        SettingsError: none is set, and AWS itself is meant: a guess could be another's streams and tables.
    """
    named = os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or _region_of_profile()
    if named:
        return named
    if os.environ.get("AWS_ENDPOINT_URL"):
        return _EMULATED_REGION
    raise SettingsError("no AWS region is set: AWS_REGION, or the region of AWS_PROFILE, has to name it")


def _region_of_profile() -> str | None:
    try:
        with aws_calls("profile", "region"):
            found: str | None = botocore.session.get_session().get_config_variable("region")
            return found
    except DependencyError as error:
        raise SettingsError(error.reason.rstrip(".")) from error


def account() -> str:
    """The number of the account that the credentials belong to; in words, if it cannot be had."""
    once = Config(connect_timeout=2, read_timeout=2, retries={"total_max_attempts": 1})
    try:
        with (
            aws_calls("sts", "GetCallerIdentity"),
            closing(boto3.client("sts", region_name=region(), config=once)) as client,
        ):
            return required(client.get_caller_identity(), "Account", str)
    except DependencyError as error:
        return f"unknown ({error.code})"


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


def secrets_client() -> "SecretsManagerClient":
    """Credentials of databases."""
    client: SecretsManagerClient = _client("secretsmanager")
    return client


def ses_client() -> "SESClient":
    """The customers' mail."""
    client: SESClient = _client("ses", _UNREPEATABLE)
    return client


def sns_client() -> "SNSClient":
    """The operators' topic."""
    client: SNSClient = _client("sns", _UNREPEATABLE)
    return client
