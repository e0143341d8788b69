"""What leads in and out: endpoints, the NAT gateway, the firewall, addresses, names."""

from typing import Final

from shard_sizing.model.cost.monthly import HOURS
from shard_sizing.model.pipeline.usage import Usage
from shard_sizing.model.template.cloudformation import Resource
from shard_sizing.model.template.priced import Priced

_SERVICES: Final = {"kinesis-streams": "kinesis", "email": "ses", "logs": "logs", "sqs": "sqs", "sns": "sns"}
"""The service behind an endpoint, as the calls of an order name it, by the end of the endpoint's name."""

_UNCOUNTED: Final = "what passes through it: traffic with hosts outside of AWS is not counted"


def endpoint(resource: Resource) -> Priced:
    """An endpoint: one in a route table is free, an interface has an hour's price in each of its subnets."""
    kind = resource.get("VpcEndpointType", "Gateway")
    if kind == "Gateway":
        return Priced(free="gateway endpoints are")
    if kind != "Interface":
        return Priced(missing=("an endpoint that is neither a gateway nor an interface",))
    zones = len(resource.items("SubnetIds"))
    if not zones:
        return Priced(missing=("an interface endpoint without subnets",))
    hours = Usage("VPC", "hours of interface endpoints in zones", zones * HOURS, "endpoint_hour")
    carried = _SERVICES.get(str(resource.get("ServiceName", "")).rsplit(".", 1)[-1])
    if carried is None:  # images and secrets: tasks ask for them when they start
        return Priced(standing=(hours,))
    return Priced(standing=(hours,), by_use=(("endpoint_gb", 1.0),), carries=(carried,))


def nat_gateway(_: Resource) -> Priced:
    """A NAT gateway, at the full price."""
    used = Usage("VPC", "hours of NAT gateways", HOURS, "nat_gateway_hour")
    return Priced(standing=(used,), missing=(_UNCOUNTED,))


def firewall(resource: Resource) -> Priced:
    """A firewall has an endpoint in each of its subnets."""
    zones = len(resource.items("SubnetMappings"))
    used = Usage("Network Firewall", "hours of endpoints", zones * HOURS, "firewall_endpoint_hour")
    return Priced(standing=(used,), missing=(_UNCOUNTED,))


def address(_: Resource) -> Priced:
    """An address, whether it is in use or not."""
    return Priced(standing=(Usage("VPC", "hours of public IPv4 addresses", HOURS, "public_ipv4_hour"),))


def flow_log(_: Resource) -> Priced:
    """The log of connections."""
    return Priced(missing=("its lines: nothing counts the connections that it logs",))


def names(_: Resource) -> Priced:
    """A namespace of Cloud Map makes a hosted zone."""
    used = Usage("Route 53", "hosted zones", 1.0, "hosted_zone_month")
    return Priced(standing=(used,), missing=("look-ups of names: nothing counts them",))
