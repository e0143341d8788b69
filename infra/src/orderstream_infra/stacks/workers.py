"""What works on orders: a service for each process, in a network with one guarded way out."""

from typing import Final
from urllib.parse import urlsplit

from aws_cdk import CfnOutput, DefaultStackSynthesizer, Environment, Stack
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_kms as kms
from constructs import Construct

from orderstream_infra.deployment import Deployment
from orderstream_infra.resources.network import Network
from orderstream_infra.resources.process_service import ProcessService
from orderstream_infra.rights import rights_of
from orderstream_workers.runtime.settings import Settings
from orderstream_workers.runtime.topology import DatabaseSpec, HttpServiceSpec, Process, Topology

WORKERS: Final = "orderstream-workers"
"""The stack's name."""


def waiting_for_a_database(process: Process) -> bool:
    """Whether a process needs the read model, for which there is no construct yet."""
    return any(isinstance(resource, DatabaseSpec) for resource in process.resources)


def outside(process: Process, settings: Settings) -> list[str]:
    """The names of the hosts outside of AWS that a process calls, sorted."""
    urls = (settings.name_of(each) for each in process.resources if isinstance(each, HttpServiceSpec))
    return sorted({urlsplit(url).hostname or "" for url in urls})


class WorkersStack(Stack):
    """Every process but those that need the read model.

    Args:
        scope: The app.
        deployment: Where it goes, and which image it runs.
        declared: The pipeline.
        settings: Those of every process.
        key: The project's key.
    """

    def __init__(
        self, scope: Construct, deployment: Deployment, declared: Topology, settings: Settings, key: kms.IKey
    ) -> None:
        super().__init__(
            scope,
            WORKERS,
            # No bootstrap of the CDK is needed: the template alone is deployed.
            synthesizer=DefaultStackSynthesizer(generate_bootstrap_version_rule=False),
            env=Environment(account=deployment.account, region=deployment.region),
            description="Orderstream: what works on orders",
        )
        deployed = [process for process in declared.processes if not waiting_for_a_database(process)]
        rights = {process.name: rights_of(process, settings) for process in deployed}
        network = Network(
            self,
            rights=[right for of_one in rights.values() for right in of_one],
            repository=deployment.pulled.repository_arn,
            names=[name for process in deployed for name in outside(process, settings)],
            key=key,
        )
        cluster = ecs.Cluster(
            self, "Cluster", vpc=network.vpc, container_insights_v2=ecs.ContainerInsights.ENABLED
        )
        environment = settings.to_environment() | {"AWS_REGION": deployment.region}
        for process in deployed:
            ProcessService(
                self,
                process,
                cluster=cluster,
                image=deployment.pulled,
                environment=environment,
                rights=rights[process.name],
                key=key,
                security_group=network.security_group,
                subnets=network.egress if outside(process, settings) else network.tasks,
            )
        left_out = [process.name for process in declared.processes if waiting_for_a_database(process)]
        CfnOutput(
            self,
            "NotDeployed",
            value=", ".join(left_out) or "nothing",
            description="Processes that need the read model, which has to be deployed otherwise",
        )
