"""What a template of CloudFormation costs: every resource is priced, free, or named."""

import json
import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fakes.sizing_cli import run
from shard_sizing.errors import InputError
from shard_sizing.model.data_files import load_prices
from shard_sizing.model.pipeline.load import Pipeline
from shard_sizing.model.pipeline.order_calls import load_order_calls
from shard_sizing.model.pipeline.usage import usage
from shard_sizing.model.template.bill import Bill, bill_of, deployed
from shard_sizing.model.template.cloudformation import Templates, load_templates
from shard_sizing.model.template.resolver import Stack
from shard_sizing.model.template.used import CUSTOM_METRICS

BILLED: Final = Path(__file__).parents[3] / "infra" / "billed"
SIZES: Final = ("small", "standard")
PRICES: Final = load_prices().region("us-east-1")
COUNTED: Final = load_order_calls()
HOURS: Final = 730
LOAD: Final = ("whatif", "--orders", "182000", "--per", "month", "--lines", "5.5", "--template")


def templates(resources: Mapping[str, Any], **parts: Any) -> Templates:
    return Templates([Stack("made-up", "us-east-1", resources, **parts)])


def one(kind: str, **properties: Any) -> Templates:
    return templates({"It": {"Type": kind, "Properties": properties}})


def priced(found: Templates, orders: float = 0.1) -> Bill:
    has = deployed(found)
    pipeline = Pipeline(
        orders=orders,
        shards=has.shards,
        stock_shards=has.stock_shards,
        readers=COUNTED.readers,
        applications=10,
        payments_per_second=1.0,
        utilisation=0.7,
        vcpus=0.25,
        metrics=0,
        traced=0.0,
    )
    return bill_of(found, COUNTED, pipeline, PRICES)


def standing(found: Templates) -> dict[str, float]:
    """What is paid for whether orders come or not, by the price's name."""
    return {line.price: line.amount for line in priced(found).standing}


def missing(found: Templates) -> str:
    return "; ".join(reason for each in priced(found).resources for reason in each.missing)


@pytest.mark.parametrize("size", SIZES)
def test_every_resource_is_priced_free_or_named(size: str) -> None:
    """No resource of a synthesized template is left out, and what nothing prices says why."""
    found = load_templates(BILLED / size, "us-east-1")
    bill = priced(found)
    assert [(each.stack, each.logical_id) for each in bill.resources] == [
        (each.stack.name, each.logical_id) for each in found
    ]
    for each in bill.resources:
        assert each.how != "not priced" or each.missing, each
        assert each.how != "free" or each.why_free, each
    assert "no rule prices this type" not in {reason for each in bill.resources for reason in each.missing}


def test_a_planted_type_is_named(tmp_path: Path) -> None:
    """A type that no rule knows is named with its logical id, and the sums are as before."""
    for file in (BILLED / "standard").iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    before = priced(load_templates(tmp_path, "us-east-1"))
    planted = {"Resources": {"Planted": {"Type": "AWS::SageMaker::Endpoint", "Properties": {}}}}
    (tmp_path / "planted.template.json").write_text(json.dumps(planted))
    shown = run(*LOAD, str(tmp_path)).stdout
    assert "Planted (AWS::SageMaker::Endpoint)" in shown
    assert "no rule prices this type" in shown
    after = priced(load_templates(tmp_path, "us-east-1"))
    assert (after.standing, after.by_orders) == (before.standing, before.by_orders)


@pytest.mark.parametrize("size", SIZES)
def test_all_that_the_pipeline_uses_is_in_the_bill_of_its_template(size: str) -> None:
    """Whatever the pipeline's own bill has a line for, its template has a resource for; but for traces."""
    bill = priced(load_templates(BILLED / size, "us-east-1"))
    pipeline = Pipeline(0.1, 1, 1, COUNTED.readers, 10, 5.0, 0.7, 0.25, 1024, 10, 0.05)
    used = {each.price for each in usage(COUNTED, pipeline) if each.amount}
    assert used - {line.price for line in (*bill.standing, *bill.by_orders)} == {"xray_million"}


def test_tasks_are_as_many_and_as_large_as_the_template_says() -> None:
    """Two tasks of half a vCPU and one GB on ARM, with public addresses: by hand."""
    task = {"Cpu": "512", "Memory": "1024", "RuntimePlatform": {"CpuArchitecture": "ARM64"}}
    service = {
        "DesiredCount": 2,
        "LaunchType": "FARGATE",
        "TaskDefinition": {"Ref": "Task"},
        "NetworkConfiguration": {"AwsvpcConfiguration": {"AssignPublicIp": "ENABLED"}},
    }
    resources = {
        "Task": {"Type": "AWS::ECS::TaskDefinition", "Properties": task},
        "Service": {"Type": "AWS::ECS::Service", "Properties": service},
    }
    assert standing(templates(resources)) == {
        "fargate_arm_vcpu_hour": 2 * 0.5 * HOURS,
        "fargate_arm_gb_hour": 2 * HOURS,
        "public_ipv4_hour": 2 * HOURS,
    }
    del task["RuntimePlatform"]
    assert "fargate_x86_vcpu_hour" in standing(templates(resources))
    service["LaunchType"] = "EC2"
    assert standing(templates(resources)) == {}
    assert "elsewhere than on Fargate" in missing(templates(resources))


def test_a_task_that_no_service_runs_is_named() -> None:
    """Whoever starts it by hand pays for it, and no template says how often."""
    assert "no service runs" in missing(one("AWS::ECS::TaskDefinition", Cpu="256", Memory="512"))


def test_a_stream_pays_for_its_shards_and_for_its_retention() -> None:
    """Three shards; beyond a day each has a second price, and beyond seven days a third that is named."""
    shards = {"shard_hour": 3 * HOURS}
    assert standing(one("AWS::Kinesis::Stream", ShardCount=3)) == shards
    week = one("AWS::Kinesis::Stream", ShardCount=3, RetentionPeriodHours=168)
    assert standing(week) == shards | {"extended_shard_hour": 3 * HOURS}
    assert "longer than seven days" in missing(
        one("AWS::Kinesis::Stream", ShardCount=3, RetentionPeriodHours=200)
    )


def test_on_demand_the_orders_are_paid_for_by_size() -> None:
    """No shard of orders and no PUT unit of theirs; what is captured goes into the provisioned stream."""
    orders = {"StreamModeDetails": {"StreamMode": "ON_DEMAND"}, "RetentionPeriodHours": 168}
    stock = {
        "BillingMode": "PAY_PER_REQUEST",
        "KinesisStreamSpecification": {"StreamArn": {"Fn::GetAtt": ["Changes", "Arn"]}},
    }
    resources = {
        "Orders": {"Type": "AWS::Kinesis::Stream", "Properties": orders},
        "Changes": {"Type": "AWS::Kinesis::Stream", "Properties": {"ShardCount": 1}},
        "Stock": {"Type": "AWS::DynamoDB::Table", "Properties": stock},
    }
    bill = priced(templates(resources))
    by_price = {line.price: line.amount for line in (*bill.standing, *bill.by_orders)}
    month = 0.1 * HOURS * 3600
    assert (by_price["standard_stream_hour"], by_price["shard_hour"]) == (HOURS, HOURS)
    assert by_price["put_million"] == pytest.approx(COUNTED.captured_changes * month / 1e6)
    written = COUNTED.records * COUNTED.record_bytes * month / 2**30
    assert by_price["standard_out_gb"] == pytest.approx(written * COUNTED.readers)
    assert by_price["standard_in_gb"] > written
    assert by_price["standard_extended_gb_month"] == pytest.approx(written / (HOURS / 24) * 6)


def test_each_registered_consumer_pays_for_every_shard_and_byte() -> None:
    """Two consumers of a stream of four shards."""
    consumer = {"Type": "AWS::Kinesis::StreamConsumer", "Properties": {"StreamARN": {"Ref": "Orders"}}}
    stream = {"Type": "AWS::Kinesis::Stream", "Properties": {"ShardCount": 4}}
    both = {"Orders": stream, "First": consumer, "Second": consumer}
    assert standing(templates(both))["efo_shard_hour"] == 2 * 4 * HOURS
    read = {line.price: line.amount for line in priced(templates(both)).by_orders}["efo_gb"]
    alone = {name: both[name] for name in ("Orders", "First")}
    assert read == pytest.approx(
        2 * {x.price: x.amount for x in priced(templates(alone)).by_orders}["efo_gb"]
    )


def test_an_endpoint_has_a_price_in_each_zone_and_one_of_a_route_table_has_none() -> None:
    """Two subnets are two hours an hour; what passes is counted for the services that orders call."""
    interface = {"VpcEndpointType": "Interface", "SubnetIds": [{"Fn::ImportValue": "network:A"}, "subnet-1"]}
    name = {"Fn::Join": ["", ["com.amazonaws.", {"Ref": "AWS::Region"}, ".kinesis-streams"]]}
    found = priced(one("AWS::EC2::VPCEndpoint", ServiceName=name, **interface))
    assert [(line.price, line.amount) for line in found.standing] == [("endpoint_hour", 2 * HOURS)]
    assert [line.price for line in found.by_orders] == ["endpoint_gb"]
    assert standing(one("AWS::EC2::VPCEndpoint", VpcEndpointType="Gateway")) == {}


def test_a_serverless_database_costs_its_least_capacity() -> None:
    """Half an ACU for each instance; capacity above it is named."""
    cluster = {"ServerlessV2ScalingConfiguration": {"MinCapacity": 0.5, "MaxCapacity": 8}}
    instance = {"DBInstanceClass": "db.serverless", "DBClusterIdentifier": {"Ref": "Cluster"}}
    found = templates(
        {
            "Cluster": {"Type": "AWS::RDS::DBCluster", "Properties": cluster},
            "First": {"Type": "AWS::RDS::DBInstance", "Properties": instance},
            "Second": {"Type": "AWS::RDS::DBInstance", "Properties": instance},
        }
    )
    assert standing(found) == {"aurora_acu_hour": 2 * 0.5 * HOURS}
    assert "capacity above 0.5 ACU, up to 8" in missing(found)


METRIC: Final = {"MetricStat": {"Metric": {"MetricName": "m"}, "Period": 60, "Stat": "Sum"}}


@pytest.mark.parametrize(
    ("alarm", "prices"),
    [
        ({"MetricName": "m", "Period": 60}, {"alarm_standard_month": 1}),
        ({"MetricName": "m", "Period": 10}, {"alarm_high_resolution_month": 1}),
        ({"Metrics": [METRIC, METRIC, {"Expression": "a / b"}]}, {"alarm_standard_month": 2}),
        ({"Metrics": [METRIC], "ThresholdMetricId": "band"}, {"alarm_standard_month": 3}),
        ({"Metrics": [{"Expression": "SELECT MAX(a) FROM b"}]}, {}),
        ({}, {}),
    ],
)
def test_an_alarm_is_paid_for_by_its_metrics(alarm: dict[str, Any], prices: dict[str, float]) -> None:
    """By metric and resolution, with three for a band of anomalies; what cannot be counted is named."""
    found = one("AWS::CloudWatch::Alarm", **alarm)
    assert standing(found) == prices
    assert bool(missing(found)) is not prices


def test_idle_requests_are_no_cost_of_orders() -> None:
    """Polls and heartbeats are paid for without an order, and twice the orders do not change that."""
    found = load_templates(BILLED / "small", "us-east-1")
    one_bill, two_bill = priced(found, 0.1), priced(found, 0.2)
    assert one_bill.standing == two_bill.standing
    assert "dynamodb_write_million" in {line.price for line in one_bill.standing}
    for once, twice in zip(one_bill.by_orders, two_bill.by_orders, strict=True):
        assert twice.amount == pytest.approx(2 * once.amount), once.price


def test_the_custom_metrics_are_those_of_the_catalogue() -> None:
    """The figure follows the table in the operations guide, which is generated, within a tenth."""
    guide = (Path(__file__).parents[3] / "docs" / "operations.md").read_text(encoding="utf-8")
    (declared,) = re.findall(r"^\| together \| (\d+) \|", guide, re.MULTILINE)
    assert pytest.approx(int(declared), rel=0.1) == CUSTOM_METRICS


PARAMETER: Final = {"Tasks": {"Type": "Number"}}


@pytest.mark.parametrize(
    ("count", "problem"),
    [
        ({"Ref": "Tasks"}, "its DesiredCount refers to the parameter Tasks, which has no default"),
        ({"Ref": "Nobody"}, "its DesiredCount refers to Nobody, which the template does not declare"),
        ({"Fn::ImportValue": "elsewhere"}, "is imported from elsewhere, which no given template exports"),
        ({"Fn::Transform": {"Name": "x"}}, "uses Fn::Transform, which no template alone can answer"),
        ({"Fn::Select": [5, [1]]}, "uses Fn::Select as CloudFormation does not"),
        ({"Fn::If": ["Never", 1, 2]}, "names the condition Never, which the template does not declare"),
        ({"Fn::GetAtt": ["It", "Count"]}, "which is no number"),
        ("many", "its DesiredCount is many, which is no number"),
    ],
)
def test_what_a_template_does_not_say_is_one_sentence(count: Any, problem: str, tmp_path: Path) -> None:
    """A number that cannot be known ends the command, and the sentence names resource and property."""
    service = {"LaunchType": "FARGATE", "DesiredCount": count}
    file = tmp_path / "made-up.template.json"
    resources = {"It": {"Type": "AWS::ECS::Service", "Properties": service}}
    file.write_text(json.dumps({"Parameters": PARAMETER, "Resources": resources}))
    done = run(*LOAD, str(file))
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr.startswith("shard-sizing: It (AWS::ECS::Service of made-up): ")
    assert problem in done.stderr


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{", "no template of CloudFormation in JSON"),
        ("[]", "it has no Resources"),
        ('{"Resources": {}}', "it has no Resources"),
        ('{"Resources": {"A": {}}}', "A has no Type"),
        ('{"Resources": {"A": {"Type": "T"}}, "Parameters": [1]}', "its Parameters have no names"),
        (None, "No such file or directory"),
    ],
)
def test_what_is_no_template_is_refused(text: str | None, problem: str, tmp_path: Path) -> None:
    """One sentence with the file's name."""
    file = tmp_path / "it.json"
    if text is not None:
        file.write_text(text)
    done = run(*LOAD, str(file))
    assert done.exit_code == 1
    assert "it.json" in done.stderr
    assert problem in done.stderr
    assert "ends in .template.json" in run(*LOAD, str(tmp_path)).stderr


def test_a_template_is_one_size_at_one_load() -> None:
    """No load, a Region without prices, and what a template says itself are refused by name."""
    template = str(BILLED / "small")
    assert "--orders" in run("whatif", "--template", template).stderr
    assert "region eu-west-1: no prices known" in run(*LOAD, template, "--region", "eu-west-1").stderr
    for option, value in (("--x", "1"), ("--containers", "2"), ("--vcpus", "1"), ("--consumers", "3")):
        done = run(*LOAD, template, option, value)
        assert (done.exit_code, f"{option} makes no difference to a template" in done.stderr) == (1, True)


def test_prices_that_are_not_known_are_named() -> None:
    """In Tokyo only those of Kinesis are on file: all others are named, and no sum has them."""
    done = run(*LOAD, str(BILLED / "small"), "--region", "ap-northeast-1")
    assert done.exit_code == 0
    assert "not on file for ap-northeast-1: " in done.stdout
    assert "fargate_arm_vcpu_hour" in done.stdout


def test_prices_that_are_not_confirmed_are_marked() -> None:
    """Mails and public addresses are known from write-ups alone: their amounts have a star."""
    shown = run(*LOAD, str(BILLED / "small")).stdout
    rows = {line.split("│")[1].strip(): line for line in shown.splitlines() if line.count("│") == 5}
    assert "*" in rows["SES: million mails"]
    assert "*" not in rows["KMS: keys"]
    assert "not confirmed by AWS' own price list" in shown


def test_a_template_that_is_too_small_for_the_orders_says_so() -> None:
    """Exit 2, with what the orders need and what there is."""
    done = run("whatif", "--orders", "20", "--template", str(BILLED / "small"))
    assert done.exit_code == 2
    assert "It does not carry them: they need " in done.stdout
    assert "vCPUs, and it begins with 0.5" in done.stdout


def test_parameters_conditions_mappings_and_imports_are_followed() -> None:
    """A default, a map, a condition that leaves a resource out, and a value of another stack."""
    exporting = Stack(
        "exporting",
        "us-east-1",
        {"Nothing": {"Type": "AWS::CDK::Metadata"}},
        outputs={"Out": {"Value": {"Ref": "Shards"}, "Export": {"Name": "shards"}}},
        parameters={"Shards": {"Default": "5"}},
    )
    importing = Stack(
        "importing",
        "eu-west-1",
        {
            "A": {
                "Type": "AWS::Kinesis::Stream",
                "Properties": {"ShardCount": {"Fn::ImportValue": "shards"}},
            },
            "B": {
                "Type": "AWS::Kinesis::Stream",
                "Properties": {"ShardCount": {"Fn::FindInMap": ["Size", {"Ref": "AWS::Region"}, "shards"]}},
            },
            "C": {"Type": "AWS::Kinesis::Stream", "Condition": "Large", "Properties": {"ShardCount": 100}},
            "D": {
                "Type": "AWS::Kinesis::Stream",
                "Properties": {"ShardCount": {"Fn::If": ["Large", 50, {"Ref": "AWS::NoValue"}]}},
            },
        },
        conditions={"Large": {"Fn::Not": [{"Fn::Equals": [{"Ref": "AWS::Region"}, "eu-west-1"]}]}},
        mappings={"Size": {"eu-west-1": {"shards": 7}}},
    )
    assert deployed(Templates([importing, exporting])).shards == 5 + 7 + 1


JSON: Final = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["Ref", "Fn::If", "Fn::Join", "Fn::Sub", "Fn::Select", "Condition", "Cpu", "x"]),
            inner,
            max_size=2,
        )
    ),
    max_leaves=4,
)
READ: Final = st.sampled_from(
    ["ShardCount", "DesiredCount", "TaskDefinition", "LaunchType", "SubnetIds", "Metrics", "ClusterSettings"]
)
TYPES: Final = st.sampled_from(
    [
        "AWS::Kinesis::Stream",
        "AWS::ECS::Service",
        "AWS::EC2::VPCEndpoint",
        "AWS::CloudWatch::Alarm",
        "AWS::ECS::Cluster",
    ]
)


@given(TYPES, st.dictionaries(READ, JSON, max_size=3))
@settings(max_examples=40)
def test_no_property_ends_in_a_traceback(kind: str, properties: dict[str, Any]) -> None:
    """Whatever a property holds, the resource is priced, named, or refused with a sentence."""
    with suppress(InputError):
        assert len(priced(one(kind, VpcEndpointType="Interface", **properties)).resources) == 1
