"""The size ``small``: one task runs the whole pipeline, with one role, in a network that costs nothing."""

from collections.abc import Mapping
from typing import Any

import pytest

from conftest import DEPLOYMENT
from orderstream_infra.app import settings_of
from orderstream_infra.resources.read_model import VERSION
from orderstream_workers.runtime.settings import HEALTH_PORT, Settings
from orderstream_workers.runtime.topology import StreamApplication, Topology
from orderstream_workers.runtime.topology.lifetimes import BACKUPS
from orderstream_workers.runtime.topology.log_queries import QUERIES

LOG = "/orderstream/small"


@pytest.fixture(scope="module")
def resources(small: Mapping[str, Any]) -> Mapping[str, Any]:
    """The resources of its own stack, by their logical id."""
    found: Mapping[str, Any] = small["orderstream-small"]["Resources"]
    return found


def of(resources: Mapping[str, Any], kind: str) -> list[dict[str, Any]]:
    return [one["Properties"] for one in resources.values() if one["Type"] == kind]


@pytest.fixture(scope="module")
def containers(resources: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The containers of its one task, by their name."""
    (task,) = of(resources, "AWS::ECS::TaskDefinition")
    return {container["Name"]: container for container in task["ContainerDefinitions"]}


def test_one_task_runs_every_process(
    resources: Mapping[str, Any], containers: Mapping[str, Any], declared: Topology
) -> None:
    """All applications in one process, each other process in its own, and one service of one task."""
    apart = {one.name for one in declared.processes if not isinstance(one, StreamApplication)}
    assert set(containers) == {"migration", "workers", *apart}
    assert containers["workers"]["Command"] == ["orderstream", "worker", "--all"]
    for process in declared.processes:
        if process.name in apart:
            command = containers[process.name]["Command"]
            assert command[: 1 + len(process.command)] == ["orderstream", *process.command]
    (service,) = of(resources, "AWS::ECS::Service")
    configuration = service["DeploymentConfiguration"]
    assert (configuration["MinimumHealthyPercent"], configuration["MaximumPercent"]) == (0, 100)
    assert service["DesiredCount"] == 1


def test_each_container_answers_for_itself(containers: Mapping[str, Any]) -> None:
    """They share an address, so each has a port of its own for its probe; one that ends is restarted."""
    ports = {}
    for name, container in containers.items():
        variables = {each["Name"]: each["Value"] for each in container["Environment"]}
        if name != "migration":
            ports[name] = variables[HEALTH_PORT]
            assert container["HealthCheck"]["Command"] == ["CMD", "python", "-m", "orderstream_workers.probe"]
            assert container["RestartPolicy"] == {"Enabled": True}
        assert container["ReadonlyRootFilesystem"] is True
        assert container["User"] == "10001:10001"
    assert len(set(ports.values())) == len(ports)
    assert ports["api"] == "8080"


def test_tables_are_made_before_anything_starts(containers: Mapping[str, Any]) -> None:
    """The migration goes first; were its database away, the others start all the same: orders are taken."""
    assert containers["migration"]["Command"] == ["orderstream", "read-model", "migrate", "--aws"]
    assert containers["migration"]["Essential"] is False
    for name in containers.keys() - {"migration"}:
        assert containers[name]["DependsOn"] == [{"Condition": "COMPLETE", "ContainerName": "migration"}]


def test_its_settings_are_those_of_the_deployment(containers: Mapping[str, Any]) -> None:
    """Each setting is known, and none holds a secret."""
    for container in containers.values():
        environment = {each["Name"]: each["Value"] for each in container["Environment"]}
        assert environment.pop("AWS_REGION") == DEPLOYMENT.region
        expected = settings_of(DEPLOYMENT)
        for field in ("read_model_url", "read_model_secret"):
            variable = Settings.variables()[field]
            assert "ReadModelServer" in str(environment[variable])
            environment[variable] = getattr(expected, field)
        environment[HEALTH_PORT] = str(expected.health_port)
        assert Settings.from_environment(environment) == expected


def test_nothing_in_it_costs_by_the_hour_but_what_works(resources: Mapping[str, Any]) -> None:
    """No Aurora, no NAT, no firewall, no load balancer, and no endpoint but the two that are free."""
    kinds = {one["Type"] for one in resources.values()}
    assert not kinds & {
        "AWS::RDS::DBCluster",
        "AWS::EC2::NatGateway",
        "AWS::NetworkFirewall::Firewall",
        "AWS::ElasticLoadBalancingV2::LoadBalancer",
    }
    assert {each["VpcEndpointType"] for each in of(resources, "AWS::EC2::VPCEndpoint")} == {"Gateway"}
    assert len(of(resources, "AWS::RDS::DBInstance")) == 1


def test_a_task_gets_out_and_the_database_does_not(resources: Mapping[str, Any]) -> None:
    """The task has an address in the internet; the subnets of the database have no route but to their own."""
    (service,) = of(resources, "AWS::ECS::Service")
    network = service["NetworkConfiguration"]["AwsvpcConfiguration"]
    assert network["AssignPublicIp"] == "ENABLED"
    (group,) = of(resources, "AWS::RDS::DBSubnetGroup")
    tables = {
        each["SubnetId"]["Ref"]: each["RouteTableId"]["Ref"]
        for each in of(resources, "AWS::EC2::SubnetRouteTableAssociation")
    }
    routed = {route["RouteTableId"]["Ref"] for route in of(resources, "AWS::EC2::Route")}
    routed |= {
        table["Ref"] for each in of(resources, "AWS::EC2::VPCEndpoint") for table in each["RouteTableIds"]
    }
    assert {tables[subnet["Ref"]] for subnet in network["Subnets"]} <= routed
    assert not {tables[subnet["Ref"]] for subnet in group["SubnetIds"]} & routed
    assert not [one for one in of(resources, "AWS::EC2::Subnet") if one["MapPublicIpOnLaunch"]]


def test_its_read_model_outlives_the_stack(resources: Mapping[str, Any]) -> None:
    """Encrypted, backed up, protected, over TLS alone, with a password that nobody writes down."""
    (server,) = (one for one in resources.values() if one["Type"] == "AWS::RDS::DBInstance")
    assert (server["DeletionPolicy"], server["UpdateReplacePolicy"]) == ("Retain", "Retain")
    properties = server["Properties"]
    assert properties["DeletionProtection"] is True
    assert properties["BackupRetentionPeriod"] == BACKUPS.days
    assert properties["StorageEncrypted"] is True
    assert properties["MasterUserSecret"] == {"KmsKeyId": properties["KmsKeyId"]}
    assert properties["ManageMasterUserPassword"] is True
    assert "MasterUserPassword" not in properties
    assert properties["PubliclyAccessible"] is False
    assert properties["EngineVersion"] == VERSION
    (parameters,) = of(resources, "AWS::RDS::DBParameterGroup")
    assert parameters["Parameters"] == {"rds.force_ssl": "1"}
    assert f"/aws/rds/instance/{properties['DBInstanceIdentifier']}/postgresql" in {
        log["LogGroupName"] for log in of(resources, "AWS::Logs::LogGroup")
    }


def test_the_queries_of_the_logs_ask_its_one_log(resources: Mapping[str, Any]) -> None:
    """The same questions as of the size standard."""
    (log,) = (name for name, one in resources.items() if one["Properties"].get("LogGroupName") == LOG)
    saved = of(resources, "AWS::Logs::QueryDefinition")
    assert {one["Name"] for one in saved} == {f"orderstream/{query.name}" for query in QUERIES}
    assert all(one["LogGroupNames"] == [{"Ref": log}] for one in saved)
