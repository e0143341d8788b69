"""What the endpoints of a network let through: what our roles may do with our resources, and nothing else."""

from collections.abc import Iterable
from typing import Final

from aws_cdk import Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from constructs import Construct

from orderstream_infra.resources.policies import arn_of
from orderstream_infra.rights import Right

_GATEWAYS: Final = {
    "dynamodb": ec2.GatewayVpcEndpointAwsService.DYNAMODB,
    "s3": ec2.GatewayVpcEndpointAwsService.S3,
}


def gateway_endpoints(
    scope: Construct, vpc: ec2.Vpc, subnets: list[ec2.SubnetSelection], rights: list[Right]
) -> None:
    """Make the endpoints of DynamoDB and S3, which cost nothing and are a route of their own.

    Args:
        scope: In whose account and region our resources are.
        vpc: The network.
        subnets: From where they are reached.
        rights: Of all processes there.
    """
    for service, gateway in _GATEWAYS.items():
        made = vpc.add_gateway_endpoint(f"Endpoint-{service}", service=gateway, subnets=subnets)
        for statement in let_through(scope, service, rights):
            made.add_to_policy(statement)
        if service == "s3":
            made.add_to_policy(_layers(Stack.of(scope)))


def let_through(scope: Construct, service: str, rights: Iterable[Right]) -> list[iam.PolicyStatement]:
    """For each of our resources of a service, what any of our processes does with it.

    Args:
        scope: In whose account and region the resources are.
        service: As IAM spells it.
        rights: Of all processes.
    """
    allowed: dict[str, set[str]] = {}
    for right in rights:
        if right.service == service:
            actions = allowed.setdefault(arn_of(scope, right), set())
            actions |= {f"{service}:{action}" for action in right.actions}
    account = Stack.of(scope).account
    return [ours(sorted(actions), [arn], account) for arn, actions in sorted(allowed.items())]


def ours(actions: list[str], resources: list[str], account: str) -> iam.PolicyStatement:
    """Of this account's principals alone: stolen credentials of another account lead nowhere from here.

    Args:
        actions: Of one service.
        resources: Their ARNs.
        account: Ours.
    """
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
