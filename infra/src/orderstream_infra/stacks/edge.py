"""What callers reach: the gateway in front of the orders API."""

from typing import Final

from aws_cdk import aws_kms as kms
from aws_cdk import aws_servicediscovery as discovery
from constructs import Construct

from orderstream_infra.contract import routes
from orderstream_infra.deployment import Deployment
from orderstream_infra.resources.network.closed import Network
from orderstream_infra.resources.network.open import OpenNetwork
from orderstream_infra.resources.orders_api import Issuer, OrdersApi
from orderstream_infra.stacks.deployed import DeployedStack
from orderstream_workers.runtime.http.web import RECORDS_PER_SECOND_PER_SHARD

EDGE: Final = "orderstream-edge"
"""The stack's name."""

_ON_DEMAND: Final = 4
"""Shards that a new stream on demand begins with."""


class EdgeStack(DeployedStack):
    """The gateway.

    Args:
        scope: The app.
        deployment: Where it goes, and whose tokens are taken.
        network: Where the orders API is.
        tasks: What knows its tasks.
        key: The project's key.

    Attributes:
        gateway: The gateway.
    """

    def __init__(
        self,
        scope: Construct,
        deployment: Deployment,
        *,
        network: Network,
        tasks: discovery.IService,
        key: kms.IKey,
    ) -> None:
        super().__init__(scope, EDGE, deployment, "what callers reach")
        self.gateway = gateway(self, "gateway", deployment, network, tasks=tasks, key=key)


def gateway(
    scope: Construct,
    called: str,
    deployment: Deployment,
    network: Network | OpenNetwork,
    *,
    tasks: discovery.IService,
    key: kms.IKey,
) -> OrdersApi:
    """Make the gateway of a deployment, of whatever size.

    Args:
        scope: The stack.
        called: The gateway's name, after ``orderstream``.
        deployment: Whose tokens are taken, and how many shards take orders.
        network: Where the orders API is.
        tasks: What knows its tasks.
        key: The project's key.
    """
    return OrdersApi(
        scope,
        called,
        routes=routes(),
        issuer=Issuer(
            issuer=deployment.jwt_issuer,
            audience=deployment.jwt_audience,
            scope_prefix=deployment.jwt_scope_prefix,
        ),
        tasks=tasks.service_arn,
        subnets=network.vpc.select_subnets(subnet_group_name="tasks").subnets,
        group=network.groups.gateway,
        # What the API lets into the stream: more would only wait behind the gateway.
        requests_per_second=RECORDS_PER_SECOND_PER_SHARD * (deployment.new_shards or _ON_DEMAND),
        key=key,
    )
