"""The network: tasks reach AWS by endpoints of this VPC, and the internet by one guarded way out alone.

::

    tasks (two zones) ───> endpoints of the services that we call, which let our resources through
    egress (one zone) ───> the same
                      └──> firewall: the names that are allowed ──> NAT ──> internet
    databases (two zones): no way out at all; their users get in

What needs an outside service is in the ``egress`` subnet. Only requests come in, by the gateway's link.
"""

from collections.abc import Iterable
from typing import Final

from aws_cdk import Fn, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_networkfirewall as firewall
from constructs import Construct

from orderstream_infra.resources.logs import refusals_logged
from orderstream_infra.resources.network.endpoints import gateway_endpoints, let_through, ours
from orderstream_infra.resources.network.security_groups import SecurityGroups
from orderstream_infra.resources.network.two_zones import two_zones
from orderstream_infra.rights import Right

_CIDR: Final = "10.0.0.0/16"
_EGRESS: Final = "10.0.241.0/24"
_FIREWALL: Final = "10.0.240.0/28"
_NAT: Final = "10.0.240.16/28"

_INTERFACES: Final = {
    "kinesis": ec2.InterfaceVpcEndpointAwsService.KINESIS_STREAMS,
    "ses": ec2.InterfaceVpcEndpointAwsService.EMAIL,
    "sns": ec2.InterfaceVpcEndpointAwsService.SNS,
    "sqs": ec2.InterfaceVpcEndpointAwsService.SQS,
    "xray": ec2.InterfaceVpcEndpointAwsService.XRAY,
}


class Network(Construct):
    """A VPC of two zones.

    Args:
        scope: Where it belongs.
        rights: Of all processes in it: what its endpoints let through.
        repository: ARN of the image's repository, which tasks are started from.
        names: The host names that may be reached over TLS outside of AWS.
        key: Encrypts its logs.

    Attributes:
        vpc: The VPC.
        tasks: The subnets of what reaches AWS alone.
        egress: The subnet of what calls a host outside of AWS, too.
        databases: The subnets of databases.
        groups: Who may open a connection to whom.
    """

    def __init__(
        self,
        scope: Construct,
        *,
        rights: Iterable[Right],
        repository: str,
        names: Iterable[str],
        key: kms.IKey,
    ) -> None:
        super().__init__(scope, "Network")
        made = two_zones(
            self,
            cidr=_CIDR,
            tasks=ec2.SubnetConfiguration(
                name="tasks", subnet_type=ec2.SubnetType.PRIVATE_ISOLATED, cidr_mask=20
            ),
        )
        self.vpc, self.tasks, self.databases = made.vpc, made.tasks, made.databases.subnets
        guarded = _guarded_way_out(self, self.vpc, made.zones[0], sorted(set(names)))
        self.egress = ec2.SubnetSelection(subnets=[guarded])
        self.groups = SecurityGroups(self, self.vpc)
        self._reachable = ec2.SecurityGroup(
            self, "Endpoints", vpc=self.vpc, allow_all_outbound=False, description="TLS from tasks"
        )
        self._reachable.add_ingress_rule(ec2.Peer.ipv4(_CIDR), ec2.Port.tcp(443), "TLS from tasks")
        self._endpoints(list(rights), repository)
        refusals_logged(self, self.vpc, called="/orderstream/network", key=key)

    def secrets_endpoint(self, scope: Construct, rights: Iterable[Right]) -> None:
        """Make the endpoint of Secrets Manager, once there is a secret.

        Args:
            scope: Where it belongs: its policy names the secret, whose ARN is known to who has made it.
            rights: Those to secrets, of all processes.
        """
        statements = let_through(scope, "secretsmanager", list(rights))
        self._interface(
            scope, "secretsmanager", ec2.InterfaceVpcEndpointAwsService.SECRETS_MANAGER, statements
        )

    def _endpoints(self, rights: list[Right], repository: str) -> None:
        stack = Stack.of(self)
        starting = {
            "ecr.api": (
                ec2.InterfaceVpcEndpointAwsService.ECR,
                [ours(["ecr:GetAuthorizationToken"], ["*"], stack.account)],
            ),
            "ecr.dkr": (
                ec2.InterfaceVpcEndpointAwsService.ECR_DOCKER,
                [ours(["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"], [repository], stack.account)],
            ),
            "logs": (
                ec2.InterfaceVpcEndpointAwsService.CLOUDWATCH_LOGS,
                [
                    ours(
                        ["logs:CreateLogStream", "logs:PutLogEvents"],
                        [_log_groups(stack)],
                        stack.account,
                    )
                ],
            ),
        }
        services = sorted({right.service for right in rights})
        interfaces = {
            service: (_INTERFACES[service], let_through(self, service, rights))
            for service in services
            if service in _INTERFACES
        }
        for name, (interface, statements) in (starting | interfaces).items():
            self._interface(self, name, interface, statements)
        gateway_endpoints(self, self.vpc, [self.tasks, self.egress], rights)

    def _interface(
        self,
        scope: Construct,
        name: str,
        service: ec2.InterfaceVpcEndpointAwsService,
        statements: list[iam.PolicyStatement],
    ) -> None:
        """An endpoint with addresses in the tasks' subnets, which lets through what statements allow."""
        endpoint = ec2.InterfaceVpcEndpoint(
            scope,
            f"Endpoint-{name}",
            vpc=self.vpc,
            service=service,
            subnets=self.tasks,
            security_groups=[self._reachable],
            open=False,
        )
        for statement in statements:
            endpoint.add_to_policy(statement)


def _log_groups(stack: Stack) -> str:
    """Those of our tasks, and the streams in them."""
    return f"arn:{stack.partition}:logs:{stack.region}:{stack.account}:log-group:/orderstream/*"


def _guarded_way_out(scope: Construct, vpc: ec2.Vpc, zone: str, names: list[str]) -> ec2.ISubnet:
    """A subnet whose only route out leads through a firewall that knows the names that may be reached."""
    egress, inspected = (
        ec2.PrivateSubnet(scope, name, vpc_id=vpc.vpc_id, availability_zone=zone, cidr_block=cidr)
        for name, cidr in (("Egress", _EGRESS), ("Firewall", _FIREWALL))
    )
    public = ec2.PublicSubnet(
        scope,
        "Public",
        vpc_id=vpc.vpc_id,
        availability_zone=zone,
        cidr_block=_NAT,
        map_public_ip_on_launch=False,
    )
    internet = ec2.CfnInternetGateway(scope, "Internet")
    attached = ec2.CfnVPCGatewayAttachment(
        scope, "Attached", vpc_id=vpc.vpc_id, internet_gateway_id=internet.ref
    )
    public.add_default_internet_route(internet.ref, attached)
    address = ec2.CfnEIP(scope, "Address", domain="vpc")
    nat = ec2.CfnNatGateway(
        scope, "Nat", subnet_id=public.subnet_id, allocation_id=address.attr_allocation_id
    )
    inspected.add_default_nat_route(nat.ref)
    endpoint = _firewall(scope, vpc, inspected, names)
    egress.add_route("Out", router_type=ec2.RouterType.VPC_ENDPOINT, router_id=endpoint)
    public.add_route(
        "Back",
        router_type=ec2.RouterType.VPC_ENDPOINT,
        router_id=endpoint,
        destination_cidr_block=_EGRESS,
    )
    return egress


def _firewall(scope: Construct, vpc: ec2.Vpc, subnet: ec2.ISubnet, names: list[str]) -> str:
    """A firewall that lets TLS to some names through and drops everything else; returns its endpoint."""
    allowed = firewall.CfnRuleGroup(
        scope,
        "Names",
        rule_group_name="orderstream-names",
        type="STATEFUL",
        capacity=max(100, len(names)),
        rule_group=firewall.CfnRuleGroup.RuleGroupProperty(
            rules_source=firewall.CfnRuleGroup.RulesSourceProperty(
                rules_source_list=firewall.CfnRuleGroup.RulesSourceListProperty(
                    generated_rules_type="ALLOWLIST", target_types=["TLS_SNI"], targets=names
                )
            ),
            stateful_rule_options=firewall.CfnRuleGroup.StatefulRuleOptionsProperty(
                rule_order="STRICT_ORDER"
            ),
        ),
    )
    policy = firewall.CfnFirewallPolicy(
        scope,
        "Policy",
        firewall_policy_name="orderstream",
        firewall_policy=firewall.CfnFirewallPolicy.FirewallPolicyProperty(
            stateless_default_actions=["aws:forward_to_sfe"],
            stateless_fragment_default_actions=["aws:drop"],
            stateful_engine_options=firewall.CfnFirewallPolicy.StatefulEngineOptionsProperty(
                rule_order="STRICT_ORDER"
            ),
            stateful_default_actions=["aws:drop_established"],
            stateful_rule_group_references=[
                firewall.CfnFirewallPolicy.StatefulRuleGroupReferenceProperty(
                    resource_arn=allowed.attr_rule_group_arn, priority=1
                )
            ],
        ),
    )
    made = firewall.CfnFirewall(
        scope,
        "Guard",
        firewall_name="orderstream",
        firewall_policy_arn=policy.attr_firewall_policy_arn,
        vpc_id=vpc.vpc_id,
        subnet_mappings=[firewall.CfnFirewall.SubnetMappingProperty(subnet_id=subnet.subnet_id)],
    )
    # One zone, one endpoint: "eu-central-1a:vpce-0123".
    return Fn.select(1, Fn.split(":", Fn.select(0, made.attr_endpoint_ids)))
