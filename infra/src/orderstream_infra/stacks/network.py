"""Where everything runs: one network with one guarded way out, and a cluster in it."""

from collections.abc import Iterable
from typing import Final
from urllib.parse import urlsplit

from aws_cdk import aws_kms as kms
from constructs import Construct

from orderstream_infra.deployment import Deployment
from orderstream_infra.resources.cluster import ProcessCluster, subnets_of_commands
from orderstream_infra.resources.network.closed import Network
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

    Attributes:
        network: The network.
        cluster: The cluster.
        names: Where the names of services are known.
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
        made = ProcessCluster(self, CLUSTER, vpc=self.network.vpc, insights=True)
        self.cluster, self.names = made.cluster, made.names
        subnets = self.network.vpc.select_subnets(subnet_group_name="tasks")
        subnets_of_commands(self, subnets, self.network.groups, public=False)
