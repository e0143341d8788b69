"""The network: tasks reach AWS by endpoints of this VPC, and the internet by one guarded way out alone.

::

    tasks (two zones) ───> endpoints of the services that we call, which let our resources through
    egress (one zone) ───> the same
                      └──> firewall: the names that are allowed ──> NAT ──> internet
    databases (two zones): no way out at all; their users get in

What needs an outside service is in the ``egress`` subnet; nothing comes in from outside anywhere.
"""

from collections.abc import Iterable
from typing import Final

from aws_cdk import Fn, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_networkfirewall as firewall
from constructs import Construct

from orderstream_infra.resources.logs import kept_log
from orderstream_infra.resources.policies import arn_of
from orderstream_infra.rights import Right

_CIDR: Final = "10.0.0.0/16"
_EGRESS: Final = "10.0.241.0/24"
_FIREWALL: Final = "10.0.240.0/28"
_NAT: Final = "10.0.240.16/28"
_ANYWHERE: Final = "0.0.0.0/0"

POSTGRESQL: Final = 5433
"""The database's port: not the one at which everybody looks first."""

_INTERFACES: Final = {
    "kinesis": ec2.InterfaceVpcEndpointAwsService.KINESIS_STREAMS,
    "ses": ec2.InterfaceVpcEndpointAwsService.EMAIL,
    "sns": ec2.InterfaceVpcEndpointAwsService.SNS,
    "sqs": ec2.InterfaceVpcEndpointAwsService.SQS,
}
_GATEWAYS: Final = {
    "dynamodb": ec2.GatewayVpcEndpointAwsService.DYNAMODB,
    "s3": ec2.GatewayVpcEndpointAwsService.S3,
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
        security_group: Of every task.
        database_users: Of the tasks that use the database, besides.
        database: Of the database.
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
        # CloudFormation picks the zones: the CDK would ask AWS for them, and synthesis asks nobody.
        zones = [Fn.select(index, Fn.get_azs()) for index in range(2)]
        self.vpc = ec2.Vpc(
            self,
            "Vpc",
            ip_addresses=ec2.IpAddresses.cidr(_CIDR),
            availability_zones=zones,
            nat_gateways=0,
            subnet_configuration=[
                ec2.SubnetConfiguration(
                    name="tasks", subnet_type=ec2.SubnetType.PRIVATE_ISOLATED, cidr_mask=20
                ),
                ec2.SubnetConfiguration(
                    name="databases", subnet_type=ec2.SubnetType.PRIVATE_ISOLATED, cidr_mask=24
                ),
            ],
            restrict_default_security_group=False,
        )
        self.tasks = ec2.SubnetSelection(subnets=self.vpc.select_subnets(subnet_group_name="tasks").subnets)
        self.databases = self.vpc.select_subnets(subnet_group_name="databases").subnets
        guarded = _guarded_way_out(self, self.vpc, zones[0], sorted(set(names)))
        self.egress = ec2.SubnetSelection(subnets=[guarded])
        self.security_group = ec2.SecurityGroup(
            self, "Tasks", vpc=self.vpc, allow_all_outbound=False, description="Nothing in, TLS out"
        )
        # The two gateway endpoints have no address of this VPC: where TLS can get to, the routes decide.
        self.security_group.add_egress_rule(
            ec2.Peer.any_ipv4(), ec2.Port.tcp(443), "TLS, as far as routes go"
        )
        self.database_users = ec2.SecurityGroup(
            self, "DatabaseUsers", vpc=self.vpc, allow_all_outbound=False, description="To the database"
        )
        self.database = ec2.SecurityGroup(
            self, "Database", vpc=self.vpc, allow_all_outbound=False, description="From its users alone"
        )
        port = ec2.Port.tcp(POSTGRESQL)
        self.database_users.add_egress_rule(self.database, port, "the database, over TLS")
        self.database.add_ingress_rule(self.database_users, port, "its users")
        self._reachable = ec2.SecurityGroup(
            self, "Endpoints", vpc=self.vpc, allow_all_outbound=False, description="TLS from tasks"
        )
        self._reachable.add_ingress_rule(ec2.Peer.ipv4(_CIDR), ec2.Port.tcp(443), "TLS from tasks")
        self._endpoints(list(rights), repository)
        self._flow_log(key)

    def secrets_endpoint(self, scope: Construct, rights: Iterable[Right]) -> None:
        """Make the endpoint of Secrets Manager, once there is a secret.

        Args:
            scope: Where it belongs: its policy names the secret, whose ARN is known to who has made it.
            rights: Those to secrets, of all processes.
        """
        statements = _let_through(scope, "secretsmanager", list(rights))
        self._interface(
            scope, "secretsmanager", ec2.InterfaceVpcEndpointAwsService.SECRETS_MANAGER, statements
        )

    def _endpoints(self, rights: list[Right], repository: str) -> None:
        stack = Stack.of(self)
        starting = {
            "ecr.api": (
                ec2.InterfaceVpcEndpointAwsService.ECR,
                [_ours(["ecr:GetAuthorizationToken"], ["*"], stack.account)],
            ),
            "ecr.dkr": (
                ec2.InterfaceVpcEndpointAwsService.ECR_DOCKER,
                [_ours(["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"], [repository], stack.account)],
            ),
            "logs": (
                ec2.InterfaceVpcEndpointAwsService.CLOUDWATCH_LOGS,
                [
                    _ours(
                        ["logs:CreateLogStream", "logs:PutLogEvents"],
                        [_log_groups(stack)],
                        stack.account,
                    )
                ],
            ),
        }
        services = sorted({right.service for right in rights})
        interfaces = {
            service: (_INTERFACES[service], _let_through(self, service, rights))
            for service in services
            if service in _INTERFACES
        }
        for name, (interface, statements) in (starting | interfaces).items():
            self._interface(self, name, interface, statements)
        for service, gateway in _GATEWAYS.items():
            made = self.vpc.add_gateway_endpoint(
                f"Endpoint-{service}", service=gateway, subnets=[self.tasks, self.egress]
            )
            for statement in _let_through(self, service, rights):
                made.add_to_policy(statement)
            if service == "s3":
                made.add_to_policy(_layers(stack))

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

    def _flow_log(self, key: kms.IKey) -> None:
        """What was not let through: a task that looks for a way out leaves a trace."""
        log = kept_log(self, "Refused", called="/orderstream/network", key=key)
        self.vpc.add_flow_log(
            "FlowLog",
            destination=ec2.FlowLogDestination.to_cloud_watch_logs(log),
            traffic_type=ec2.FlowLogTrafficType.REJECT,
        )


def _let_through(scope: Construct, service: str, rights: list[Right]) -> list[iam.PolicyStatement]:
    """For each of our resources of a service, what any of our processes does with it."""
    allowed: dict[str, set[str]] = {}
    for right in rights:
        if right.service == service:
            actions = allowed.setdefault(arn_of(scope, right), set())
            actions |= {f"{service}:{action}" for action in right.actions}
    account = Stack.of(scope).account
    return [_ours(sorted(actions), [arn], account) for arn, actions in sorted(allowed.items())]


def _log_groups(stack: Stack) -> str:
    """Those of our tasks, and the streams in them."""
    return f"arn:{stack.partition}:logs:{stack.region}:{stack.account}:log-group:/orderstream/*"


def _ours(actions: list[str], resources: list[str], account: str) -> iam.PolicyStatement:
    """Of this account's principals alone: stolen credentials of another account lead nowhere from here."""
    return iam.PolicyStatement(
        principals=[iam.AnyPrincipal()],
        actions=actions,
        resources=resources,
        conditions={"StringEquals": {"aws:PrincipalAccount": account}},
    )


def _layers(stack: Stack) -> iam.PolicyStatement:
    """Where the region's registry keeps the layers of images; it is asked with signed addresses."""
    return iam.PolicyStatement(
        principals=[iam.AnyPrincipal()],
        actions=["s3:GetObject"],
        resources=[f"arn:{stack.partition}:s3:::prod-{stack.region}-starport-layer-bucket/*"],
    )


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
