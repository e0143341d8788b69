"""A worker on Amazon's KCL: the same face as the embedded engine's worker."""

import logging
import os
import tempfile
import threading
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from orderstream.observability.metrics import AggregatingMeter
from orderstream_consumer.engines.config import EngineConfig
from orderstream_consumer.engines.kcl.channel import CHANNEL, WorkerEnd
from orderstream_consumer.engines.kcl.daemon import Daemon, DaemonEndedError, daemon_command, require_kcl
from orderstream_consumer.engines.kcl.properties import LOGBACK, DaemonSettings, daemon_properties
from orderstream_consumer.processing.progress import GivenUp, ShardProgress

logger = logging.getLogger(__name__)

_LOOK: Final = 0.2
"""Seconds between two looks at the daemon."""


class KclWorker:
    """One of possibly many workers of an application, each with a daemon of its own.

    Args:
        application: Name of the application, for the worker's id and the log.
        stream: Name of the stream.
        lease_table: Name of the application's lease table.
        shard_command: What the daemon starts for each shard; see ``run_shard_process``.
        config: The settings that both engines share.
        environment: Environment of the daemon and of the shard processes. ``AWS_ENDPOINT_URL_KINESIS``,
            ``AWS_ENDPOINT_URL_DYNAMODB`` and ``AWS_ENDPOINT_URL`` are passed on to KCL.
        region: AWS region.
        more: Properties of KCL's own, which win over ours.
        meter: Takes what the shard processes have measured.

    Attributes:
        worker_id: The owner in the leases.
        given_up: Empty: a shard's process that cannot go on ends, and the daemon with it.
        failure: None: only the daemon's own log lines say what keeps it from the shards.
        tells_streams_apart: False: a lease of a former stream is one to KCL.

    Raises:
        KclMissingError: the extra is not installed.
    """

    tells_streams_apart = False

    def __init__(
        self,
        application: str,
        stream: str,
        *,
        lease_table: str,
        shard_command: tuple[str, ...],
        config: EngineConfig,
        region: str,
        environment: Mapping[str, str] = os.environ,
        more: Mapping[str, str] | None = None,
        meter: AggregatingMeter | None = None,
    ) -> None:
        require_kcl()  # before the application is claimed for an engine that cannot run here
        self.worker_id = f"{application}:{uuid.uuid4()}"
        self.failure: str | None = None
        self.given_up: dict[str, GivenUp] = {}
        everywhere = environment.get("AWS_ENDPOINT_URL")
        self._settings = DaemonSettings(
            lease_table=lease_table,
            stream=stream,
            worker_id=self.worker_id,
            region=region,
            shard_command=shard_command,
            engine=config,
            kinesis_endpoint=environment.get("AWS_ENDPOINT_URL_KINESIS", everywhere),
            dynamodb_endpoint=environment.get("AWS_ENDPOINT_URL_DYNAMODB", everywhere),
            more=more or {},
        )
        self._environment = environment
        self._stopping = threading.Event()
        self._worker_end: WorkerEnd | None = None
        self._meter = meter

    def run(self) -> None:
        """Work until ``request_shutdown``.

        Raises:
            DaemonEndedError: the daemon has ended by itself.
        """
        with (
            tempfile.TemporaryDirectory(prefix="orderstream-kcl-") as folder,
            self._listening() as worker_end,
        ):
            properties, logback = Path(folder) / "kcl.properties", Path(folder) / "logback.xml"
            properties.write_text(daemon_properties(self._settings))
            logback.write_text(LOGBACK)
            command = daemon_command(properties, logback, cbor=self._settings.kinesis_endpoint is None)
            logger.info("worker starts", extra={"worker_id": self.worker_id})
            self._worker_end = worker_end
            daemon = Daemon(command, {**self._environment, CHANNEL: str(worker_end.path)})
            try:
                while not self._stopping.wait(_LOOK):
                    if daemon.status is not None:
                        raise DaemonEndedError(daemon.status)
            finally:
                worker_end.drain()
                daemon.stop()
                logger.info("worker ends", extra={"worker_id": self.worker_id})

    def _listening(self) -> WorkerEnd:
        return WorkerEnd() if self._meter is None else WorkerEnd(self._meter.absorb)

    def request_shutdown(self) -> None:
        """Drain: processors come back early and checkpoint what is done. From any thread, more than once."""
        self._stopping.set()

    @property
    def started(self) -> bool:
        """Whether its daemon runs, which is not to say that it has seen the shards; from any thread."""
        return self._worker_end is not None

    @property
    def hole(self) -> None:
        """None: KCL audits its leases itself."""
        return

    def progress(self) -> tuple[ShardProgress, ...]:
        """Return the progress of each shard of this worker; from any thread."""
        return self._worker_end.progress() if self._worker_end else ()

    def counters(self) -> Mapping[str, int]:
        """What the shard processes have counted, together."""
        return self._worker_end.counters() if self._worker_end else {}
