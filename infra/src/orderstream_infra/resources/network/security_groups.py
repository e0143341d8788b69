"""Who may open a connection to whom. Nothing here lets anything in from outside of the network.

::

    VPC link of the gateway ──8080──> orders API
    tasks ──443──> anywhere that routes lead to
    users of the database ──5433──> database
"""

from aws_cdk import aws_ec2 as ec2
from constructs import Construct

from orderstream_infra.resources.ports import PORT, POSTGRESQL


class SecurityGroups(Construct):
    """The security groups of a network.

    Args:
        scope: Where they belong.
        vpc: The network.

    Attributes:
        tasks: Of every task: TLS out, nothing in.
        database_users: Of the tasks that use the database, besides.
        database: Of the database.
        gateway: Of the gateway's VPC link.
        api: Of the task that takes orders, besides.
    """

    def __init__(self, scope: Construct, vpc: ec2.IVpc) -> None:
        super().__init__(scope, "Groups")
        self._vpc = vpc
        self.tasks = self._group("Tasks", "Nothing in, TLS out")
        # The two gateway endpoints have no address of this VPC: where TLS can get to, the routes decide.
        self.tasks.add_egress_rule(ec2.Peer.any_ipv4(), ec2.Port.tcp(443), "TLS, as far as routes go")
        self.database_users = self._group("DatabaseUsers", "To the database")
        self.database = self._group("Database", "From its users alone")
        self.gateway = self._group("Gateway", "The VPC link of the gateway, to the orders API alone")
        self.api = self._group("Api", "From the gateway alone")
        _connected(self.database_users, self.database, POSTGRESQL, "the database, over TLS")
        _connected(self.gateway, self.api, PORT, "requests")

    def _group(self, name: str, description: str) -> ec2.SecurityGroup:
        return ec2.SecurityGroup(self, name, vpc=self._vpc, allow_all_outbound=False, description=description)


def _connected(one: ec2.SecurityGroup, other: ec2.SecurityGroup, port: int, what_for: str) -> None:
    one.add_egress_rule(other, ec2.Port.tcp(port), what_for)
    other.add_ingress_rule(one, ec2.Port.tcp(port), what_for)
