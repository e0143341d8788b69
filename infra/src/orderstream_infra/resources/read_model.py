"""The read model's database: Aurora PostgreSQL, with no server to look after and no password to keep."""

import math
from typing import Final

from aws_cdk import CfnDeletionPolicy
from aws_cdk import aws_kms as kms
from aws_cdk import aws_rds as rds
from constructs import Construct

from orderstream_infra.resources.logs import DATABASE, DATABASE_LOG, kept_log
from orderstream_infra.resources.network import POSTGRESQL, Network
from orderstream_workers.runtime.topology import DatabaseSpec
from orderstream_workers.runtime.topology.lifetimes import BACKUPS

VERSION: Final = "18.4"
"""The version that the tests of the read model run on."""

_FAMILY: Final = "aurora-postgresql18"
_DATABASE: Final = "orderstream"
_USER: Final = "orderstream"
_SMALLEST: Final = 0.5
_LARGEST: Final = 8.0
"""Capacity units, of 2 GB of memory each."""


class ReadModel(Construct):
    """A cluster with a writer in one zone and a reader, which takes over, in another.

    Its master user is made by Amazon RDS, which keeps the password in Secrets Manager and changes it every
    seven days. Nothing is lost with its stack: the cluster is protected from deletion, and retained.

    Args:
        scope: Where it belongs.
        spec: Its declaration.
        network: Where it is: in subnets without a way out, reached by its users and nobody else.
        key: Encrypts data, backups and the secret.
    """

    def __init__(
        self,
        scope: Construct,
        spec: DatabaseSpec,
        *,
        network: Network,
        key: kms.IKey,
    ) -> None:
        super().__init__(scope, "ReadModel")
        group = rds.CfnDBSubnetGroup(
            self,
            "Subnets",
            db_subnet_group_description=spec.name,
            subnet_ids=[subnet.subnet_id for subnet in network.databases],
        )
        only_tls = rds.CfnDBClusterParameterGroup(
            self,
            "Parameters",
            description="TLS alone",
            family=_FAMILY,
            parameters={"rds.force_ssl": "1"},
        )
        # RDS would make it without an end, and without the key.
        log = kept_log(self, "Log", called=DATABASE_LOG, key=key)
        assert BACKUPS.days is not None
        cluster = rds.CfnDBCluster(
            self,
            "Cluster",
            db_cluster_identifier=DATABASE,
            engine="aurora-postgresql",
            engine_version=VERSION,
            database_name=_DATABASE,
            port=POSTGRESQL,
            master_username=_USER,
            manage_master_user_password=True,
            master_user_secret=rds.CfnDBCluster.MasterUserSecretProperty(kms_key_id=key.key_arn),
            serverless_v2_scaling_configuration=rds.CfnDBCluster.ServerlessV2ScalingConfigurationProperty(
                min_capacity=_SMALLEST, max_capacity=_LARGEST
            ),
            db_subnet_group_name=group.ref,
            vpc_security_group_ids=[network.database.security_group_id],
            db_cluster_parameter_group_name=only_tls.ref,
            storage_encrypted=True,
            kms_key_id=key.key_arn,
            backup_retention_period=math.floor(BACKUPS.days),
            copy_tags_to_snapshot=True,
            deletion_protection=True,
            enable_cloudwatch_logs_exports=["postgresql"],
        )
        cluster.node.add_dependency(log)
        cluster.cfn_options.deletion_policy = CfnDeletionPolicy.RETAIN
        cluster.cfn_options.update_replace_policy = CfnDeletionPolicy.RETAIN
        for name in ("First", "Second"):
            instance = rds.CfnDBInstance(
                self,
                name,
                engine="aurora-postgresql",
                db_instance_class="db.serverless",
                db_cluster_identifier=cluster.ref,
                auto_minor_version_upgrade=False,
                publicly_accessible=False,
            )
            instance.cfn_options.deletion_policy = CfnDeletionPolicy.RETAIN
            instance.cfn_options.update_replace_policy = CfnDeletionPolicy.RETAIN
        self.url = (
            f"postgresql+psycopg://{cluster.attr_endpoint_address}:{cluster.attr_endpoint_port}/{_DATABASE}"
        )
        """Where the writer is, without user and password."""
        self.secret_arn = cluster.attr_master_user_secret_secret_arn
        """The secret that holds both."""
