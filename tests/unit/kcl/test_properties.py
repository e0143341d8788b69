"""MultiLangDaemon's properties follow from our own settings."""

import xml.etree.ElementTree as ET

from orderstream_consumer.engines.config import EngineConfig
from orderstream_consumer.engines.kcl.properties import LOGBACK, DaemonSettings, daemon_properties


def properties_of(**changes: object) -> dict[str, str]:
    given = {
        "lease_table": "orderstream-inventory-consumer",
        "stream": "orders",
        "worker_id": "inventory:1",
        "region": "eu-west-1",
        "shard_command": ("python", "-m", "shard", "inventory"),
        "engine": EngineConfig(failover_time=6, idle_between_reads=1.5),
        "more": {},
    }
    text = daemon_properties(DaemonSettings(**(given | changes)))  # type: ignore[arg-type]
    return dict(line.split(" = ", 1) for line in text.splitlines())


def test_both_engines_work_on_one_lease_table() -> None:
    """KCL's application name is the embedded engine's lease table, and its knobs are the same ones."""
    properties = properties_of()
    assert properties["applicationName"] == "orderstream-inventory-consumer"
    assert properties["streamName"] == "orders"
    assert properties["workerId"] == "inventory:1"
    assert properties["failoverTimeMillis"] == "6000"
    assert properties["idleTimeBetweenReadsInMillis"] == "1500"
    assert properties["initialPositionInStream"] == "TRIM_HORIZON"
    assert properties["retrievalMode"] == "POLLING"
    assert properties["executableName"] == "python -m shard inventory"


def test_processors_are_asked_when_nothing_comes_and_before_the_end() -> None:
    """What acts on the passage of time is called without records; SIGTERM gives time to checkpoint."""
    properties = properties_of()
    assert properties["callProcessRecordsEvenForEmptyRecordList"] == "true"
    assert int(properties["shutdownGraceMillis"]) > 0


def test_in_aws_no_endpoint_is_named() -> None:
    """Without endpoints of our own KCL finds AWS by its region, and publishes its metrics there."""
    properties = properties_of()
    assert "kinesisEndpoint" not in properties
    assert "dynamoDBEndpoint" not in properties
    assert properties["metricsLevel"] == "SUMMARY"


def test_endpoints_are_passed_on() -> None:
    """With endpoints of our own nothing is sent anywhere else."""
    properties = properties_of(kinesis_endpoint="http://k:1", dynamodb_endpoint="http://d:2")
    assert properties["kinesisEndpoint"] == "http://k:1"
    assert properties["dynamoDBEndpoint"] == "http://d:2"
    assert properties["metricsLevel"] == "NONE"


def test_properties_of_ones_own_win() -> None:
    """An operator can set any property of KCL's, those that we set included."""
    properties = properties_of(more={"maxRecords": "10", "timeoutInSeconds": "60"})
    assert properties["maxRecords"] == "10"
    assert properties["timeoutInSeconds"] == "60"


def test_values_are_escaped() -> None:
    """A value with a backslash or a line's end stays one value of one line."""
    assert properties_of(stream="a\\b\nc")["streamName"] == "a\\\\b\\nc"


def test_log_configuration_is_well_formed() -> None:
    """The daemon reads its log configuration as XML."""
    assert ET.fromstring(LOGBACK).find("appender/encoder/pattern") is not None
