"""The services: what runs, how it starts and ends, and what can reach it."""

from collections.abc import Mapping
from typing import Any

import pytest

from conftest import DEPLOYMENT, joined
from orderstream_consumer.engines.config import EngineConfig
from orderstream_infra.resources.network import POSTGRESQL
from orderstream_workers.runtime.settings import Settings
from orderstream_workers.runtime.topology import DatabaseSpec, Topology
from orderstream_workers.runtime.topology.lifetimes import LOGS


@pytest.fixture(scope="module")
def template(templates: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = templates["orderstream-workers"]
    return found


def of(template: Mapping[str, Any], kind: str) -> list[dict[str, Any]]:
    return [one["Properties"] for one in template["Resources"].values() if one["Type"] == kind]


def containers(template: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The one container of each task, by the task's family."""
    found = {}
    for task in of(template, "AWS::ECS::TaskDefinition"):
        (container,) = task["ContainerDefinitions"]
        found[task["Family"].removeprefix("orderstream-")] = container
    return found


def test_each_process_has_a_service(template: Mapping[str, Any], declared: Topology) -> None:
    """Whatever is declared runs; what serves HTTP listens on the port of its health."""
    deployed = {each.name: each for each in declared.processes}
    commands = {name: container["Command"] for name, container in containers(template).items()}
    listening = {"http": ["--host", "0.0.0.0", "--port", "8080"], "health": []}
    assert commands == {
        name: ["orderstream", *each.command, *listening[each.serves]] for name, each in deployed.items()
    }
    assert {service["ServiceName"] for service in of(template, "AWS::ECS::Service")} == set(deployed)


def test_a_process_is_killed_after_it_has_drained(template: Mapping[str, Any]) -> None:
    """SIGTERM is followed by SIGKILL later than the longest drain, so that leases are released."""
    for name, container in containers(template).items():
        assert container["StopTimeout"] > EngineConfig().shutdown_timeout, name


def test_two_versions_never_run_at_once(template: Mapping[str, Any]) -> None:
    """A deployment stops the old task before it starts the new one: two engines never overlap."""
    for service in of(template, "AWS::ECS::Service"):
        configuration = service["DeploymentConfiguration"]
        assert (configuration["MinimumHealthyPercent"], configuration["MaximumPercent"]) == (0, 100)
        assert service["DesiredCount"] == 1


def test_a_container_can_change_nothing_of_its_own(template: Mapping[str, Any]) -> None:
    """ARM64, no root user, a read-only root folder, the image by its digest, the image's health check."""
    for task in of(template, "AWS::ECS::TaskDefinition"):
        assert task["RuntimePlatform"]["CpuArchitecture"] == "ARM64"
    for container in containers(template).values():
        assert container["User"] == "10001:10001"
        assert container["ReadonlyRootFilesystem"] is True
        assert "@sha256:" in str(container["Image"])
        assert container["HealthCheck"]["Command"] == ["CMD", "python", "-m", "orderstream_workers.probe"]
        assert container["LogConfiguration"]["Options"]["mode"] == "blocking"


def test_a_container_has_the_deployments_settings(template: Mapping[str, Any], settings: Settings) -> None:
    """Every setting is said outright, and every one of them is known; none holds a secret."""
    for container in containers(template).values():
        environment = {each["Name"]: each["Value"] for each in container["Environment"]}
        assert environment.pop("AWS_REGION") == DEPLOYMENT.region
        # The database and its secret are what the read model's stack makes: a password is nowhere.
        for field in ("read_model_url", "read_model_secret"):
            variable = Settings.variables()[field]
            assert "Fn::ImportValue" in str(environment[variable])
            environment[variable] = getattr(settings, field)
        assert Settings.unknown(environment) == {}
        assert Settings.from_environment(environment) == settings


def test_a_log_is_encrypted_and_kept(template: Mapping[str, Any], declared: Topology) -> None:
    """One log for each process, with the project's key, for as long as is declared."""
    for log in of(template, "AWS::Logs::LogGroup"):
        assert "KmsKeyId" in log
        assert log["RetentionInDays"] == LOGS.days


def test_nothing_comes_in(templates: Mapping[str, Any]) -> None:
    """No rule lets anything in but users into the database; what goes out goes over TLS, or there."""
    whole = joined(templates, "network", "read-model", "workers")
    (inward,) = of(whole, "AWS::EC2::SecurityGroupIngress")
    (outward,) = of(whole, "AWS::EC2::SecurityGroupEgress")
    for rule in (inward, outward):
        assert (rule["FromPort"], rule["ToPort"]) == (POSTGRESQL, POSTGRESQL)
    assert "DatabaseUsers" in str(inward["SourceSecurityGroupId"])
    assert outward["DestinationSecurityGroupId"] == inward["GroupId"]
    groups = {group["GroupDescription"]: group for group in of(whole, "AWS::EC2::SecurityGroup")}
    endpoints = groups.pop("TLS from tasks")
    assert [rule["CidrIp"] for rule in endpoints["SecurityGroupIngress"]] == ["10.0.0.0/16"]
    assert all(group.get("SecurityGroupIngress", []) == [] for group in groups.values())
    tasks = groups["Nothing in, TLS out"]
    assert [(rule["FromPort"], rule["ToPort"]) for rule in tasks["SecurityGroupEgress"]] == [(443, 443)]


def test_only_who_needs_the_read_model_reaches_it(template: Mapping[str, Any], declared: Topology) -> None:
    """A process without a database has one group, which leads to TLS alone."""
    groups = {
        service["ServiceName"]: service["NetworkConfiguration"]["AwsvpcConfiguration"]["SecurityGroups"]
        for service in of(template, "AWS::ECS::Service")
    }
    reach = {name for name, found in groups.items() if "DatabaseUsers" in str(found)}
    assert reach == {name for spec in declared.of(DatabaseSpec) for name in declared.users(spec)}
    assert all(len(found) == (2 if name in reach else 1) for name, found in groups.items())


def test_only_tasks_of_this_account_take_a_role(template: Mapping[str, Any]) -> None:
    """A task role is for ECS in this account; no two processes share one."""
    roles = [role for role in of(template, "AWS::IAM::Role") if "RoleName" in role]
    assert len(roles) == len(containers(template))
    for role in roles:
        (statement,) = role["AssumeRolePolicyDocument"]["Statement"]
        assert statement["Condition"] == {"StringEquals": {"aws:SourceAccount": DEPLOYMENT.account}}
