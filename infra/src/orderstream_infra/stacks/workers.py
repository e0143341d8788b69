"""What works on orders: a service for each process."""

from typing import Final

from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_kms as kms
from aws_cdk import aws_servicediscovery as discovery
from constructs import Construct

from orderstream_infra.deployment import Deployment
from orderstream_infra.resources.network.closed import Network
from orderstream_infra.resources.process_service import Location, ProcessService
from orderstream_infra.resources.process_task import ProcessTask, command_of
from orderstream_infra.resources.queries import saved_queries
from orderstream_infra.resources.scaling import scaled
from orderstream_infra.rights import rights_of
from orderstream_infra.stacks.deployed import DeployedStack
from orderstream_infra.stacks.network import outside
from orderstream_workers.runtime.settings import Settings
from orderstream_workers.runtime.topology import DatabaseSpec, Process, StreamApplication, Topology

WORKERS: Final = "orderstream-workers"
"""The stack's name."""

_MOST: Final = 4
"""Tasks of what reads no stream, or one on demand, at most."""


class WorkersStack(DeployedStack):
    """Every process.

    Args:
        scope: The app.
        deployment: Where it goes, and which image it runs.
        declared: The pipeline.
        settings: Those of every process.
        network: Where they are.
        cluster: Where they run.
        names: Where the name of what takes requests is known.
        key: The project's key.

    Attributes:
        taking: What knows the tasks that take requests; by the process's name.
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
        names: discovery.INamespace,
        key: kms.IKey,
    ) -> None:
        super().__init__(scope, WORKERS, deployment, "what works on orders")
        environment = settings.to_environment() | {"AWS_REGION": deployment.region}
        self.taking: dict[str, discovery.IService] = {}
        logs = []
        for process in declared.processes:
            on_database = any(isinstance(resource, DatabaseSpec) for resource in process.resources)
            takes_requests = process.serves == "http"
            groups = network.groups
            task = ProcessTask(
                self,
                process.name,
                commands=[command_of(process, process.name)],
                image=deployment.pulled,
                environment=environment,
                rights=rights_of(process, settings),
                key=key,
            )
            logs.append(task.log)
            service = ProcessService(
                self,
                process.name,
                task=task,
                location=Location(
                    cluster=cluster,
                    subnets=network.egress if outside(process, settings) else network.tasks,
                    groups=[
                        groups.tasks,
                        *([groups.database_users] if on_database else []),
                        *([groups.api] if takes_requests else []),
                    ],
                ),
                stopped=deployment.stopped,
                seamless=takes_requests,
            )
            if not deployment.stopped:
                lag_of = process.name if isinstance(process, StreamApplication) else None
                scaled(service.service, most=_most(process, deployment), lag_of=lag_of)
            if takes_requests:
                self.taking[process.name] = service.found_in(names, process.name)
        saved_queries(self, logs)


def _most(process: Process, deployment: Deployment) -> int:
    """Tasks at most: a shard is worked on by one task at a time, so more than there are shards are idle."""
    if not isinstance(process, StreamApplication):
        return _MOST
    return process.reads.shards or deployment.new_shards or _MOST
