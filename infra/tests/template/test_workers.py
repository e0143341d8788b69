"""The services: what runs, how it starts and ends, and what can reach it."""

import dataclasses
import re
from collections.abc import Mapping
from typing import Any

import pytest
from aws_cdk.assertions import Template

from conftest import DEPLOYMENT, joined
from orderstream_consumer.engines.config import EngineConfig
from orderstream_infra.app import pipeline
from orderstream_infra.resources.ports import PORT, POSTGRESQL
from orderstream_workers.runtime.settings import Settings
from orderstream_workers.runtime.topology import DatabaseSpec, Topology
from orderstream_workers.runtime.topology.lifetimes import LOGS
from orderstream_workers.runtime.topology.log_queries import QUERIES


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


def test_two_versions_never_run_side_by_side(template: Mapping[str, Any], declared: Topology) -> None:
    """A deployment stops the old tasks before the new one starts; what only takes requests overlaps."""
    taking = {process.name for process in declared.processes if process.serves == "http"}
    for service in of(template, "AWS::ECS::Service"):
        configuration = service["DeploymentConfiguration"]
        percent = (configuration["MinimumHealthyPercent"], configuration["MaximumPercent"])
        assert percent == ((100, 200) if service["ServiceName"] in taking else (0, 100))
        assert service["DesiredCount"] == 1
    assert not taking & {application.name for application in declared.applications}


def test_services_are_scaled_by_lag_and_cpu(template: Mapping[str, Any], declared: Topology) -> None:
    """Each application by both, up to one task a shard; what reads no stream by its CPU."""
    resources = template["Resources"]
    names = {
        name: one["Properties"]["ServiceName"]
        for name, one in resources.items()
        if one["Type"] == "AWS::ECS::Service"
    }
    most, by = {}, {name: set() for name in names.values()}  # type: dict[str, int], dict[str, set[str]]
    for name, one in resources.items():
        if one["Type"] == "AWS::ApplicationAutoScaling::ScalableTarget":
            service = names[re.search(r"'Fn::GetAtt': \['([^']+)', 'Name'\]", str(one))[1]]  # type: ignore[index]
            most[service] = one["Properties"]["MaxCapacity"]
            for policy in of(template, "AWS::ApplicationAutoScaling::ScalingPolicy"):
                if policy["ScalingTargetId"] == {"Ref": name}:
                    by[service].add(_scaled_by(policy["TargetTrackingScalingPolicyConfiguration"], service))
    shards = {one.name: one.reads.shards or DEPLOYMENT.new_shards for one in declared.applications}
    assert most == {name: shards.get(name, 4) for name in by if shards.get(name) != 1}
    assert by == {
        name: set() if shards.get(name) == 1 else {"cpu", "lag"} if name in shards else {"cpu"} for name in by
    }


def _scaled_by(tracked: Mapping[str, Any], service: str) -> str:
    if "PredefinedMetricSpecification" in tracked:
        assert tracked["TargetValue"] == 60
        return "cpu"
    metric = tracked["CustomizedMetricSpecification"]
    assert (metric["Namespace"], metric["MetricName"]) == ("Orderstream", "MillisBehindLatest")
    assert metric["Dimensions"] == [{"Name": "Application", "Value": service}]
    assert (metric["Statistic"], tracked["TargetValue"]) == ("Maximum", 60_000)
    return "lag"


def test_nothing_runs_where_everything_is_stopped(declared: Topology) -> None:
    """For a restore, a move, another engine: no service has a task, and nothing would add one."""
    stopped = dataclasses.replace(DEPLOYMENT, stopped=True)
    for size in ("standard", "small"):
        app = pipeline(dataclasses.replace(stopped, size=size), acknowledging=True)
        stack = app.node.find_child("orderstream-workers" if size == "standard" else "orderstream-small")
        found = Template.from_stack(stack).to_json()
        assert {service["DesiredCount"] for service in of(found, "AWS::ECS::Service")} == {0}
        assert of(found, "AWS::ApplicationAutoScaling::ScalableTarget") == []


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


def connections(template: Mapping[str, Any]) -> set[tuple[str, str, int]]:
    """Who may open a connection to whom, at which port: both groups have to say so."""
    inward = {
        (_group(rule["SourceSecurityGroupId"]), _group(rule["GroupId"]), rule["FromPort"], rule["ToPort"])
        for rule in of(template, "AWS::EC2::SecurityGroupIngress")
    }
    outward = {
        (
            _group(rule["GroupId"]),
            _group(rule["DestinationSecurityGroupId"]),
            rule["FromPort"],
            rule["ToPort"],
        )
        for rule in of(template, "AWS::EC2::SecurityGroupEgress")
    }
    assert inward == outward
    assert all(first == last for *_, first, last in inward)
    return {(one, other, first) for one, other, first, _ in inward}


def _group(reference: Mapping[str, Any]) -> str:
    """The construct's name of a group, which a reference to it holds."""
    named = re.search(r"Groups(DatabaseUsers|Database|Gateway|Api)", str(reference))
    assert named, reference
    return named[1]


@pytest.mark.parametrize("size", ["standard", "small"])
def test_nothing_comes_in_but_requests(
    templates: Mapping[str, Any], small: Mapping[str, Any], size: str
) -> None:
    """The gateway's link reaches the orders API, users reach the database; no other rule lets anything in."""
    whole = (
        joined(templates, "network", "read-model", "workers", "edge")
        if size == "standard"
        else joined(small, "small")
    )
    assert connections(whole) == {("DatabaseUsers", "Database", POSTGRESQL), ("Gateway", "Api", PORT)}
    groups = {group["GroupDescription"]: group for group in of(whole, "AWS::EC2::SecurityGroup")}
    if size == "standard":
        endpoints = groups.pop("TLS from tasks")
        assert [rule["CidrIp"] for rule in endpoints["SecurityGroupIngress"]] == ["10.0.0.0/16"]
    assert all(group.get("SecurityGroupIngress", []) == [] for group in groups.values())
    tasks = groups.pop("Nothing in, TLS out")
    assert [(rule["FromPort"], rule["ToPort"]) for rule in tasks["SecurityGroupEgress"]] == [(443, 443)]
    # "255.255.255.255/32" is the CDK's word for nowhere.
    out = [rule["CidrIp"] for group in groups.values() for rule in group.get("SecurityGroupEgress", [])]
    assert set(out) <= {"255.255.255.255/32"}


def test_only_who_needs_the_read_model_reaches_it(template: Mapping[str, Any], declared: Topology) -> None:
    """Who has no database, and takes no requests, has one group, which leads to TLS alone."""
    groups = {
        service["ServiceName"]: service["NetworkConfiguration"]["AwsvpcConfiguration"]["SecurityGroups"]
        for service in of(template, "AWS::ECS::Service")
    }
    reach = {name for name, found in groups.items() if "DatabaseUsers" in str(found)}
    assert reach == {name for spec in declared.of(DatabaseSpec) for name in declared.users(spec)}
    taking = {process.name for process in declared.processes if process.serves == "http"}
    assert {name for name, found in groups.items() if "Api" in str(found)} == taking
    assert all(len(found) == 1 + (name in reach) + (name in taking) for name, found in groups.items())


def test_only_tasks_of_this_account_take_a_role(template: Mapping[str, Any]) -> None:
    """A task role is for ECS in this account; no two processes share one."""
    roles = [role for role in of(template, "AWS::IAM::Role") if "RoleName" in role]
    assert len(roles) == len(containers(template))
    for role in roles:
        (statement,) = role["AssumeRolePolicyDocument"]["Statement"]
        assert statement["Condition"] == {"StringEquals": {"aws:SourceAccount": DEPLOYMENT.account}}


def test_every_query_of_the_logs_is_saved_over_every_log(template: Mapping[str, Any]) -> None:
    """An operator finds them where the logs are, and replaces no more than an id."""
    saved = of(template, "AWS::Logs::QueryDefinition")
    assert {one["Name"] for one in saved} == {f"orderstream/{query.name}" for query in QUERIES}
    groups = {name for name, one in template["Resources"].items() if one["Type"] == "AWS::Logs::LogGroup"}
    for one in saved:
        assert {group["Ref"] for group in one["LogGroupNames"]} == groups
        assert one["QueryString"].startswith("# ")
