"""The stream of a producer, with region and endpoint: every message about a failing call names it."""

import os
import re
from typing import TYPE_CHECKING, Any, Protocol

import boto3
from botocore.config import Config

from orderstream.aws.settings import aws_settings, demand_credentials
from orderstream.configuration import ConfigError
from orderstream.producer.config import ProducerConfig

if TYPE_CHECKING:
    from mypy_boto3_kinesis.client import KinesisClient

# Kinesis API, CreateStream and PutRecords.
_NAME = re.compile(r"[a-zA-Z0-9_.-]{1,128}")
_ARN = re.compile(r"arn:aws[^:]*:kinesis:[^:]*:\d{12}:stream/\S+")


class KinesisCalls(Protocol):
    """The calls that a producer makes: boto3's Kinesis client has them, and ``FakeKinesis.client()``."""

    def put_records(self, *args: Any, **kwargs: Any) -> Any:
        """Carry out PutRecords."""

    def list_shards(self, *args: Any, **kwargs: Any) -> Any:
        """Carry out ListShards."""


class Target:
    """A stream at an endpoint.

    Args:
        stream: The stream's name or ARN.
        client: The client that reaches it.

    Attributes:
        name: The stream's name or ARN.
        parameters: ``StreamName`` or ``StreamARN``, as requests name it.

    Raises:
        ConfigError: That is no stream.
    """

    def __init__(self, stream: object, client: object) -> None:
        # Callers without a type checker pass what os.environ.get() returned.
        if not isinstance(stream, str) or not (_NAME.fullmatch(stream) or _ARN.fullmatch(stream)):
            raise ConfigError("stream", stream, "a stream's name, 1 to 128 of A-Z a-z 0-9 _ . -, or its ARN")
        self.name = stream
        self.parameters = {"StreamARN" if stream.startswith("arn:") else "StreamName": stream}
        meta = getattr(client, "meta", None)
        endpoint = getattr(meta, "endpoint_url", None)
        region = getattr(meta, "region_name", None)
        known = [
            *([f"endpoint {endpoint}"] if isinstance(endpoint, str) else []),
            *([f"region {region}"] if isinstance(region, str) else []),
        ]
        self._text = f"stream {stream} ({', '.join(known)})" if known else f"stream {stream}"

    def __str__(self) -> str:
        """Name stream, endpoint and region."""
        return self._text


def kinesis_client(config: ProducerConfig, session: boto3.Session | None = None) -> "KinesisClient":
    """Build the boto3 client a producer works best with: no retries of its own, short timeouts.

    Args:
        config: The producer's settings.
        session: Where credentials come from; a new session by default.

    Returns:
        The client.

    Raises:
        AwsSettingsError: Region, credentials or profile cannot be found.
    """
    with aws_settings(settings="ProducerConfig", injected="client= or session="):
        # boto3.client() would share the default session, whose creation of clients is not thread-safe.
        session = session or boto3.Session()
        demand_credentials(session)
        return session.client(
            "kinesis",
            region_name=config.region_name or session.region_name or os.environ.get("AWS_REGION"),
            endpoint_url=config.endpoint_url,
            config=Config(
                connect_timeout=config.connect_timeout,
                read_timeout=config.read_timeout,
                retries={"total_max_attempts": 1},
                max_pool_connections=config.max_in_flight_requests + 1,
            ),
        )
