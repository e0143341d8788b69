"""Where everything runs: one network with one guarded way out, and a cluster in it."""

from collections.abc import Iterable
from typing import Final
from urllib.parse import urlsplit

from aws_cdk import CfnOutput
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_kms as kms
from constructs import Construct

from orderstream_infra.deployment import Deployment
from orderstream_infra.resources.network import Network
from orderstream_infra.rights import Right
from orderstream_infra.stacks.deployed import DeployedStack
from orderstream_workers.runtime.settings import Settings
from orderstream_workers.runtime.topology import HttpServiceSpec, Process, Topology

NETWORK: Final = "orderstream-network"
"""The stack's name."""

CLUSTER: Final = "orderstream"
"""What the cluster is called in AWS."""


def outside(process: Process, settings: Settings) -> list[str]:
    """The names of the hosts outside of AWS that a process calls, sorted.

    Args:
        process: As it is declared.
        settings: With the URL of each.
    """
    urls = (settings.name_of(each) for each in process.resources if isinstance(each, HttpServiceSpec))
    return sorted({urlsplit(url).hostname or "" for url in urls})


class NetworkStack(DeployedStack):
    """The network and the cluster.

    Args:
        scope: The app.
        deployment: Where it goes, and where the image is.
        declared: The pipeline.
        settings: Those of every process.
        rights: Of all processes.
        key: The project's key.
    """

    def __init__(
        self,
        scope: Construct,
        deployment: Deployment,
        declared: Topology,
        settings: Settings,
        *,
        rights: Iterable[Right],
        key: kms.IKey,
    ) -> None:
        super().__init__(scope, NETWORK, deployment, "the network")
        self.network = Network(
            self,
            rights=rights,
            repository=deployment.pulled.repository_arn,
            names=[name for process in declared.processes for name in outside(process, settings)],
            key=key,
        )
        self.cluster = ecs.Cluster(
            self,
            "Cluster",
            cluster_name=CLUSTER,
            vpc=self.network.vpc,
            container_insights_v2=ecs.ContainerInsights.ENABLED,
        )
        subnets = self.network.vpc.select_subnets(subnet_group_name="tasks").subnet_ids
        groups = (self.network.security_group, self.network.database_users)
        named = ",".join(group.security_group_id for group in groups)
        CfnOutput(
            self,
            "DatabaseUsers",
            value=f"awsvpcConfiguration={{subnets=[{','.join(subnets)}],"
            f"securityGroups=[{named}],assignPublicIp=DISABLED}}",
            description="Where a task runs that uses the database, as aws ecs run-task takes it",
        )
