"""Every setting of the workers, read from the environment once at the start of a process."""

import logging
import os
import re
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Final, Literal, Self
from urllib.parse import urlsplit

import msgspec

from orderstream.configuration import ConfigChecks
from orderstream.errors import OrderstreamError
from orderstream.observability.metrics.exporting import PERIOD
from orderstream_consumer.engines.config import Engine
from orderstream_consumer.processing.process_spans import SLOW_SECONDS
from orderstream_consumer.store.protocol import TableSpec
from orderstream_workers.runtime.topology.specs import LeasesSpec, Resource, StreamSpec

logger = logging.getLogger(__name__)

_PREFIX = "ORDERSTREAM_"

HEALTH_PORT: Final = f"{_PREFIX}HEALTH_PORT"
"""Sets the port of ``/health``."""

_EXPORTERS: Final = frozenset({"emf", "emf-detailed", "otel", "none"})
_LEVELS: Final = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")

Auth = Literal["jwt", "gateway", "none"]
"""How the orders API authenticates callers."""

Tracing = Literal["none", "otlp", "xray"]
"""Where the spans of a process go."""

Compression = Literal["none", "zstd"]
"""What the data of messages is compressed with, if at all."""


_XRAY: Final = re.compile(r"xray\.([a-z0-9-]+)\.amazonaws\.com(\.cn)?")
"""The host of AWS X-Ray's own endpoint for OTLP."""

_OTHERS: Final = frozenset({"HOME", "BASE_PORT", "KCL_CHANNEL", "OPERATOR_TOKEN"})
"""Variables with our prefix that are no settings of a process: of the local environment, and of our own."""


class SettingsError(OrderstreamError):
    """A setting cannot be used.

    Args:
        reason: Which, why, and what it may be.
    """

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(f"{reason}; correct the environment variable and start again")


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Settings of a process; field ``stream`` is the environment variable ``ORDERSTREAM_STREAM``, and so on.

    Where AWS is, and who we are there, is boto3's own business: ``AWS_REGION``, ``AWS_ENDPOINT_URL``,
    ``AWS_ENDPOINT_URL_KINESIS`` and the credentials' variables.

    Attributes:
        engine: What the stream consumers run on. ``kcl`` needs ``orderstream-workers[kcl]``.
        kcl_properties: Properties of KCL's own, ``name=value`` separated by commas; they win over those that
            follow from these settings.
        stream: Name of the Kinesis stream.
        compression: ``zstd`` compresses the data of every message that is put, where that makes it smaller.
        stock_stream: Name of the Kinesis stream that carries the changes of the stock table.
        low_stock_threshold: Available units of a SKU at which its stock counts as low, at least 0.
        operators_topic: ARN of the SNS topic on which operators are notified of low stock.
        table_prefix: Put before the name of every DynamoDB table.
        applications_folder: Folder with more stream applications, a Python file each; none by default.
        payment_queue: Name of the SQS queue of payments; its dead letters go to the name with ``-dlq``.
        archive_bucket: S3 bucket of the archive.
        read_model_url: SQLAlchemy URL of the order status read model: a file of this machine, or
            ``postgresql+psycopg://HOST:5432/orderstream`` for several machines. A password in it is refused
            for any other machine, and TLS is demanded; ``?sslmode=verify-full&sslrootcert=FILE`` checks whom
            one talks to.
        read_model_secret: Where user and password of that server are: the ARN of a secret in AWS Secrets
            Manager, or the path of a file (beginning with ``/``), with the JSON
            ``{"username": ..., "password": ...}`` as Amazon RDS keeps it. Read again once they are refused,
            so they may rotate. Empty leaves them to libpq's own means.
        mail_sender: Address that notifications are sent from.
        payments_api_url: Base URL of the Payments API.
        payments_per_second: Requests per second that the Payments API allows, over all containers. Above 0.
        payments_at_once: Requests that the Payments API allows at the same time, over all containers; 0 sets
            no bound.
        unserved_countries: Destinations that shipping refuses, separated by commas.
        stream_gone_seconds: A worker ends with an error once its stream has not existed for so long, in
            seconds; 0 (the default) waits for it, and ``/health`` says so.
        failover_seconds: A lease that was not renewed for so long is taken over. Seconds, at least 1.
        idle_between_reads: Pause between reads of a shard that is caught up, in seconds. All polling
            applications share five reads a second a shard.
        max_lanes: Keys of one shard that are processed at the same time, at least 1.
        auth: How the orders API authenticates callers. ``jwt``: by a token that it verifies. ``gateway``: by
            the header ``X-Caller`` of a gateway that proves itself by a shared secret. ``none``: it does not,
            and listens on the loopback interface alone.
        jwt_issuer: The tokens' ``iss``.
        jwt_audience: The tokens' ``aud``.
        jwt_keys: The issuer's key set: an ``https`` URL, or a file.
        jwt_scope_prefix: What the issuer puts before ``orders:write`` and our other scopes; nothing by
            default.
        gateway_secrets: The secret that a gateway sends in ``X-Gateway-Secret``, of at least 32 characters;
            two, separated by a comma, while it changes.
        caller_requests_per_second: Requests a second that each API process takes of one caller; twice as many
            at once. 0 sets no bound.
        metrics: Where metrics go besides ``/metrics`` of the health port. ``emf``: lines on standard output,
            of which CloudWatch Logs makes metrics; ``emf-detailed``: with those for a closer look.
            ``otel``: OpenTelemetry's global meter provider. ``none``. Several are separated by commas.
        metrics_seconds: How often EMF lines are written, in seconds, 1 to 60. CloudWatch keeps a figure a
            minute: shorter is for what is looked at elsewhere.
        health_port: Port of ``/health`` and ``/metrics``; 0 serves none. The orders API serves ``/health``
            beside its orders, and ``/metrics`` only where this is another port than theirs.
        health_host: Address that ``/health`` listens on; only this machine by default.
        tracing: ``otlp`` exports spans over OTLP (HTTP, protobuf) to ``otlp_url``; it needs
            ``orderstream-workers[otlp]``. ``xray`` sends them to AWS X-Ray's daemon, where
            ``AWS_XRAY_DAEMON_ADDRESS`` says, 127.0.0.1:2000 by default; it needs
            ``orderstream-workers[xray]``. ``none`` traces nothing.
        otlp_url: Base URL of a collector; ``/v1/traces`` is added. OpenTelemetry's own variables
            (``OTEL_EXPORTER_OTLP_HEADERS``, ``..._CERTIFICATE``) say what else it wants. Requests to
            ``https://xray.REGION.amazonaws.com``, which needs no collector, are signed.
        trace_ratio: Share of the traces that are exported, 0 to 1, decided where a trace begins: an order is
            traced whole or not at all.
        slow_seconds: A message, a batch or a payment whose processing took at least so long is logged at
            INFO; 0 logs each.
        log_level: Least severe level that is logged: DEBUG, INFO, WARNING, ERROR or CRITICAL.
    """

    engine: Engine = "embedded"
    kcl_properties: str = ""
    stream: str = "orders"
    compression: Compression = "none"
    stock_stream: str = "stock-changes"
    low_stock_threshold: int = 100
    operators_topic: str = "arn:aws:sns:us-east-1:000000000000:orderstream-operators"
    table_prefix: str = "orderstream-"
    applications_folder: str = ""
    payment_queue: str = "orderstream-payments"
    archive_bucket: str = "orderstream-archive"
    read_model_url: str = "sqlite:///read-model.sqlite"
    read_model_secret: str = ""
    mail_sender: str = "orders@example.com"
    payments_api_url: str = "http://127.0.0.1:24572"
    payments_per_second: float = 5.0
    payments_at_once: int = 5
    unserved_countries: str = ""
    stream_gone_seconds: float = 0.0
    failover_seconds: float = 10.0
    idle_between_reads: float = 1.5
    max_lanes: int = 8
    auth: Auth = "none"
    jwt_issuer: str = ""
    jwt_audience: str = ""
    jwt_keys: str = ""
    jwt_scope_prefix: str = ""
    gateway_secrets: str = ""
    caller_requests_per_second: float = 200.0
    metrics: str = "emf"
    metrics_seconds: float = PERIOD
    health_port: int = 0
    health_host: str = "127.0.0.1"
    tracing: Tracing = "none"
    otlp_url: str = "http://127.0.0.1:4318"
    trace_ratio: float = 1.0
    slow_seconds: float = SLOW_SECONDS
    log_level: str = "INFO"

    def __post_init__(self) -> None:
        """Check the ranges."""
        checks = ConfigChecks(self, _PREFIX)
        checks.within("stream_gone_seconds", 0)
        checks.within("failover_seconds", 1)
        checks.within("idle_between_reads", 0)
        checks.within("max_lanes", 1)
        checks.within("low_stock_threshold", 0)
        checks.within("caller_requests_per_second", 0)
        checks.within("health_port", 0)
        checks.within("trace_ratio", 0, 1)
        checks.within("slow_seconds", 0)
        checks.within("metrics_seconds", 1, PERIOD)
        checks.one_of("log_level", *_LEVELS)
        if not all("=" in item for item in _items(self.kcl_properties)):
            raise checks.error("kcl_properties", "name=value, separated by commas")
        checks.above_zero("payments_per_second")
        checks.within("payments_at_once", 0)
        if not self.metric_exporters <= _EXPORTERS:
            raise checks.error("metrics", "emf, emf-detailed, otel or none, separated by commas")

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Self:
        """Read the settings.

        Raises:
            SettingsError: one of them is out of range or not of its type.
        """
        given = {
            field: environment[variable]
            for field, variable in cls.variables().items()
            if environment.get(variable)
        }
        try:
            return msgspec.convert(given, cls, strict=False)
        except msgspec.ValidationError as error:
            raise SettingsError(str(error)) from error

    @classmethod
    def warn_of_unknown(cls, environment: Mapping[str, str] = os.environ) -> None:
        """Log a warning for each variable with our prefix that no setting has."""
        for name, meant in cls.unknown(environment).items():
            logger.warning("unknown setting is ignored", extra={"variable": name, "meant": meant})

    @classmethod
    def unknown(cls, environment: Mapping[str, str] = os.environ) -> dict[str, str | None]:
        """Variables with our prefix that no setting has: most likely misspelt.

        Returns:
            By variable, the one that was probably meant, if any is near.
        """
        known = {_PREFIX + field.upper() for field in cls.__struct_fields__}
        known |= {_PREFIX + name for name in _OTHERS}
        found = sorted(name for name in environment if name.startswith(_PREFIX) and name not in known)
        return {name: next(iter(get_close_matches(name, known, n=1)), None) for name in found}

    @classmethod
    def variables(cls) -> dict[str, str]:
        """By field, the environment variable that it is read from."""
        return {field: _PREFIX + field.upper() for field in cls.__struct_fields__}

    @property
    def metric_exporters(self) -> frozenset[str]:
        """``metrics``, taken apart."""
        return frozenset(item.strip() for item in _items(self.metrics))

    @property
    def xray_region(self) -> str | None:
        """The region whose AWS X-Ray takes the spans by its own endpoint; None where another one does."""
        if self.tracing != "otlp" or not self.otlp_url.startswith("https://"):
            return None
        found = _XRAY.fullmatch(urlsplit(self.otlp_url).hostname or "")
        return None if found is None else found[1]

    @property
    def more_kcl_properties(self) -> dict[str, str]:
        """``kcl_properties``, taken apart."""
        pairs = (item.split("=", 1) for item in _items(self.kcl_properties))
        return {name.strip(): value.strip() for name, value in pairs}

    def name_of(self, resource: Resource | LeasesSpec) -> str:
        """What a resource is called in AWS: a topic by its ARN, a database and a service by their URL.

        Args:
            resource: As it is declared.
        """
        if not isinstance(resource, TableSpec | LeasesSpec) and resource.setting is not None:
            return str(getattr(self, resource.setting))
        return resource.name if isinstance(resource, StreamSpec) else self.table_prefix + resource.name

    def to_environment(self) -> dict[str, str]:
        """The variables that make ``from_environment`` give these settings."""
        return {variable: str(getattr(self, field)) for field, variable in self.variables().items()}


def _items(text: str) -> list[str]:
    return [item for item in text.split(",") if item.strip()]
