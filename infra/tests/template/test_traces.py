"""A share of the orders is traced into AWS X-Ray where a deployment asks for it, without a collector."""

import dataclasses
from collections.abc import Mapping
from typing import Any

import pytest
from policies import roles_of

from conftest import DEPLOYMENT, templates_in
from orderstream_infra.app import pipeline

SENDING = "xray:PutTraceSegments"


@pytest.fixture(scope="module")
def traced(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Any]:
    """The templates of a deployment that traces one order in twenty."""
    folder = tmp_path_factory.mktemp("traced")
    pipeline(dataclasses.replace(DEPLOYMENT, traced=0.05), out=str(folder)).synth()
    return templates_in(folder)


def endpoints(templates: Mapping[str, Any]) -> dict[str, Any]:
    """By service, what an interface endpoint of the network lets through."""
    return {
        str(one["Properties"]["ServiceName"]).rpartition(".")[2]: one["Properties"]["PolicyDocument"][
            "Statement"
        ]
        for one in templates["orderstream-network"]["Resources"].values()
        if one["Type"] == "AWS::EC2::VPCEndpoint" and one["Properties"].get("VpcEndpointType") == "Interface"
    }


def variables(templates: Mapping[str, Any]) -> list[dict[str, str]]:
    """The variables of each container of the workers."""
    return [
        {one["Name"]: one["Value"] for one in container["Environment"]}
        for resource in templates["orderstream-workers"]["Resources"].values()
        if resource["Type"] == "AWS::ECS::TaskDefinition"
        for container in resource["Properties"]["ContainerDefinitions"]
    ]


def test_every_process_sends_signed_requests_to_the_region_s_endpoint(traced: Mapping[str, Any]) -> None:
    """Its role may, and for nothing else of X-Ray."""
    for given in variables(traced):
        assert given["ORDERSTREAM_TRACING"] == "otlp"
        assert given["ORDERSTREAM_OTLP_URL"] == "https://xray.eu-central-1.amazonaws.com"
        assert given["ORDERSTREAM_TRACE_RATIO"] == "0.05"
    for process, statements in roles_of(traced).items():
        allowed = [one for one in statements if "xray:" in str(one["Action"])]
        assert [(one["Action"], one["Resource"]) for one in allowed] == [(SENDING, "*")], process


def test_the_closed_network_has_a_way_to_x_ray(traced: Mapping[str, Any]) -> None:
    """An endpoint, which lets spans of this account's roles through."""
    (statement,) = endpoints(traced)["xray"]
    assert (statement["Action"], statement["Resource"]) == (SENDING, "*")
    assert statement["Condition"] == {"StringEquals": {"aws:PrincipalAccount": DEPLOYMENT.account}}


def test_it_is_off_unless_it_is_asked_for(templates: Mapping[str, Any]) -> None:
    """Neither a right nor an endpoint, which costs money by the hour."""
    assert {given["ORDERSTREAM_TRACING"] for given in variables(templates)} == {"none"}
    assert "xray" not in endpoints(templates)
    assert not [
        one for statements in roles_of(templates).values() for one in statements if "xray" in str(one)
    ]


def test_the_endpoint_is_that_of_the_part_of_aws() -> None:
    """China has names of its own."""
    there = dataclasses.replace(DEPLOYMENT, region="cn-north-1")
    assert there.xray_url == "https://xray.cn-north-1.amazonaws.com.cn"
