"""The processes of a local environment: what runs, on which ports, with which settings."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec

from orderstream.observability.metrics.exporting import PERIOD
from orderstream_consumer.engines.config import Engine
from orderstream_playground.local.issuer import AUDIENCE, ISSUER, KEY_SET
from orderstream_playground.local.ministack import ministack_command, ministack_environment
from orderstream_playground.local.processes import ProcessSpec
from orderstream_playground.local.template import Template
from orderstream_workers.runtime.discovery import topology
from orderstream_workers.runtime.settings import Compression, Settings
from orderstream_workers.runtime.topology import Process, StreamSpec

_QUICK_KCL: Final = "shardSyncIntervalMillis=500,workerMetricsReporterFreqInMillis=1000"
"""KCL's own pace is meant for fleets: on one machine it would take two minutes to its first record."""


class EnvironmentOptions(msgspec.Struct, frozen=True, kw_only=True):
    """What shapes a local environment.

    Attributes:
        shards: Shards of the stream, 1 to 64.
        payments_per_second: The provider's limit, and our limiter's.
        payments_at_once: Requests that the provider allows at the same time, and our slots; 0 sets no bound.
        decline_percent: Share of orders whose charge the provider declines, 0 to 100.
        seed: Which orders those are.
        base_port: The first of the loopback ports that are used.
        engine: What the stream consumers run on.
        compression: What the data of messages is compressed with, if at all.
        applications_folder: Folder with more stream applications; empty for none.
        from_template: File of the synthesized template that is provisioned in place of the declaration; empty
            for none. The streams' shards are the template's then.
        otlp: Base URL of a collector that gets every span beside the environment's own; empty for none.
        metrics_seconds: How often the processes write their metrics, 1 to 60 seconds. The periods of alarms
            and the ages that they compare shrink by the same factor.
    """

    shards: int = 4
    payments_per_second: int = 50
    payments_at_once: int = 5
    decline_percent: int = 5
    seed: int = 1
    base_port: int = 24570
    engine: Engine = "embedded"
    compression: Compression = "none"
    applications_folder: str = ""
    from_template: str = ""
    otlp: str = ""
    metrics_seconds: float = PERIOD


@dataclass(frozen=True, slots=True)
class Layout:
    """Where everything of a local environment is.

    Attributes:
        home: Folder of its files.
        options: What shapes it.
    """

    home: Path
    options: EnvironmentOptions

    @property
    def logs(self) -> Path:
        """Folder of what the processes print."""
        return self.home / "logs"

    @property
    def kinesis_url(self) -> str:
        """The Kinesis fake."""
        return f"http://127.0.0.1:{self.options.base_port}"

    @property
    def aws_url(self) -> str:
        """Every other AWS service."""
        return f"http://127.0.0.1:{self.options.base_port + 1}"

    @property
    def payments_api_url(self) -> str:
        """The payment provider."""
        return f"http://127.0.0.1:{self.options.base_port + 2}"

    @property
    def api_url(self) -> str:
        """The orders API, and order status beside it."""
        return f"http://127.0.0.1:{self.options.base_port + 3}"

    @property
    def traces_url(self) -> str:
        """The collector of spans, behind all ports of the pipeline."""
        return f"http://127.0.0.1:{self._traces_port}"

    @property
    def _traces_port(self) -> int:
        declared = topology(Settings(applications_folder=self._applications_folder))
        captures = [stream for stream in declared.of(StreamSpec) if stream.captures]
        return self.options.base_port + 3 + len(declared.processes) + len(captures)

    @property
    def _applications_folder(self) -> str:
        folder = self.options.applications_folder
        return str(Path(folder).absolute()) if folder else ""

    @property
    def _archive_bucket(self) -> str:
        """A bucket's name is unique in all of AWS: a deployment's has account and region in it."""
        template = self.options.from_template
        return Template(Path(template)).bucket if template else Settings().archive_bucket

    @property
    def settings(self) -> Settings:
        """The settings that all our processes share."""
        return Settings(
            archive_bucket=self._archive_bucket,
            read_model_url=f"sqlite:///{(self.home / 'read-model.sqlite').absolute()}",
            payments_api_url=self.payments_api_url,
            payments_per_second=self.options.payments_per_second,
            payments_at_once=self.options.payments_at_once,
            # Short, so that a killed worker is soon replaced; long enough for a busy laptop.
            failover_seconds=6.0,
            engine=self.options.engine,
            compression=self.options.compression,
            applications_folder=self._applications_folder,
            kcl_properties=_QUICK_KCL,
            auth="jwt",
            jwt_issuer=ISSUER,
            jwt_audience=AUDIENCE,
            jwt_keys=str((self.home / KEY_SET).absolute()),
            # A demo's importer is one caller, as fast as the pipeline lets it be.
            caller_requests_per_second=0.0,
            tracing="otlp",
            otlp_url=self.traces_url,
            # A line for each message: logs cost nothing here, and `orderstream local logs` reads them.
            slow_seconds=0.0,
            metrics_seconds=self.options.metrics_seconds,
        )

    @property
    def environment(self) -> dict[str, str]:
        """The environment variables that point a process at this environment."""
        return self.settings.to_environment() | {
            "AWS_ENDPOINT_URL": self.aws_url,
            "AWS_ENDPOINT_URL_KINESIS": self.kinesis_url,
            "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def emulators(self, ministack: Path) -> tuple[ProcessSpec, ...]:
        """The emulators of the outside: AWS, the payment provider, a collector of spans.

        Args:
            ministack: The interpreter of ministack's environment.
        """
        options = self.options
        return (
            ProcessSpec(
                name="kinesis",
                command=(
                    *(sys.executable, "-m", "orderstream.testing.server"),
                    *("--host", "127.0.0.1", "--port", str(options.base_port)),
                    *("--metrics-seconds", str(options.metrics_seconds)),
                ),
                port=options.base_port,
                health_path="/health",
                environment={},
                emulator=True,
            ),
            ProcessSpec(
                name="aws",
                command=ministack_command(ministack, options.base_port + 1),
                port=options.base_port + 1,
                health_path="/_ministack/ready",
                environment=ministack_environment(options.base_port + 1),
                emulator=True,
            ),
            ProcessSpec(
                name="payments-api",
                command=(
                    *(sys.executable, "-m", "orderstream_playground.local.payments_api"),
                    *("--host", "127.0.0.1", "--port", str(options.base_port + 2)),
                    *("--ledger", str(self.home / "ledger.sqlite")),
                    *("--rate", str(options.payments_per_second)),
                    *("--at-once", str(options.payments_at_once)),
                    *("--decline-percent", str(options.decline_percent), "--seed", str(options.seed)),
                ),
                port=options.base_port + 2,
                health_path="/health",
                environment={},
                emulator=True,
            ),
            ProcessSpec(
                name="traces",
                command=(
                    *(sys.executable, "-m", "orderstream_playground.local.traces"),
                    *("--host", "127.0.0.1", "--port", str(self._traces_port)),
                    *("--file", str(self.home / "traces.sqlite")),
                    *(("--otlp", options.otlp) if options.otlp else ()),
                ),
                port=self._traces_port,
                health_path="/health",
                environment={},
                emulator=True,
            ),
        )

    def pipeline(self) -> tuple[ProcessSpec, ...]:
        """Our own processes, as the topology declares them; then a bridge for each stream of changes.

        The bridges emulate AWS, but they need what the provisioner makes.
        """
        declared = topology(self.settings)
        captures = [stream for stream in declared.of(StreamSpec) if stream.captures]
        first = self.options.base_port + 3
        return (
            *(self._own(process, port) for port, process in enumerate(declared.processes, first)),
            *(
                self._bridge(stream, port)
                for port, stream in enumerate(captures, first + len(declared.processes))
            ),
        )

    def _bridge(self, stream: StreamSpec, port: int) -> ProcessSpec:
        settings, table = self.settings, stream.captures
        assert table is not None
        name = f"{table.name}-bridge"
        return ProcessSpec(
            name=name,
            command=(
                *(sys.executable, "-m", "orderstream_playground.local.stock_bridge"),
                *("--table", settings.name_of(table), "--stream", settings.name_of(stream)),
                *("--positions", str(self.home / f"{name}.json"), "--port", str(port)),
            ),
            port=port,
            health_path="/health",
            environment=self.environment,
            emulator=True,
        )

    def _own(self, process: Process, port: int) -> ProcessSpec:
        http = process.serves == "http"
        # Emulators take any credentials: these identify the calling process, as its role does in AWS.
        extra = {"AWS_ACCESS_KEY_ID": process.name}
        if not http:
            extra["ORDERSTREAM_HEALTH_PORT"] = str(port)
        return ProcessSpec(
            name=process.name,
            command=(
                *(sys.executable, "-m", "orderstream_workers.cli.main", *process.command),
                *(("--port", str(port)) if http else ()),
            ),
            port=port,
            health_path="/health",
            environment=self.environment | extra,
        )
