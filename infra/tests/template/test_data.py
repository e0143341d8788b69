"""What holds orders: the template makes what provisioning makes, encrypted, and it outlives its stack."""

import dataclasses
import re
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

import boto3
import msgspec
import pytest
from aws_cdk import App
from aws_cdk.assertions import Template
from moto import mock_aws

from conftest import DEPLOYMENT
from orderstream_consumer.store.protocol import TableSpec
from orderstream_infra.app import CONTEXT, settings_of
from orderstream_infra.stacks.data import DataStack
from orderstream_workers.runtime.provision import provision
from orderstream_workers.runtime.settings import Settings
from orderstream_workers.runtime.topology import BucketSpec, QueueSpec, StreamSpec, Topology


@pytest.fixture(scope="module")
def resources(templates: Mapping[str, Any]) -> Mapping[str, Any]:
    """The resources of the data stack, by their logical id."""
    found: Mapping[str, Any] = templates["orderstream-data"]["Resources"]
    return found


@pytest.fixture(scope="module")
def provisioned(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """An emulated account, provisioned as ``orderstream provision`` does it."""
    folder = tmp_path_factory.mktemp("provisioned")
    with pytest.MonkeyPatch.context() as patch, mock_aws():
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "emulated")

        def client(service: str) -> Any:
            return boto3.client(service, region_name=DEPLOYMENT.region)

        local = msgspec.structs.replace(settings, read_model_url=f"sqlite:///{folder}/read-model.sqlite")
        assert DEPLOYMENT.new_shards is not None
        provision(local, DEPLOYMENT.new_shards, client)
        yield client


def of(resources: Mapping[str, Any], kind: str, name: str) -> dict[str, dict[str, Any]]:
    """The properties of every resource of a kind, by what it is called in AWS."""
    return {
        resource["Properties"][name]: resource["Properties"]
        for resource in resources.values()
        if resource["Type"] == kind
    }


def test_streams_are_those_of_provisioning(
    resources: Mapping[str, Any], provisioned: Any, declared: Topology, settings: Settings
) -> None:
    """Name, shards and retention: 168 hours, by which business consumers may be down for days."""
    client, found = provisioned("kinesis"), of(resources, "AWS::Kinesis::Stream", "Name")
    assert set(found) == set(client.list_streams()["StreamNames"])
    assert set(found) == {settings.name_of(stream) for stream in declared.of(StreamSpec)}
    for name, stream in found.items():
        made = client.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]
        assert stream["ShardCount"] == made["OpenShardCount"]
        assert stream["RetentionPeriodHours"] == made["RetentionPeriodHours"] == 168


def test_tables_are_those_of_provisioning(
    resources: Mapping[str, Any], provisioned: Any, declared: Topology, settings: Settings
) -> None:
    """Keys, types, billing, expiry; and the leases of each application."""
    client, found = provisioned("dynamodb"), of(resources, "AWS::DynamoDB::Table", "TableName")
    leases = {settings.name_of(application.leases) for application in declared.applications}
    assert set(found) == set(client.list_tables()["TableNames"])
    assert set(found) - leases == {settings.name_of(table) for table in declared.of(TableSpec)}
    for name, table in found.items():
        made = client.describe_table(TableName=name)["Table"]
        assert table["KeySchema"] == made["KeySchema"], name
        assert _sorted(table["AttributeDefinitions"]) == _sorted(made["AttributeDefinitions"]), name
        assert table["BillingMode"] == made["BillingModeSummary"]["BillingMode"], name
        indexes = [
            {key: index[key] for key in ("IndexName", "KeySchema", "Projection")}
            for index in made.get("GlobalSecondaryIndexes", [])
        ]
        assert table.get("GlobalSecondaryIndexes", []) == indexes, name
        expiry = client.describe_time_to_live(TableName=name)["TimeToLiveDescription"]
        assert table.get("TimeToLiveSpecification", {}).get("AttributeName") == expiry.get("AttributeName"), (
            name
        )


def _sorted(attributes: list[dict[str, str]]) -> list[tuple[str, str]]:
    return sorted((each["AttributeName"], each["AttributeType"]) for each in attributes)


def test_queues_are_those_of_provisioning(
    resources: Mapping[str, Any], provisioned: Any, declared: Topology, settings: Settings
) -> None:
    """Visibility, retention, receives, and where dead letters go."""
    client, found = provisioned("sqs"), of(resources, "AWS::SQS::Queue", "QueueName")
    names = {settings.name_of(queue) for queue in declared.of(QueueSpec)}
    assert set(found) == names | {QueueSpec.dead_letters_of(name) for name in names}
    for name in sorted(names):
        for called in (name, QueueSpec.dead_letters_of(name)):
            url = client.get_queue_url(QueueName=called)["QueueUrl"]
            made = client.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
            queue = found[called]
            assert str(queue["MessageRetentionPeriod"]) == made["MessageRetentionPeriod"]
            assert str(queue.get("VisibilityTimeout", 30)) == made["VisibilityTimeout"]
        redrive = found[name]["RedrivePolicy"]
        assert redrive["maxReceiveCount"] == 10
        target = resources[redrive["deadLetterTargetArn"]["Fn::GetAtt"][0]]["Properties"]["QueueName"]
        assert target == QueueSpec.dead_letters_of(name)


def test_bucket_and_topic_are_those_of_provisioning(
    resources: Mapping[str, Any], provisioned: Any, declared: Topology, settings: Settings
) -> None:
    """The archive and the operators' topic are where the processes look for them."""
    buckets = of(resources, "AWS::S3::Bucket", "BucketName")
    assert set(buckets) == {each["Name"] for each in provisioned("s3").list_buckets()["Buckets"]}
    assert set(buckets) == {settings.name_of(bucket) for bucket in declared.of(BucketSpec)}
    topics = of(resources, "AWS::SNS::Topic", "TopicName")
    made = {each["TopicArn"].rpartition(":")[2] for each in provisioned("sns").list_topics()["Topics"]}
    assert set(topics) == made


def test_the_sender_is_an_identity(resources: Mapping[str, Any]) -> None:
    """The address that mail is sent from is known to SES, which has its owner confirm it."""
    assert set(of(resources, "AWS::SES::EmailIdentity", "EmailIdentity")) == {DEPLOYMENT.mail_sender}


def test_the_stock_table_is_captured(
    resources: Mapping[str, Any], declared: Topology, settings: Settings
) -> None:
    """Exactly the tables that a stream is declared to capture have their changes sent to it."""
    tables = of(resources, "AWS::DynamoDB::Table", "TableName")
    captured = {
        name: resources[table["KinesisStreamSpecification"]["StreamArn"]["Fn::GetAtt"][0]]["Properties"][
            "Name"
        ]
        for name, table in tables.items()
        if "KinesisStreamSpecification" in table
    }
    assert captured == {
        settings.name_of(stream.captures): settings.name_of(stream)
        for stream in declared.of(StreamSpec)
        if stream.captures is not None
    }


KEEPS = frozenset(
    {"AWS::Kinesis::Stream", "AWS::DynamoDB::Table", "AWS::SQS::Queue", "AWS::S3::Bucket", "AWS::KMS::Key"}
)


def unencrypted(resources: Mapping[str, Any]) -> list[str]:
    """The logical ids of what is not encrypted with the project's key."""
    ((key, _),) = ((name, one) for name, one in resources.items() if one["Type"] == "AWS::KMS::Key")
    holds = KEEPS | {"AWS::SNS::Topic"}
    return [
        name
        for name, resource in resources.items()
        if resource["Type"] in holds and name != key and f"'{key}'" not in str(_encryption(resource))
    ]


def _encryption(resource: Mapping[str, Any]) -> object:
    members = ("StreamEncryption", "SSESpecification", "KmsMasterKeyId", "BucketEncryption")
    return [resource["Properties"].get(member) for member in members]


def test_everything_is_encrypted_with_the_projects_key(resources: Mapping[str, Any]) -> None:
    """Streams, tables, queues, topics and buckets; and a queue that is not is found."""
    assert unencrypted(resources) == []
    name, queue = next((name, one) for name, one in resources.items() if one["Type"] == "AWS::SQS::Queue")
    plain = {key: value for key, value in queue["Properties"].items() if key != "KmsMasterKeyId"}
    assert unencrypted({**resources, name: {**queue, "Properties": plain}}) == [name]


def test_logs_may_use_the_key(
    templates: Mapping[str, Any], small: Mapping[str, Any], resources: Mapping[str, Any]
) -> None:
    """CloudWatch Logs makes no log with a key whose policy does not let it; it may for our logs alone."""
    (key,) = (one["Properties"] for one in resources.values() if one["Type"] == "AWS::KMS::Key")
    (logs,) = (one for one in key["KeyPolicy"]["Statement"] if one.get("Sid") == "LogsAreKept")
    where = f"{DEPLOYMENT.region}:{DEPLOYMENT.account}"
    assert logs["Principal"] == {"Service": f"logs.{DEPLOYMENT.region}.amazonaws.com"}
    ((context, patterns),) = logs["Condition"]["ArnLike"].items()
    assert context == "kms:EncryptionContext:aws:logs:arn"
    made = {
        f"arn:aws:logs:{where}:log-group:{log['LogGroupName']}"
        for template in (*templates.values(), *small.values())
        for log in of(template["Resources"], "AWS::Logs::LogGroup", "LogGroupName").values()
    }
    assert all(any(fnmatchcase(log, pattern) for pattern in patterns) for log in made)
    # And no pattern is for other logs than these.
    assert [pattern for pattern in patterns if "*" in pattern] == [
        f"arn:aws:logs:{where}:log-group:/orderstream/*"
    ]
    assert all("*" in pattern or pattern in made for pattern in patterns)


def test_what_holds_orders_outlives_the_stack(resources: Mapping[str, Any]) -> None:
    """Deleting the stack, or replacing a resource, deletes no data; tables can be restored to any second."""
    for name, resource in resources.items():
        if resource["Type"] in KEEPS:
            assert (resource["DeletionPolicy"], resource["UpdateReplacePolicy"]) == ("Retain", "Retain"), name
        if resource["Type"] == "AWS::DynamoDB::Table":
            properties = resource["Properties"]
            assert properties["DeletionProtectionEnabled"] is True, name
            assert properties["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"] is True, name


def test_the_archive_is_private_and_nothing_in_it_is_replaced(resources: Mapping[str, Any]) -> None:
    """Nothing public, nothing without TLS, no put without ``If-None-Match``."""
    (bucket,) = (one["Properties"] for one in resources.values() if one["Type"] == "AWS::S3::Bucket")
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert bucket["ObjectLockEnabled"] is True
    assert bucket["ObjectLockConfiguration"]["Rule"]["DefaultRetention"] == {
        "Mode": "GOVERNANCE",
        "Days": 365,
    }
    (policy,) = (one["Properties"] for one in resources.values() if one["Type"] == "AWS::S3::BucketPolicy")
    statements = policy["PolicyDocument"]["Statement"]
    assert all(statement["Effect"] == "Deny" for statement in statements)
    conditions = [statement["Condition"] for statement in statements]
    assert {"Bool": {"aws:SecureTransport": "false"}} in conditions
    (kept,) = (statement for statement in statements if statement["Action"] == "s3:PutObject")
    assert kept["Condition"] == {
        "Null": {"s3:if-none-match": "true"},
        "Bool": {"s3:ObjectCreationOperation": "true"},
    }


def test_operators_are_subscribed(resources: Mapping[str, Any]) -> None:
    """One setting subscribes an address to the operators' topic."""
    (subscription,) = (
        one["Properties"] for one in resources.values() if one["Type"] == "AWS::SNS::Subscription"
    )
    assert (subscription["Protocol"], subscription["Endpoint"]) == ("email", DEPLOYMENT.operators_email)


def test_names_hold_no_placeholder(resources: Mapping[str, Any]) -> None:
    """What is called in AWS as a process's settings say is written out: nothing is left to CloudFormation."""
    kinds = {
        "AWS::Kinesis::Stream": "Name",
        "AWS::DynamoDB::Table": "TableName",
        "AWS::SQS::Queue": "QueueName",
    }
    for kind, name in kinds.items():
        assert all(re.fullmatch(r"[a-z0-9.-]+", called) for called in of(resources, kind, name))


def test_shards_on_demand_are_left_to_kinesis(declared: Topology) -> None:
    """On demand, Kinesis chooses how many; a stream whose declaration says how many keeps them."""
    on_demand = dataclasses.replace(DEPLOYMENT, capacity="on-demand")
    app = App(context=CONTEXT)
    stack = DataStack(app, on_demand, declared, settings_of(on_demand))
    streams = of(Template.from_stack(stack).to_json()["Resources"], "AWS::Kinesis::Stream", "Name")
    found = {
        name: (one["StreamModeDetails"]["StreamMode"], one.get("ShardCount")) for name, one in streams.items()
    }
    assert found == {"orders": ("ON_DEMAND", None), "stock-changes": ("PROVISIONED", 1)}
    assert all(one["RetentionPeriodHours"] == 168 for one in streams.values())
