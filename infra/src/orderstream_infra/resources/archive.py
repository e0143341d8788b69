"""The archive's bucket: what is in it stays as it was written."""

from typing import Final

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from orderstream_workers.runtime.topology import BucketSpec
from orderstream_workers.runtime.topology.lifetimes import lifetime_of

_LOCKED: Final = Duration.days(365)
"""For this long no object can be deleted without the right to bypass the lock, which no role here has: stock
and payments of a business year can be counted again from the archive alone."""


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
        object_lock_enabled=True,
        object_lock_default_retention=s3.ObjectLockRetention.governance(_LOCKED),
        lifecycle_rules=[_kept_for(spec)],
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


def _kept_for(spec: BucketSpec) -> s3.LifecycleRule:
    """What the declaration says of how long objects are kept, and where."""
    lifetime = lifetime_of(spec)
    assert lifetime is not None
    colder = (
        [
            s3.Transition(
                storage_class=s3.StorageClass.GLACIER_INSTANT_RETRIEVAL,
                transition_after=Duration.days(lifetime.colder_after),
            )
        ]
        if lifetime.colder_after is not None
        else []
    )
    return s3.LifecycleRule(
        id="AsDeclared",
        expiration=None if lifetime.days is None else Duration.days(lifetime.days),
        # The bucket keeps versions: what expires, or is deleted, is gone a year later.
        noncurrent_version_expiration=_LOCKED,
        transitions=colder,
        abort_incomplete_multipart_upload_after=Duration.days(7),
    )
