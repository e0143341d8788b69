"""Where tasks run, and by which names they are found."""

from aws_cdk import CfnOutput
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_servicediscovery as discovery
from constructs import Construct

from orderstream_infra.resources.network.security_groups import SecurityGroups


class ProcessCluster(Construct):
    """A cluster in a network.

    Args:
        scope: Where it belongs.
        called: Its name in AWS.
        vpc: The network.
        insights: Whether CloudWatch keeps figures of each task, which costs by the figure.

    Attributes:
        cluster: The cluster.
        names: Where the names of its services are known, in this network alone.
    """

    def __init__(self, scope: Construct, called: str, *, vpc: ec2.IVpc, insights: bool) -> None:
        super().__init__(scope, "Cluster")
        self.cluster = ecs.Cluster(
            self,
            "Cluster",
            cluster_name=called,
            vpc=vpc,
            container_insights_v2=(
                ecs.ContainerInsights.ENABLED if insights else ecs.ContainerInsights.DISABLED
            ),
        )
        self.names = discovery.PrivateDnsNamespace(self, "Names", name=f"{called}.internal", vpc=vpc)


def subnets_of_commands(
    scope: Construct, subnets: ec2.SelectedSubnets, groups: SecurityGroups, *, public: bool
) -> None:
    """Say where a command of an operator runs that uses the database, as ``aws ecs run-task`` takes it.

    Args:
        scope: Where the output belongs.
        subnets: Where.
        groups: Whom it may reach.
        public: Whether it gets out by an address in the internet.
    """
    named = ",".join(group.security_group_id for group in (groups.tasks, groups.database_users))
    address = "ENABLED" if public else "DISABLED"
    CfnOutput(
        scope,
        "DatabaseUsers",
        value=f"awsvpcConfiguration={{subnets=[{','.join(subnets.subnet_ids)}],"
        f"securityGroups=[{named}],assignPublicIp={address}}}",
        description="Where a task runs that uses the database, as aws ecs run-task takes it",
    )
