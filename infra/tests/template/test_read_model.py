"""The read model's database: encrypted, protected, backed up, out of reach; nobody writes its password."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from policies import statements_by_role

from conftest import joined
from orderstream_infra.resources.read_model import VERSION
from orderstream_workers.runtime.topology.lifetimes import BACKUPS, LOGS

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def resources(templates: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = joined(templates, "data", "network", "read-model")["Resources"]
    return found


def only(resources: Mapping[str, Any], kind: str) -> dict[str, Any]:
    (found,) = (resource for resource in resources.values() if resource["Type"] == kind)
    return dict(found)


def test_the_cluster_outlives_its_stack(resources: Mapping[str, Any]) -> None:
    """Retained, protected from deletion, backed up for as long as is declared; so are its two instances."""
    cluster = only(resources, "AWS::RDS::DBCluster")
    assert (cluster["DeletionPolicy"], cluster["UpdateReplacePolicy"]) == ("Retain", "Retain")
    assert cluster["Properties"]["DeletionProtection"] is True
    assert cluster["Properties"]["BackupRetentionPeriod"] == BACKUPS.days
    instances = [one for one in resources.values() if one["Type"] == "AWS::RDS::DBInstance"]
    assert len(instances) == 2  # in two zones: one takes over from the other
    for instance in instances:
        assert (instance["DeletionPolicy"], instance["UpdateReplacePolicy"]) == ("Retain", "Retain")
        assert instance["Properties"]["PubliclyAccessible"] is False
        assert instance["Properties"]["DBInstanceClass"] == "db.serverless"


def test_everything_of_it_is_encrypted_with_the_projects_key(resources: Mapping[str, Any]) -> None:
    """Data, backups, secret and log; and it is reached over TLS alone."""
    properties = only(resources, "AWS::RDS::DBCluster")["Properties"]
    assert properties["StorageEncrypted"] is True
    assert properties["KmsKeyId"] in [
        {"Fn::GetAtt": [name, "Arn"]} for name, one in resources.items() if one["Type"] == "AWS::KMS::Key"
    ]
    assert properties["MasterUserSecret"] == {"KmsKeyId": properties["KmsKeyId"]}
    assert only(resources, "AWS::RDS::DBClusterParameterGroup")["Properties"]["Parameters"] == {
        "rds.force_ssl": "1"
    }
    called = f"/aws/rds/cluster/{properties['DBClusterIdentifier']}/postgresql"
    (log,) = (
        one["Properties"]
        for one in resources.values()
        if one["Type"] == "AWS::Logs::LogGroup" and one["Properties"]["LogGroupName"] == called
    )
    assert (log["RetentionInDays"], log["KmsKeyId"]) == (LOGS.days, properties["KmsKeyId"])


def test_nobody_writes_its_password_down(templates: Mapping[str, Any], resources: Mapping[str, Any]) -> None:
    """Amazon RDS makes it, keeps it and changes it: no template has one, nor a variable of a task."""
    properties = only(resources, "AWS::RDS::DBCluster")["Properties"]
    assert properties["ManageMasterUserPassword"] is True
    assert "MasterUserPassword" not in properties
    assert "resolve:secretsmanager" not in str(templates)


def test_it_has_no_way_out(resources: Mapping[str, Any]) -> None:
    """It is in two subnets of its own, which have no route but to their own network."""
    subnets = only(resources, "AWS::RDS::DBSubnetGroup")["Properties"]["SubnetIds"]
    assert len(subnets) == 2
    tables = [
        each["Properties"]["RouteTableId"]
        for each in resources.values()
        if each["Type"] == "AWS::EC2::SubnetRouteTableAssociation"
        and each["Properties"]["SubnetId"] in subnets
    ]
    assert len(tables) == 2
    ways = [
        one["Properties"]
        for one in resources.values()
        if one["Type"] in {"AWS::EC2::Route", "AWS::EC2::VPCEndpoint"}
    ]
    routed = [way["RouteTableId"] for way in ways if "RouteTableId" in way]
    routed += [table for way in ways for table in way.get("RouteTableIds", [])]
    routed += [subnet for way in ways for subnet in way.get("SubnetIds", [])]
    assert routed
    assert not [each for each in routed if each in tables or each in subnets]


def test_its_tables_are_made_before_a_service_needs_them(templates: Mapping[str, Any]) -> None:
    """The task that makes them is deployed with the database, with the new version's image, and may do it."""
    template = templates["orderstream-read-model"]
    (task,) = (
        one["Properties"]
        for one in template["Resources"].values()
        if one["Type"] == "AWS::ECS::TaskDefinition"
    )
    (container,) = task["ContainerDefinitions"]
    assert container["Command"] == ["orderstream", "read-model", "migrate", "--aws"]
    assert container["Image"] == _image(templates["orderstream-workers"])
    assert "HealthCheck" not in container  # it ends by itself
    ((_, statements),) = statements_by_role(template["Resources"]).items()
    actions = [statement["Action"] for statement in statements]
    assert actions == ["secretsmanager:GetSecretValue", "kms:Decrypt"]
    assert "MasterUserSecret.SecretArn" in str(statements[0]["Resource"])
    where = str(templates["orderstream-network"]["Outputs"]["DatabaseUsers"]["Value"])
    assert "assignPublicIp=DISABLED" in where
    assert "DatabaseUsers" in where


def _image(workers: Mapping[str, Any]) -> Any:
    """That of the services, all of which run one."""
    (image,) = {
        json.dumps(container["Image"])
        for one in workers["Resources"].values()
        if one["Type"] == "AWS::ECS::TaskDefinition"
        for container in one["Properties"]["ContainerDefinitions"]
    }
    return json.loads(image)


def test_the_version_is_the_tested_one() -> None:
    """The read model's tests run on what is deployed."""
    fake = (ROOT / "tests" / "fakes" / "postgresql.py").read_text(encoding="utf-8")
    assert f'VERSION: Final = "{VERSION}"' in fake


def test_the_archive_is_kept_as_declared(templates: Mapping[str, Any]) -> None:
    """Ten years, and in colder storage that answers at once after three months."""
    (bucket,) = (
        one for one in templates["orderstream-data"]["Resources"].values() if one["Type"] == "AWS::S3::Bucket"
    )
    (rule,) = bucket["Properties"]["LifecycleConfiguration"]["Rules"]
    assert rule["ExpirationInDays"] == 3_653
    assert rule["NoncurrentVersionExpiration"] == {"NoncurrentDays": 365}  # what expired is gone, too
    assert rule["Transitions"] == [{"StorageClass": "GLACIER_IR", "TransitionInDays": 90}]
    assert rule["Status"] == "Enabled"
