"""The gateway: exactly the routes of the OpenAPI document, each for a token of its scope."""

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_kms as kms

from conftest import DEPLOYMENT, joined
from orderstream_infra.contract import routes
from orderstream_infra.resources.orders_api import Issuer, OrdersApi
from orderstream_workers.runtime.http.web import RECORDS_PER_SECOND_PER_SHARD
from orderstream_workers.runtime.topology.lifetimes import LOGS

DOCUMENT = Path(__file__).parents[3] / "docs" / "openapi.json"


@pytest.fixture(scope="module", params=["standard", "small"])
def resources(
    request: pytest.FixtureRequest, templates: Mapping[str, Any], small: Mapping[str, Any]
) -> Mapping[str, Any]:
    """The resources of each size."""
    whole = (
        joined(templates, "network", "read-model", "workers", "edge")
        if request.param == "standard"
        else joined(small, "small")
    )
    found: Mapping[str, Any] = whole["Resources"]
    return found


def of(resources: Mapping[str, Any], kind: str) -> dict[str, dict[str, Any]]:
    return {name: one["Properties"] for name, one in resources.items() if one["Type"] == kind}


def only(resources: Mapping[str, Any], kind: str) -> dict[str, Any]:
    (found,) = of(resources, kind).values()
    return found


def test_its_routes_are_those_of_the_contract(resources: Mapping[str, Any]) -> None:
    """What the document publishes for callers is let through with its scope; ``/health`` stays inside."""
    published = {
        f"{method.upper()} {path}": operation["security"][0]["bearer"]
        for path, operations in json.loads(DOCUMENT.read_bytes())["paths"].items()
        for method, operation in operations.items()
        if operation["security"]
    }
    found = {
        route["RouteKey"]: route["AuthorizationScopes"]
        for route in of(resources, "AWS::ApiGatewayV2::Route").values()
    }
    assert found == published
    assert "POST /orders" in found


def test_each_route_asks_for_a_token_of_the_issuer(resources: Mapping[str, Any]) -> None:
    """The gateway verifies issuer and audience, which the service verifies once more."""
    ((name, authorizer),) = of(resources, "AWS::ApiGatewayV2::Authorizer").items()
    assert authorizer["JwtConfiguration"] == {
        "Issuer": DEPLOYMENT.jwt_issuer,
        "Audience": [DEPLOYMENT.jwt_audience],
    }
    for route in of(resources, "AWS::ApiGatewayV2::Route").values():
        assert route["AuthorizationType"] == "JWT"
        assert route["AuthorizerId"] == {"Ref": name}


def test_it_finds_a_task_that_is_healthy(resources: Mapping[str, Any]) -> None:
    """By Cloud Map, which ECS tells of each task's own health check; requests pass unchanged by the link."""
    integration = only(resources, "AWS::ApiGatewayV2::Integration")
    (link,) = of(resources, "AWS::ApiGatewayV2::VpcLink")
    assert (integration["ConnectionType"], integration["ConnectionId"]) == ("VPC_LINK", {"Ref": link})
    assert integration["IntegrationType"] == "HTTP_PROXY"
    assert "RequestParameters" not in integration  # no X-Caller: the service refuses it in this mode
    ((name, tasks),) = of(resources, "AWS::ServiceDiscovery::Service").items()
    assert integration["IntegrationUri"] == {"Fn::GetAtt": [name, "Arn"]}
    assert [record["Type"] for record in tasks["DnsConfig"]["DnsRecords"]] == ["SRV"]
    assert tasks["HealthCheckCustomConfig"] == {"FailureThreshold": 1}
    (registered,) = (
        registry
        for service in of(resources, "AWS::ECS::Service").values()
        for registry in service.get("ServiceRegistries", [])
    )
    assert registered == {
        "ContainerName": "api",
        "ContainerPort": 8080,
        "RegistryArn": {"Fn::GetAtt": [name, "Arn"]},
    }


def test_more_than_the_stream_takes_waits_outside(
    resources: Mapping[str, Any], templates: Mapping[str, Any]
) -> None:
    """Requests beyond what the API lets into the stream are answered with 429 before they reach it."""
    settings = only(resources, "AWS::ApiGatewayV2::Stage")["DefaultRouteSettings"]
    shards = 4 if len(of(resources, "AWS::ECS::Service")) > 1 else 1
    assert settings == {
        "ThrottlingRateLimit": RECORDS_PER_SECOND_PER_SHARD * shards,
        "ThrottlingBurstLimit": RECORDS_PER_SECOND_PER_SHARD * shards,
    }


def test_requests_are_logged_without_their_caller(resources: Mapping[str, Any]) -> None:
    """Route, status and time of each, encrypted and kept like any log; no name, no address, no token."""
    stage = only(resources, "AWS::ApiGatewayV2::Stage")
    log = resources[stage["AccessLogSettings"]["DestinationArn"]["Fn::GetAtt"][0]]["Properties"]
    assert (log["RetentionInDays"], "KmsKeyId" in log) == (LOGS.days, True)
    written = json.loads(stage["AccessLogSettings"]["Format"])
    assert "$context.status" in written.values()
    for told in ("sourceIp", "claims", "userAgent", "principal", "header"):
        assert told not in stage["AccessLogSettings"]["Format"]


def test_an_output_says_where_it_is(templates: Mapping[str, Any], small: Mapping[str, Any]) -> None:
    """Who has deployed it needs its URL next."""
    for template in (templates["orderstream-edge"], small["orderstream-small"]):
        (url,) = (one for name, one in template["Outputs"].items() if name.startswith("OrdersApiUrl"))
        assert url["Value"]["Fn::GetAtt"][1] == "ApiEndpoint"


def test_scopes_bear_the_issuers_prefix() -> None:
    """Amazon Cognito puts the resource server's name before each scope."""
    stack = Stack(App(), "any")
    network = ec2.Vpc(stack, "Vpc", max_azs=1, nat_gateways=0)
    made = OrdersApi(
        stack,
        "gateway",
        routes=routes(),
        issuer=Issuer(issuer="https://issuer.example.com/", audience="orders", scope_prefix="shop/"),
        tasks="arn:aws:servicediscovery:eu-central-1:111122223333:service/srv-1",
        subnets=network.public_subnets,
        group=ec2.SecurityGroup(stack, "Group", vpc=network),
        requests_per_second=1,
        key=kms.Key(stack, "Key"),
    )
    scopes = [
        scope
        for child in made.node.children
        if hasattr(child, "authorization_scopes")
        for scope in stack.resolve(child.authorization_scopes)
    ]
    assert set(scopes) == {"shop/orders:read", "shop/orders:write"}
    assert dataclasses.replace(DEPLOYMENT, jwt_scope_prefix="shop/").jwt_scope_prefix == "shop/"
