"""DynamoDB tables: those of the declaration, and a table of leases for each stream application."""

from typing import Final

from aws_cdk import RemovalPolicy
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_kinesis as kinesis
from aws_cdk import aws_kms as kms
from constructs import Construct

from orderstream_consumer.engines.embedded.leases.dynamodb import OWNER_INDEX
from orderstream_consumer.store.protocol import TableSpec
from orderstream_workers.runtime.topology import LeasesSpec

_PARTITION: Final = "pk"
_SORT: Final = "sk"


def declared_table(
    scope: Construct, spec: TableSpec, *, called: str, key: kms.IKey, changes: kinesis.IStream | None
) -> dynamodb.Table:
    """A table of the declaration.

    Args:
        scope: Where it belongs.
        spec: Its declaration.
        called: Its name in AWS.
        key: Encrypts it.
        changes: The stream that its changes are captured into; None captures none.
    """
    return _table(
        scope,
        f"Table-{spec.name}",
        called=called,
        key=key,
        partition_key=_string(_PARTITION),
        sort_key=_string(_SORT) if spec.sorted else None,
        expires=spec.expires,
        changes=changes,
    )


def lease_table(scope: Construct, spec: LeasesSpec, *, called: str, key: kms.IKey) -> dynamodb.Table:
    """The leases and checkpoints of an application, in KCL's layout.

    Args:
        scope: Where it belongs.
        spec: Its declaration.
        called: Its name in AWS.
        key: Encrypts it.
    """
    table = _table(
        scope, f"Leases-{spec.application}", called=called, key=key, partition_key=_string("leaseKey")
    )
    table.add_global_secondary_index(
        index_name=OWNER_INDEX,
        partition_key=_string("leaseOwner"),
        sort_key=_string("leaseKey"),
        projection_type=dynamodb.ProjectionType.KEYS_ONLY,
    )
    return table


def _table(
    scope: Construct,
    name: str,
    *,
    called: str,
    key: kms.IKey,
    partition_key: dynamodb.Attribute,
    sort_key: dynamodb.Attribute | None = None,
    expires: str | None = None,
    changes: kinesis.IStream | None = None,
) -> dynamodb.Table:
    """A table that outlives its stack, cannot be deleted by accident and can be restored to any second."""
    return dynamodb.Table(
        scope,
        name,
        table_name=called,
        partition_key=partition_key,
        sort_key=sort_key,
        time_to_live_attribute=expires,
        kinesis_stream=changes,
        billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
        encryption=dynamodb.TableEncryption.CUSTOMER_MANAGED,
        encryption_key=key,
        point_in_time_recovery_specification=_RECOVERABLE,
        deletion_protection=True,
        removal_policy=RemovalPolicy.RETAIN,
    )


_RECOVERABLE: Final = dynamodb.PointInTimeRecoverySpecification(point_in_time_recovery_enabled=True)


def _string(name: str) -> dynamodb.Attribute:
    return dynamodb.Attribute(name=name, type=dynamodb.AttributeType.STRING)
