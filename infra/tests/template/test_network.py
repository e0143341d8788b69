"""The network: no task has a way to the internet but through the firewall, and endpoints let ours through."""

import copy
import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from policies import statements_by_role

from conftest import DEPLOYMENT, joined

ANYWHERE = "0.0.0.0/0"


@pytest.fixture(scope="module")
def template(templates: Mapping[str, Any]) -> Mapping[str, Any]:
    """The network, with all that is in it."""
    return joined(templates, "network", "read-model", "workers")


def of(template: Mapping[str, Any], kind: str) -> dict[str, dict[str, Any]]:
    return {name: one["Properties"] for name, one in template["Resources"].items() if one["Type"] == kind}


def subnets_of_tasks(template: Mapping[str, Any]) -> Iterator[tuple[str, str, bool]]:
    """Service, subnet, and whether tasks there get a public address."""
    for service in of(template, "AWS::ECS::Service").values():
        network = service["NetworkConfiguration"]["AwsvpcConfiguration"]
        for subnet in network["Subnets"]:
            yield service["ServiceName"], subnet["Ref"], network["AssignPublicIp"] == "ENABLED"


def routes_of(template: Mapping[str, Any], subnet: str) -> list[dict[str, Any]]:
    """The routes to anywhere of a subnet's table."""
    tables = [
        each["RouteTableId"]["Ref"]
        for each in of(template, "AWS::EC2::SubnetRouteTableAssociation").values()
        if each["SubnetId"]["Ref"] == subnet
    ]
    return [
        route
        for route in of(template, "AWS::EC2::Route").values()
        if route["RouteTableId"]["Ref"] in tables and route["DestinationCidrBlock"] == ANYWHERE
    ]


def open_egress(template: Mapping[str, Any]) -> set[str]:
    """The services whose tasks can get anywhere without passing the firewall."""
    return {
        service
        for service, subnet, public in subnets_of_tasks(template)
        if public
        or any(
            "AttrEndpointIds" not in _plain(route) and "EndpointIds" not in _plain(route)
            for route in routes_of(template, subnet)
        )
    }


def _plain(route: Mapping[str, Any]) -> str:
    return json.dumps(route.get("VpcEndpointId"))


def test_no_task_gets_anywhere_but_through_the_firewall(template: Mapping[str, Any]) -> None:
    """Only what calls a host outside of AWS has a route out at all, and that leads into the firewall."""
    assert open_egress(template) == set()
    with_route = {service for service, subnet, _ in subnets_of_tasks(template) if routes_of(template, subnet)}
    assert with_route == {"api", "payment-worker"}


def test_an_open_egress_is_found(template: Mapping[str, Any]) -> None:
    """Were it planted: a route past the firewall, or a public address."""
    past = copy.deepcopy(dict(template))
    (subnet,) = {subnet for service, subnet, _ in subnets_of_tasks(past) if service == "payment-worker"}
    (route,) = routes_of(past, subnet)
    del route["VpcEndpointId"]
    route["NatGatewayId"] = "nat"
    assert open_egress(past) == {"api", "payment-worker"}
    public = copy.deepcopy(dict(template))
    saga = next(one for one in of(public, "AWS::ECS::Service").values() if one["ServiceName"] == "saga")
    saga["NetworkConfiguration"]["AwsvpcConfiguration"]["AssignPublicIp"] = "ENABLED"
    assert open_egress(public) == {"saga"}


def test_the_firewall_knows_the_names(template: Mapping[str, Any]) -> None:
    """TLS to the provider of payments and to the issuer's key set passes, and everything else is dropped."""
    (names,) = of(template, "AWS::NetworkFirewall::RuleGroup").values()
    allowed = names["RuleGroup"]["RulesSource"]["RulesSourceList"]
    assert allowed == {
        "GeneratedRulesType": "ALLOWLIST",
        "TargetTypes": ["TLS_SNI"],
        "Targets": ["keys.example.com", "payments.example.com"],
    }
    (policy,) = of(template, "AWS::NetworkFirewall::FirewallPolicy").values()
    assert policy["FirewallPolicy"]["StatefulDefaultActions"] == ["aws:drop_established"]
    assert policy["FirewallPolicy"]["StatelessDefaultActions"] == ["aws:forward_to_sfe"]
    assert policy["FirewallPolicy"]["StatefulEngineOptions"] == {"RuleOrder": "STRICT_ORDER"}


def service_of(endpoint: Mapping[str, Any]) -> str:
    """The service of an endpoint as IAM spells it; a gateway's name is a join with the region."""
    name = endpoint["ServiceName"]
    text = name if isinstance(name, str) else "".join(map(str, name["Fn::Join"][1]))
    last = text.removeprefix(f"com.amazonaws.{DEPLOYMENT.region}.").rpartition("}")[2].lstrip(".")
    return {"kinesis-streams": "kinesis", "email": "ses"}.get(last, last)


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def test_there_is_an_endpoint_for_each_service_that_is_called(template: Mapping[str, Any]) -> None:
    """Exactly: those that roles allow, and those that ECS needs to start a task and to keep its log."""
    called = {
        action.partition(":")[0]
        for statements in statements_by_role(template["Resources"]).values()
        for statement in statements
        for action in listed(statement["Action"])
    }
    found = {service_of(endpoint) for endpoint in of(template, "AWS::EC2::VPCEndpoint").values()}
    assert found == (called - {"kms"}) | {"ecr.api", "ecr.dkr", "logs"}


def test_endpoints_let_our_resources_through(template: Mapping[str, Any]) -> None:
    """What a role allows, its service's endpoint lets through, for this account alone, and nothing else."""
    granted = {
        (action, json.dumps(resource))
        for statements in statements_by_role(template["Resources"]).values()
        for statement in statements
        for action in listed(statement["Action"])
        for resource in listed(statement["Resource"])
        if not action.startswith("kms:")
    }
    through = set()
    for endpoint in of(template, "AWS::EC2::VPCEndpoint").values():
        for statement in endpoint["PolicyDocument"]["Statement"]:
            layers = "starport-layer-bucket" in str(statement["Resource"])
            assert layers or statement["Condition"] == {
                "StringEquals": {"aws:PrincipalAccount": DEPLOYMENT.account}
            }
            if service_of(endpoint) not in {"ecr.api", "ecr.dkr", "logs"} and not layers:
                for action in listed(statement["Action"]):
                    through.add((action, json.dumps(statement["Resource"])))
    assert through == granted
