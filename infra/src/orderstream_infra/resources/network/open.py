"""The network of the size ``small``: a task has an address in the internet, and nothing there reaches it.

::

    tasks (two zones) ───> internet, over TLS alone
                      └──> DynamoDB and S3 by endpoints, which let our resources through
    databases (two zones): no way out at all; their users get in

It has no endpoint that costs by the hour, no NAT and no firewall.
"""

from collections.abc import Iterable
from typing import Final

from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_kms as kms
from constructs import Construct

from orderstream_infra.resources.logs import refusals_logged
from orderstream_infra.resources.network.endpoints import gateway_endpoints
from orderstream_infra.resources.network.security_groups import SecurityGroups
from orderstream_infra.resources.network.two_zones import two_zones
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
        made = two_zones(
            self,
            cidr=_CIDR,
            tasks=ec2.SubnetConfiguration(
                name="tasks", subnet_type=ec2.SubnetType.PUBLIC, cidr_mask=24, map_public_ip_on_launch=False
            ),
        )
        self.vpc, self.tasks, self.databases = made.vpc, made.tasks, made.databases.subnets
        self.groups = SecurityGroups(self, self.vpc)
        gateway_endpoints(self, self.vpc, [self.tasks], list(rights))
        refusals_logged(self, self.vpc, called="/orderstream/small-network", key=key)
