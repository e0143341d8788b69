"""How a run's operator and its judge ask the emulators."""

from typing import Any

import boto3
from botocore.config import Config


def client_of(service: str, url: str) -> Any:
    """A boto3 client that asks again when a fault strikes it."""
    return boto3.client(
        service,  # type: ignore[call-overload]
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id="x",
        aws_secret_access_key="x",
        # The faults that are armed strike the operator's calls as well.
        config=Config(retries={"mode": "standard", "total_max_attempts": 10}),
    )
