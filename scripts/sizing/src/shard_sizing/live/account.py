"""How many more shards an account may have."""

from typing import Any

from orderstream.aws import aws_calls, required
from orderstream.errors import DependencyError


def room_for_shards(client: Any) -> int | None:
    """Return how many shards an account may still open in its Region; None where it may not be asked.

    DescribeLimits counts the shards of all streams. An account may call it once a second.

    Args:
        client: A boto3 Kinesis client.
    """
    try:
        with aws_calls("kinesis", "DescribeLimits", client=client):
            limits = client.describe_limits()
            return required(limits, "ShardLimit", int) - required(limits, "OpenShardCount", int)
    except DependencyError:
        return None  # the caller falls back on the Region's usual quota, and says so
