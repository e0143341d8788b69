"""What works on orders: a service for each process."""

from typing import Final

from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_kms as kms
from constructs import Construct

from orderstream_infra.deployment import Deployment
from orderstream_infra.resources.network import Network
from orderstream_infra.resources.process_service import ProcessService, command_of
from orderstream_infra.resources.process_task import ProcessTask
from orderstream_infra.rights import rights_of
from orderstream_infra.stacks.deployed import DeployedStack
from orderstream_infra.stacks.network import outside
from orderstream_workers.runtime.settings import Settings
from orderstream_workers.runtime.topology import DatabaseSpec, Topology

WORKERS: Final = "orderstream-workers"
"""The stack's name."""


class WorkersStack(DeployedStack):
    """Every process.

    Args:
        scope: The app.
        deployment: Where it goes, and which image it runs.
        declared: The pipeline.
        settings: Those of every process.
        network: Where they are.
        cluster: Where they run.
        key: The project's key.
    """

    def __init__(
        self,
        scope: Construct,
        deployment: Deployment,
        declared: Topology,
        settings: Settings,
        *,
        network: Network,
        cluster: ecs.ICluster,
        key: kms.IKey,
    ) -> None:
        super().__init__(scope, WORKERS, deployment, "what works on orders")
        environment = settings.to_environment() | {"AWS_REGION": deployment.region}
        for process in declared.processes:
            on_database = any(isinstance(resource, DatabaseSpec) for resource in process.resources)
            task = ProcessTask(
                self,
                process.name,
                command=command_of(process),
                image=deployment.pulled,
                environment=environment,
                rights=rights_of(process, settings),
                key=key,
            )
            ProcessService(
                self,
                process,
                task=task,
                cluster=cluster,
                security_groups=[network.security_group, *([network.database_users] if on_database else [])],
                subnets=network.egress if outside(process, settings) else network.tasks,
            )
