"""The size ``small``: one task runs the whole pipeline, in a network that costs nothing."""

from typing import Final

from aws_cdk import aws_kms as kms
from constructs import Construct

from orderstream_infra.deployment import Deployment
from orderstream_infra.resources.cluster import ProcessCluster, subnets_of_commands
from orderstream_infra.resources.network.open import OpenNetwork
from orderstream_infra.resources.ports import PORT
from orderstream_infra.resources.process_service import Location, ProcessService
from orderstream_infra.resources.process_task import Command, ProcessTask, command_of
from orderstream_infra.resources.queries import saved_queries
from orderstream_infra.resources.read_model import SmallReadModel, opened
from orderstream_infra.rights import rights_of, union
from orderstream_infra.stacks.deployed import DeployedStack
from orderstream_infra.stacks.edge import gateway
from orderstream_infra.stacks.read_model import MIGRATION
from orderstream_workers.runtime.settings import Settings
from orderstream_workers.runtime.topology import Process, StreamApplication, Topology

SMALL: Final = "orderstream-small"
"""The stack's name, and that of its cluster."""

_SIZE: Final = (512, 1_024)
"""Half of a CPU, and 1 GiB."""


class SmallStack(DeployedStack):
    """Everything but what holds orders.

    Args:
        scope: The app.
        deployment: Where it goes, and which image it runs.
        declared: The pipeline.
        settings: Those of every process, but for where the read model is.
        key: The project's key.

    Attributes:
        gateway: The gateway.
    """

    def __init__(
        self,
        scope: Construct,
        deployment: Deployment,
        declared: Topology,
        settings: Settings,
        *,
        key: kms.IKey,
    ) -> None:
        super().__init__(scope, SMALL, deployment, "all of it in one task", lasting=True)
        rights = [right for process in declared.processes for right in rights_of(process, settings)]
        network = OpenNetwork(self, rights=rights, key=key)
        groups = network.groups
        made = ProcessCluster(self, SMALL, vpc=network.vpc, insights=False)
        read_model = SmallReadModel(self, subnets=network.databases, group=groups.database, key=key)
        known = opened(settings, read_model)
        apart = {
            process.name: process
            for process in declared.processes
            if not isinstance(process, StreamApplication)
        }
        task = ProcessTask(
            self,
            "small",
            commands=_commands(list(apart.values())),
            image=deployment.pulled,
            environment=known.to_environment() | {"AWS_REGION": deployment.region},
            rights=union(right for process in declared.processes for right in rights_of(process, known)),
            key=key,
            size=_SIZE,
        )
        location = Location(
            cluster=made.cluster,
            subnets=network.tasks,
            groups=[groups.tasks, groups.database_users, groups.api],
            public=True,
        )
        saved_queries(self, [task.log])
        service = ProcessService(self, "small", task=task, location=location, stopped=deployment.stopped)
        (api,) = (name for name, process in apart.items() if process.serves == "http")
        tasks = service.found_in(made.names, api)
        self.gateway = gateway(self, "small-gateway", deployment, network, tasks=tasks, key=key)
        subnets_of_commands(self, network.vpc.select_subnets(subnet_group_name="tasks"), groups, public=True)


def _commands(apart: list[Process]) -> list[Command]:
    """The migration first; then all applications in one process, and each other process in its own."""
    behind = (process for process in apart if process.serves != "http")
    return [
        MIGRATION,
        *(command_of(process, process.name) for process in apart if process.serves == "http"),
        Command(name="workers", words=("worker", "--all"), port=PORT + 1),
        *(command_of(process, process.name, port) for port, process in enumerate(behind, PORT + 2)),
    ]
