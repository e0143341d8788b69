"""The boto3 clients that a consumer works best with: short timeouts, no retries below its own."""

import os
from typing import Any, Final

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, NoRegionError, ProfileNotFound

from orderstream import AwsSettingsError

_CONFIG: Final = Config(
    connect_timeout=3,
    read_timeout=5,
    # A retry below our own would only hide how long a call takes.
    retries={"total_max_attempts": 1},
    max_pool_connections=64,
)

_CREDENTIALS: Final = (
    "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, or run where a role is; "
    "or pass session= or clients"
)


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
    try:
        if session.get_credentials() is None:
            raise AwsSettingsError("no AWS credentials were found", _CREDENTIALS)
        return session.client(service, region_name=region_of(session, region), config=_CONFIG)  # type: ignore[call-overload] # the service is no literal
    except NoRegionError as error:
        remedy = (
            "set region_name of ConsumerConfig, AWS_REGION or AWS_DEFAULT_REGION, or the profile's region"
        )
        raise AwsSettingsError("no AWS region was found", remedy) from error
    except ProfileNotFound as error:
        raise AwsSettingsError(str(error), "set AWS_PROFILE to one of ~/.aws/config, or unset it") from error
    except BotoCoreError as error:
        raise AwsSettingsError(f"AWS' settings cannot be used, {error}", _CREDENTIALS) from error
