"""The VPC that both networks begin with: two zones, in each a subnet for tasks and one for databases."""

from dataclasses import dataclass

from aws_cdk import Fn
from aws_cdk import aws_ec2 as ec2
from constructs import Construct


@dataclass(frozen=True, slots=True)
class TwoZones:
    """What ``two_zones`` has made.

    Attributes:
        vpc: The VPC.
        zones: Its two zones.
        tasks: The subnets of tasks.
        databases: The subnets of databases, which have no way out.
    """

    vpc: ec2.Vpc
    zones: tuple[str, str]
    tasks: ec2.SubnetSelection
    databases: ec2.SelectedSubnets


def two_zones(scope: Construct, *, cidr: str, tasks: ec2.SubnetConfiguration) -> TwoZones:
    """Make a VPC without NAT gateways and without a default security group of ours.

    Args:
        scope: Where it belongs.
        cidr: Its addresses.
        tasks: What a subnet of tasks is; it is named ``tasks``.
    """
    # CloudFormation picks the zones: the CDK would ask AWS for them, and synthesis makes no call.
    zones = (Fn.select(0, Fn.get_azs()), Fn.select(1, Fn.get_azs()))
    databases = ec2.SubnetConfiguration(
        name="databases", subnet_type=ec2.SubnetType.PRIVATE_ISOLATED, cidr_mask=24
    )
    vpc = ec2.Vpc(
        scope,
        "Vpc",
        ip_addresses=ec2.IpAddresses.cidr(cidr),
        availability_zones=list(zones),
        nat_gateways=0,
        subnet_configuration=[tasks, databases],
        restrict_default_security_group=False,
    )
    return TwoZones(
        vpc,
        zones,
        ec2.SubnetSelection(subnets=vpc.select_subnets(subnet_group_name="tasks").subnets),
        vpc.select_subnets(subnet_group_name="databases"),
    )
