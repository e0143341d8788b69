"""The archive's bucket: what is in it stays as it was written."""

from aws_cdk import RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from orderstream_workers.runtime.topology import BucketSpec


def archive_bucket(scope: Construct, spec: BucketSpec, *, called: str, key: kms.IKey) -> s3.Bucket:
    """A private bucket that refuses a put without ``If-None-Match``: no object is ever replaced.

    Args:
        scope: Where it belongs.
        spec: Its declaration.
        called: Its name in AWS.
        key: Encrypts it, with a bucket key.
    """
    bucket = s3.Bucket(
        scope,
        f"Bucket-{spec.name}",
        bucket_name=called,
        block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
        object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
        encryption=s3.BucketEncryption.KMS,
        encryption_key=key,
        bucket_key_enabled=True,
        enforce_ssl=True,
        minimum_tls_version=1.2,
        versioned=True,
        removal_policy=RemovalPolicy.RETAIN,
    )
    bucket.add_to_resource_policy(
        iam.PolicyStatement(
            sid="NothingIsReplaced",
            effect=iam.Effect.DENY,
            principals=[iam.AnyPrincipal()],
            actions=["s3:PutObject"],
            resources=[bucket.arn_for_objects("*")],
            conditions={"Null": {"s3:if-none-match": "true"}, "Bool": {"s3:ObjectCreationOperation": "true"}},
        )
    )
    return bucket
