"""Turns boto3's errors about missing AWS settings into errors that say what to set."""

from collections.abc import Iterator
from contextlib import contextmanager

import boto3
from botocore.exceptions import BotoCoreError, NoCredentialsError, NoRegionError, ProfileNotFound

from orderstream.errors import AwsSettingsError


@contextmanager
def aws_settings(*, settings: str, injected: str) -> Iterator[None]:
    """Make sessions and clients in the body.

    Args:
        settings: The class whose ``region_name`` sets the region, for the error.
        injected: The arguments by which a caller passes what was made elsewhere, for the error.

    Raises:
        AwsSettingsError: Region, credentials or profile cannot be found.
    """
    credentials = (
        "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, or run where a role is; "
        f"or pass {injected}"
    )
    try:
        yield
    except NoRegionError as error:
        remedy = f"set region_name of {settings}, AWS_REGION or AWS_DEFAULT_REGION, or the profile's region"
        raise AwsSettingsError("no AWS region was found", remedy) from error
    except ProfileNotFound as error:
        raise AwsSettingsError(str(error), "set AWS_PROFILE to one of ~/.aws/config, or unset it") from error
    except NoCredentialsError as error:
        raise AwsSettingsError("no AWS credentials were found", credentials) from error
    except BotoCoreError as error:
        raise AwsSettingsError(f"AWS' settings cannot be used, {error}", credentials) from error


def demand_credentials(session: boto3.Session) -> None:
    """Find out now, and not with the first call, that there are no credentials.

    Raises:
        NoCredentialsError: There are none.
    """
    if session.get_credentials() is None:
        raise NoCredentialsError
