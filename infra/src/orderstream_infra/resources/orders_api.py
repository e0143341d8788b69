"""The way to the orders API from outside: a gateway that knows the issuer, and a link into the network.

::

    caller ──TLS──> HTTP API: token, scope, throttle ──VPC link──> a healthy task, by Cloud Map ──> orders API
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from aws_cdk import CfnOutput
from aws_cdk import aws_apigatewayv2 as apigateway
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_kms as kms
from constructs import Construct

from orderstream_infra.contract import Route
from orderstream_infra.resources.logs import kept_log

_LOGGED: Final = {
    "time": "$context.requestTimeEpoch",
    "request_id": "$context.requestId",
    "route": "$context.routeKey",
    "status": "$context.status",
    "integration_status": "$context.integrationStatus",
    "latency_ms": "$context.responseLatency",
    "error": "$context.error.responseType",
    "authorizer_error": "$context.authorizer.error",
}
"""What is logged of a request: neither the caller nor an address, which no line of ours holds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Issuer:
    """Whose tokens are taken.

    Attributes:
        issuer: Their ``iss``; the gateway finds the keys from it, at ``/.well-known/openid-configuration``.
        audience: Their ``aud``.
        scope_prefix: What the issuer puts before the names of our scopes.
    """

    issuer: str
    audience: str
    scope_prefix: str = ""


class OrdersApi(Construct):
    """An HTTP API in front of the orders API, which verifies each token once more.

    Args:
        scope: Where it belongs.
        called: Its name, of its log too.
        routes: What it lets through; everything else gets 404.
        issuer: Whose tokens are taken.
        tasks: ARN of the service of Cloud Map that knows the tasks.
        subnets: Where its link into the network has addresses.
        group: Of the link: reaches the orders API and nothing else.
        requests_per_second: What it lets through of all callers together, at once too; more is refused with
            429.
        key: Encrypts its log.

    Attributes:
        id: Its id in AWS.
    """

    def __init__(
        self,
        scope: Construct,
        called: str,
        *,
        routes: Iterable[Route],
        issuer: Issuer,
        tasks: str,
        subnets: Sequence[ec2.ISubnet],
        group: ec2.ISecurityGroup,
        requests_per_second: int,
        key: kms.IKey,
    ) -> None:
        super().__init__(scope, "OrdersApi")
        api = apigateway.CfnApi(self, "Api", name=called, protocol_type="HTTP")
        self.id = api.ref
        link = apigateway.CfnVpcLink(
            self,
            "Link",
            name=called,
            subnet_ids=[subnet.subnet_id for subnet in subnets],
            security_group_ids=[group.security_group_id],
        )
        integration = apigateway.CfnIntegration(
            self,
            "Tasks",
            api_id=api.ref,
            integration_type="HTTP_PROXY",
            integration_method="ANY",
            integration_uri=tasks,
            connection_type="VPC_LINK",
            connection_id=link.ref,
            payload_format_version="1.0",
        )
        authorizer = apigateway.CfnAuthorizer(
            self,
            "Callers",
            api_id=api.ref,
            name="callers",
            authorizer_type="JWT",
            identity_source=["$request.header.Authorization"],
            jwt_configuration=apigateway.CfnAuthorizer.JWTConfigurationProperty(
                issuer=issuer.issuer, audience=[issuer.audience]
            ),
        )
        for route in routes:
            apigateway.CfnRoute(
                self,
                f"{route.method} {route.path}",
                api_id=api.ref,
                route_key=f"{route.method} {route.path}",
                target=f"integrations/{integration.ref}",
                authorization_type="JWT",
                authorizer_id=authorizer.ref,
                authorization_scopes=[f"{issuer.scope_prefix}{name}" for name in route.scopes],
            )
        log = kept_log(self, "Log", called=f"/orderstream/{called}", key=key)
        apigateway.CfnStage(
            self,
            "Stage",
            api_id=api.ref,
            stage_name="$default",
            auto_deploy=True,
            default_route_settings=apigateway.CfnStage.RouteSettingsProperty(
                throttling_rate_limit=requests_per_second, throttling_burst_limit=requests_per_second
            ),
            access_log_settings=apigateway.CfnStage.AccessLogSettingsProperty(
                destination_arn=log.log_group_arn, format=json.dumps(_LOGGED)
            ),
        )
        CfnOutput(self, "Url", value=api.attr_api_endpoint, description="Where callers place orders")
