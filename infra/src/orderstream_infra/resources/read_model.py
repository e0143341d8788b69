"""The read model's database: PostgreSQL, with no server to look after and no password to keep.

Either kind is in subnets without a way out, reached over TLS by its users alone, encrypted,
protected from deletion, and retained when its stack is deleted. Its user is made by Amazon RDS, which keeps
the password in Secrets Manager and changes it every seven days.
"""

import math
from collections.abc import Sequence
from typing import Any, Final

from aws_cdk import CfnDeletionPolicy, CfnResource
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_kms as kms
from aws_cdk import aws_rds as rds
from constructs import Construct

from orderstream_infra.resources.logs import (
    DATABASE,
    DATABASE_LOG,
    SMALL_DATABASE,
    SMALL_DATABASE_LOG,
    kept_log,
)
from orderstream_infra.resources.ports import POSTGRESQL
from orderstream_workers.runtime.settings import Settings
from orderstream_workers.runtime.topology.lifetimes import BACKUPS

VERSION: Final = "18.4"
"""The version that the tests of the read model run on."""

_DATABASE: Final = "orderstream"
_USER: Final = "orderstream"
_SMALLEST: Final = 0.5
_LARGEST: Final = 8.0
"""Capacity units, of 2 GB of memory each."""


class ReadModel(Construct):
    """Aurora: a cluster with a writer in one zone and a reader, which takes over, in another.

    Args:
        scope: Where it belongs.
        subnets: Those of databases.
        group: Of the database.
        key: Encrypts data, backups and the secret.
    """

    def __init__(
        self,
        scope: Construct,
        *,
        subnets: Sequence[ec2.ISubnet],
        group: ec2.ISecurityGroup,
        key: kms.IKey,
    ) -> None:
        super().__init__(scope, "ReadModel")
        log = kept_log(self, "Log", called=DATABASE_LOG, key=key)
        cluster = rds.CfnDBCluster(
            self,
            "Cluster",
            db_cluster_identifier=DATABASE,
            engine="aurora-postgresql",
            database_name=_DATABASE,
            port=POSTGRESQL,
            master_user_secret=rds.CfnDBCluster.MasterUserSecretProperty(kms_key_id=key.key_arn),
            serverless_v2_scaling_configuration=rds.CfnDBCluster.ServerlessV2ScalingConfigurationProperty(
                min_capacity=_SMALLEST, max_capacity=_LARGEST
            ),
            db_subnet_group_name=_subnet_group(self, subnets).ref,
            vpc_security_group_ids=[group.security_group_id],
            db_cluster_parameter_group_name=rds.CfnDBClusterParameterGroup(
                self,
                "Parameters",
                description="TLS alone",
                family="aurora-postgresql18",
                parameters={"rds.force_ssl": "1"},
            ).ref,
            **_of_both(key),
        )
        # RDS would make it without an end, and without the key.
        cluster.node.add_dependency(log)
        _retained(cluster)
        for name in ("First", "Second"):
            _retained(
                rds.CfnDBInstance(
                    self,
                    name,
                    engine="aurora-postgresql",
                    db_instance_class="db.serverless",
                    db_cluster_identifier=cluster.ref,
                    auto_minor_version_upgrade=False,
                    publicly_accessible=False,
                )
            )
        self.url = _url(cluster.attr_endpoint_address, cluster.attr_endpoint_port)
        """Where the writer is, without user and password."""
        self.secret_arn = cluster.attr_master_user_secret_secret_arn
        """The secret that holds both."""


class SmallReadModel(Construct):
    """One server in one zone. While it is away, orders are carried out, but their status cannot be read.

    Args:
        scope: Where it belongs.
        subnets: Those of databases.
        group: Of the database.
        key: Encrypts data, backups and the secret.
    """

    def __init__(
        self,
        scope: Construct,
        *,
        subnets: Sequence[ec2.ISubnet],
        group: ec2.ISecurityGroup,
        key: kms.IKey,
    ) -> None:
        super().__init__(scope, "ReadModel")
        log = kept_log(self, "Log", called=SMALL_DATABASE_LOG, key=key)
        server = rds.CfnDBInstance(
            self,
            "Server",
            db_instance_identifier=SMALL_DATABASE,
            db_instance_class="db.t4g.micro",
            engine="postgres",
            allocated_storage="20",
            max_allocated_storage=100,
            storage_type="gp3",
            multi_az=False,
            db_name=_DATABASE,
            port=str(POSTGRESQL),
            master_user_secret=rds.CfnDBInstance.MasterUserSecretProperty(kms_key_id=key.key_arn),
            db_subnet_group_name=_subnet_group(self, subnets).ref,
            vpc_security_groups=[group.security_group_id],
            db_parameter_group_name=rds.CfnDBParameterGroup(
                self,
                "Parameters",
                description="TLS alone",
                family="postgres18",
                parameters={"rds.force_ssl": "1"},
            ).ref,
            auto_minor_version_upgrade=False,
            publicly_accessible=False,
            **_of_both(key),
        )
        server.node.add_dependency(log)
        _retained(server)
        self.url = _url(server.attr_endpoint_address, server.attr_endpoint_port)
        """Where it is, without user and password."""
        self.secret_arn = server.attr_master_user_secret_secret_arn
        """The secret that holds both."""


def opened(settings: Settings, made: ReadModel | SmallReadModel) -> Settings:
    """Settings with where the read model is.

    Args:
        settings: Those of every process, but for that.
        made: The database.
    """
    variables = Settings.variables()
    return Settings.from_environment(
        settings.to_environment()
        | {variables["read_model_url"]: made.url, variables["read_model_secret"]: made.secret_arn}
    )


def _of_both(key: kms.IKey) -> dict[str, Any]:
    assert BACKUPS.days is not None
    return {
        "engine_version": VERSION,
        "master_username": _USER,
        "manage_master_user_password": True,
        "storage_encrypted": True,
        "kms_key_id": key.key_arn,
        "backup_retention_period": math.floor(BACKUPS.days),
        "copy_tags_to_snapshot": True,
        "deletion_protection": True,
        "enable_cloudwatch_logs_exports": ["postgresql"],
    }


def _subnet_group(scope: Construct, subnets: Sequence[ec2.ISubnet]) -> rds.CfnDBSubnetGroup:
    return rds.CfnDBSubnetGroup(
        scope,
        "Subnets",
        db_subnet_group_description="read model",
        subnet_ids=[subnet.subnet_id for subnet in subnets],
    )


def _retained(resource: CfnResource) -> None:
    resource.cfn_options.deletion_policy = CfnDeletionPolicy.RETAIN
    resource.cfn_options.update_replace_policy = CfnDeletionPolicy.RETAIN


def _url(address: str, port: str) -> str:
    return f"postgresql+psycopg://{address}:{port}/{_DATABASE}"
