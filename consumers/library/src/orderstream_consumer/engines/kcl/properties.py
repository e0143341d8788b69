"""MultiLangDaemon's two files, made from our own settings."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from orderstream_consumer.engines.config import EngineConfig

SHUTDOWN_GRACE: Final = 15.0
"""Seconds that the daemon gives its processors after SIGTERM. KCL's default of 0 asks none of them, and
leaves its leader's row behind, for which the next start waits over two minutes."""


@dataclass(frozen=True, kw_only=True, slots=True)
class DaemonSettings:
    """What the daemon has to know.

    Attributes:
        lease_table: KCL's application name, which is the name of the lease table.
        stream: The stream.
        worker_id: The owner in the leases.
        region: AWS region.
        shard_command: The command of a shard process; no part may hold white space, as KCL splits there.
        engine: The settings that both engines share.
        kinesis_endpoint: Where Kinesis is, if not in AWS.
        dynamodb_endpoint: Where DynamoDB is, if not in AWS.
        more: Properties of KCL's own, which win over ours.
    """

    lease_table: str
    stream: str
    worker_id: str
    region: str
    shard_command: tuple[str, ...]
    engine: EngineConfig
    kinesis_endpoint: str | None = None
    dynamodb_endpoint: str | None = None
    more: Mapping[str, str]


def daemon_properties(settings: DaemonSettings) -> str:
    """The properties file.

    Returns:
        Lines of ``name = value``, as Java's ``Properties`` reads them.
    """
    engine = settings.engine
    properties = {
        "executableName": " ".join(settings.shard_command),
        "processingLanguage": "python/3",
        "streamName": settings.stream,
        "applicationName": settings.lease_table,
        "workerId": settings.worker_id,
        "regionName": settings.region,
        "AwsCredentialsProvider": "DefaultCredentialsProvider",
        "initialPositionInStream": engine.initial_position,
        "retrievalMode": "POLLING",
        "maxRecords": str(engine.max_records),
        "idleTimeBetweenReadsInMillis": _millis(max(engine.idle_between_reads, engine.min_between_reads)),
        # Our processors act on the passage of time as well.
        "callProcessRecordsEvenForEmptyRecordList": "true",
        "failoverTimeMillis": _millis(engine.failover_time),
        "parentShardPollIntervalMillis": _millis(engine.parent_poll_interval),
        "shardSyncIntervalMillis": _millis(engine.shard_sync_interval),
        "shutdownGraceMillis": _millis(SHUTDOWN_GRACE),
        # An endpoint of one's own has no CloudWatch that KCL could be pointed at.
        "metricsLevel": "NONE" if settings.kinesis_endpoint else "SUMMARY",
    }
    if settings.kinesis_endpoint:
        properties["kinesisEndpoint"] = settings.kinesis_endpoint
    if settings.dynamodb_endpoint:
        properties["dynamoDBEndpoint"] = settings.dynamodb_endpoint
    properties |= settings.more
    return "".join(f"{name} = {_escaped(value)}\n" for name, value in properties.items())


FIELD_SEPARATOR: Final = "||"
"""Between the fields of a log line of the daemon: level, logger, message, exception."""

LOGBACK: Final = """\
<configuration>
  <appender name="STDOUT" class="ch.qos.logback.core.ConsoleAppender">
    <encoder>
      <pattern>
        %level||%logger{0}||%replace(%msg){'[\\r\\n]+', ' '}||%replace(%ex){'[\\r\\n\\t]+', ' '}%nopex%n
      </pattern>
    </encoder>
  </appender>
  <logger name="software.amazon.kinesis.multilang" level="INFO"/>
  <root level="WARN"><appender-ref ref="STDOUT"/></root>
</configuration>
"""
"""How the daemon logs: one line an event, which we turn into a structured one."""


def _millis(seconds: float) -> str:
    return str(round(seconds * 1000))


def _escaped(value: str) -> str:
    # In a properties file a backslash escapes and a line's end ends the value.
    return value.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r")
