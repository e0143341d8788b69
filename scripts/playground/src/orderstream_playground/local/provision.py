"""Creates what the pipeline needs in the emulators of a local environment."""

from typing import Any

import boto3

from orderstream_playground.local.environment import Layout
from orderstream_workers.runtime import provision as everything


def provision(layout: Layout) -> None:
    """Create whatever is missing.

    Args:
        layout: Where everything is.

    Raises:
        ProvisionError: an emulator refuses.
    """

    def make_client(service: str) -> Any:
        return boto3.client(  # type: ignore[call-overload]
            service,
            endpoint_url=layout.kinesis_url if service == "kinesis" else layout.aws_url,
            region_name="us-east-1",
            aws_access_key_id="local",
            aws_secret_access_key="local",  # noqa: S106 - emulators take any
        )

    everything.provision(layout.settings, layout.options.shards, make_client)
