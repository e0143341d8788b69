"""What works on orders: a service for each process, in a network that lets nothing in."""

from typing import Final

from aws_cdk import CfnOutput, DefaultStackSynthesizer, Environment, Fn, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_kms as kms
from constructs import Construct

from orderstream_infra.deployment import Deployment
from orderstream_infra.resources.process_service import ProcessService
from orderstream_infra.rights import rights_of
from orderstream_workers.runtime.settings import Settings
from orderstream_workers.runtime.topology import DatabaseSpec, Process, Topology

WORKERS: Final = "orderstream-workers"
"""The stack's name."""


def waiting_for_a_database(process: Process) -> bool:
    """Whether a process needs the read model, for which there is no construct yet."""
    return any(isinstance(resource, DatabaseSpec) for resource in process.resources)


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
        network = ec2.Vpc(
            self,
            "Network",
            # CloudFormation picks the zones: the CDK would ask AWS for them, and synthesis asks nobody.
            availability_zones=[Fn.select(place, Fn.get_azs()) for place in range(2)],
            nat_gateways=0,
            subnet_configuration=[
                ec2.SubnetConfiguration(name="public", subnet_type=ec2.SubnetType.PUBLIC, cidr_mask=24)
            ],
            restrict_default_security_group=False,
            gateway_endpoints={
                "S3": ec2.GatewayVpcEndpointOptions(service=ec2.GatewayVpcEndpointAwsService.S3),
                "DynamoDB": ec2.GatewayVpcEndpointOptions(service=ec2.GatewayVpcEndpointAwsService.DYNAMODB),
            },
        )
        group = ec2.SecurityGroup(
            self, "Workers", vpc=network, allow_all_outbound=False, description="Nothing in, HTTPS out"
        )
        group.add_egress_rule(ec2.Peer.any_ipv4(), ec2.Port.tcp(443), "AWS and the payments API, over TLS")
        cluster = ecs.Cluster(
            self, "Cluster", vpc=network, container_insights_v2=ecs.ContainerInsights.ENABLED
        )
        environment = settings.to_environment() | {"AWS_REGION": deployment.region}
        for process in declared.processes:
            if waiting_for_a_database(process):
                continue
            ProcessService(
                self,
                process,
                cluster=cluster,
                image=deployment.image,
                environment=environment,
                rights=rights_of(process, settings),
                key=key,
                security_group=group,
            )
        left_out = [process.name for process in declared.processes if waiting_for_a_database(process)]
        CfnOutput(
            self,
            "NotDeployed",
            value=", ".join(left_out) or "nothing",
            description="Processes that need the read model, which has to be deployed otherwise",
        )
