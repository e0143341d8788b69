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
    """A table that outlives its stack, cannot be deleted by accident and can be restored to any second.

    Args:
        scope: Where it belongs.
        spec: Its declaration.
        called: Its name in AWS.
        key: Encrypts it.
        changes: The stream that its changes are captured into; None captures none.
    """
    return dynamodb.Table(
        scope,
        f"Table-{spec.name}",
        table_name=called,
        partition_key=_string(_PARTITION),
        sort_key=_string(_SORT) if spec.sorted else None,
        time_to_live_attribute=spec.expires,
        kinesis_stream=changes,
        billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
        encryption=dynamodb.TableEncryption.CUSTOMER_MANAGED,
        encryption_key=key,
        point_in_time_recovery_specification=_RECOVERABLE,
        deletion_protection=True,
        removal_policy=RemovalPolicy.RETAIN,
    )


def lease_table(scope: Construct, spec: LeasesSpec, *, called: str, key: kms.IKey) -> dynamodb.Table:
    """The leases and checkpoints of an application, in KCL's layout.

    Args:
        scope: Where it belongs.
        spec: Its declaration.
        called: Its name in AWS.
        key: Encrypts it.
    """
    table = dynamodb.Table(
        scope,
        f"Leases-{spec.application}",
        table_name=called,
        partition_key=_string("leaseKey"),
        billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
        encryption=dynamodb.TableEncryption.CUSTOMER_MANAGED,
        encryption_key=key,
        point_in_time_recovery_specification=_RECOVERABLE,
        deletion_protection=True,
        removal_policy=RemovalPolicy.RETAIN,
    )
    table.add_global_secondary_index(
        index_name=OWNER_INDEX,
        partition_key=_string("leaseOwner"),
        sort_key=_string("leaseKey"),
        projection_type=dynamodb.ProjectionType.KEYS_ONLY,
    )
    return table


_RECOVERABLE: Final = dynamodb.PointInTimeRecoverySpecification(point_in_time_recovery_enabled=True)


def _string(name: str) -> dynamodb.Attribute:
    return dynamodb.Attribute(name=name, type=dynamodb.AttributeType.STRING)
