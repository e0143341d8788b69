"""How a run's operator and its judge ask the emulators."""

from typing import Any

import boto3
from botocore.config import Config


def client_of(service: str, url: str, attempts: int = 10) -> Any:
    """A boto3 client.

    Args:
        service: As boto3 names it.
        url: Where it is.
        attempts: How often a call is made at most: what is armed strikes the operator's calls as well.
    """
    return boto3.client(
        service,  # type: ignore[call-overload]
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id="x",
        aws_secret_access_key="x",
        config=Config(retries={"mode": "standard", "total_max_attempts": attempts}),
    )
