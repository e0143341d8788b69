"""The network of the size ``small``: a task has an address in the internet, and nothing there reaches it.

::

    tasks (two zones) ───> internet, over TLS alone
                      └──> DynamoDB and S3 by endpoints, which let our resources through
    databases (two zones): no way out at all; their users get in

It has no endpoint that costs by the hour, no NAT and no firewall.
"""

from collections.abc import Iterable
from typing import Final

from aws_cdk import Fn
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_kms as kms
from constructs import Construct

from orderstream_infra.resources.logs import refusals_logged
from orderstream_infra.resources.network.endpoints import gateway_endpoints
from orderstream_infra.resources.network.security_groups import SecurityGroups
from orderstream_infra.rights import Right

_CIDR: Final = "10.1.0.0/16"


class OpenNetwork(Construct):
    """A VPC of two zones.

    Args:
        scope: Where it belongs.
        rights: Of all processes in it: what its endpoints let through.
        key: Encrypts its log.

    Attributes:
        vpc: The VPC.
        tasks: The subnets of tasks.
        databases: The subnets of databases.
        groups: Who may open a connection to whom.
    """

    def __init__(self, scope: Construct, *, rights: Iterable[Right], key: kms.IKey) -> None:
        super().__init__(scope, "Network")
        # CloudFormation picks the zones: the CDK would ask AWS for them, and synthesis makes no call.
        zones = [Fn.select(number, Fn.get_azs()) for number in range(2)]
        self.vpc = ec2.Vpc(
            self,
            "Vpc",
            ip_addresses=ec2.IpAddresses.cidr(_CIDR),
            availability_zones=zones,
            nat_gateways=0,
            subnet_configuration=[
                ec2.SubnetConfiguration(
                    name="tasks",
                    subnet_type=ec2.SubnetType.PUBLIC,
                    cidr_mask=24,
                    map_public_ip_on_launch=False,
                ),
                ec2.SubnetConfiguration(
                    name="databases", subnet_type=ec2.SubnetType.PRIVATE_ISOLATED, cidr_mask=24
                ),
            ],
            restrict_default_security_group=False,
        )
        self.tasks = ec2.SubnetSelection(subnets=self.vpc.select_subnets(subnet_group_name="tasks").subnets)
        self.databases = self.vpc.select_subnets(subnet_group_name="databases").subnets
        self.groups = SecurityGroups(self, self.vpc)
        gateway_endpoints(self, self.vpc, [self.tasks], list(rights))
        refusals_logged(self, self.vpc, called="/orderstream/small-network", key=key)
