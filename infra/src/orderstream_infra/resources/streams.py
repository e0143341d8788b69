"""Kinesis streams."""

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_kinesis as kinesis
from aws_cdk import aws_kms as kms
from constructs import Construct

from orderstream_workers.runtime.topology import StreamSpec


def declared_stream(
    scope: Construct, spec: StreamSpec, *, called: str, shards: int | None, key: kms.IKey
) -> kinesis.Stream:
    """A stream that outlives its stack.

    Args:
        scope: Where it belongs.
        spec: Its declaration.
        called: Its name in AWS.
        shards: Shards at the start; a later deployment changes them in the running stream. None leaves their
            number to Kinesis (on demand).
        key: Encrypts it.
    """
    return kinesis.Stream(
        scope,
        f"Stream-{spec.name}",
        stream_name=called,
        shard_count=shards,
        stream_mode=kinesis.StreamMode.ON_DEMAND if shards is None else kinesis.StreamMode.PROVISIONED,
        retention_period=Duration.hours(spec.retention_hours),
        encryption=kinesis.StreamEncryption.KMS,
        encryption_key=key,
        removal_policy=RemovalPolicy.RETAIN,
    )
