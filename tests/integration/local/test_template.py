"""What is provisioned from the synthesized template is what is provisioned from the declaration."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from moto import mock_aws

from fakes.moto_aws import moto_client
from orderstream_playground.local.environment import EnvironmentOptions, Layout
from orderstream_playground.local.template import Template, TemplateError, provision_from
from orderstream_workers.runtime.provision import provision
from orderstream_workers.runtime.settings import Settings

KEPT = Path(__file__).parents[3] / "infra" / "orderstream-data.template.json"
SHARDS = 4


def client(service: str) -> Any:
    return moto_client(service, region_name="us-east-1")


def made(make: Callable[[], None]) -> dict[str, Any]:
    """Everything that is there after a provisioning: by kind and name, what matters of it."""
    with mock_aws():
        make()
        return {
            **{f"stream {name}": _stream(name) for name in client("kinesis").list_streams()["StreamNames"]},
            **{f"table {name}": _table(name) for name in client("dynamodb").list_tables()["TableNames"]},
            **{f"queue {url.rpartition('/')[2]}": _queue(url) for url in _queues()},
            "buckets": [bucket["Name"] for bucket in client("s3").list_buckets()["Buckets"]],
            "topics": [topic["TopicArn"] for topic in client("sns").list_topics()["Topics"]],
            "senders": client("ses").list_identities()["Identities"],
        }


def _stream(name: str) -> Any:
    summary = client("kinesis").describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]
    return [summary[key] for key in ("OpenShardCount", "RetentionPeriodHours", "StreamModeDetails")]


def _table(name: str) -> Any:
    described = client("dynamodb").describe_table(TableName=name)["Table"]
    indexes = [
        [index["IndexName"], index["KeySchema"], index["Projection"]]
        for index in described.get("GlobalSecondaryIndexes", [])
    ]
    expiry = client("dynamodb").describe_time_to_live(TableName=name)["TimeToLiveDescription"]
    kept = [described["KeySchema"], described["BillingModeSummary"]["BillingMode"], indexes, expiry]
    attributes = sorted(described["AttributeDefinitions"], key=lambda each: each["AttributeName"])
    return [*kept, attributes, described.get("StreamSpecification")]


def _queues() -> list[str]:
    return [str(url) for url in client("sqs").list_queues().get("QueueUrls", [])]


def _queue(url: str) -> Any:
    attributes = client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    redrive = json.loads(attributes.get("RedrivePolicy", "null"))
    return [attributes["VisibilityTimeout"], attributes["MessageRetentionPeriod"], redrive]


def test_template_and_declaration_make_the_same() -> None:
    """Attribute by attribute: a template that forgot an expiry would make another environment."""
    template = Template(KEPT)
    settings = Settings(read_model_url="sqlite:///:memory:", archive_bucket=template.bucket)
    declared = made(lambda: provision(settings, SHARDS, client))
    inbox = declared.pop("queue orderstream-operators")  # on this machine alone
    assert inbox
    assert made(lambda: provision_from(template, client)) == declared
    assert len(declared) > 20


def test_what_is_there_stays() -> None:
    """Containers that are started once more find everything, and a template is provisioned to its end."""
    template = Template(KEPT)
    once = made(lambda: provision_from(template, client))

    def twice() -> None:
        provision_from(template, client)
        provision_from(template, client)

    assert made(twice) == once


def test_processes_find_the_templates_bucket() -> None:
    """The one name that a deployment gives differently, for it is unique in all of AWS."""
    layout = Layout(Path("/somewhere"), EnvironmentOptions(from_template=str(KEPT)))
    assert layout.settings.archive_bucket == Template(KEPT).bucket != Settings().archive_bucket


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "it is no template"),
        ("{}", "it is no template"),
        (
            '{"Resources": {"Pigeon": {"Type": "AWS::Carrier::Pigeon"}}}',
            "Pigeon is of the type AWS::Carrier::Pigeon",
        ),
    ],
)
def test_what_cannot_be_provisioned_is_refused(tmp_path: Path, text: str, reason: str) -> None:
    """A type that is not known here would be missing in silence; the sentence says where a template is."""
    file = tmp_path / "other.json"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(TemplateError, match=f"{reason}.*make infra-synth"):
        Template(file)
    with pytest.raises(TemplateError, match="it is no template"):
        Template(tmp_path / "nowhere.json")


def test_a_template_has_one_bucket(tmp_path: Path) -> None:
    """Without it, nobody could say where the archive is."""
    file = tmp_path / "other.json"
    file.write_text('{"Resources": {}}', encoding="utf-8")
    with pytest.raises(TemplateError, match="0 buckets"):
        _ = Template(file).bucket
