"""The boto3 clients that a consumer works best with: short timeouts, no retries below its own."""

import os
from functools import partial
from typing import Any, Final

import boto3
from botocore.config import Config

from orderstream.aws.settings import aws_settings, demand_credentials

CLIENT_CONFIG: Final = Config(
    connect_timeout=3,
    read_timeout=5,
    # Our own loops wait an outage out, and a retry below them would only hide how long a call takes.
    retries={"total_max_attempts": 1},
    max_pool_connections=64,
)

settings_found: Final = partial(aws_settings, settings="ConsumerConfig", injected="session= or clients")
"""Where sessions and clients are made: what boto3 cannot find becomes AwsSettingsError."""


def region_of(session: boto3.Session, wanted: str | None) -> str | None:
    """The AWS region: the one that is wanted, or else what boto3 finds.

    Args:
        session: Where boto3 looks.
        wanted: The region of the settings or of the ARN.
    """
    return wanted or os.environ.get("AWS_REGION") or session.region_name


def client_of(session: boto3.Session, service: str, region: str | None) -> Any:
    """Build a client.

    Args:
        session: Where credentials come from.
        service: The service, as boto3 names it.
        region: The region; None for what boto3 finds.

    Raises:
        AwsSettingsError: Region, credentials or profile cannot be found.
    """
    with settings_found():
        demand_credentials(session)
        return session.client(service, region_name=region_of(session, region), config=CLIENT_CONFIG)  # type: ignore[call-overload] # the service is no literal
