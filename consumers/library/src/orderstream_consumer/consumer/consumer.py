"""The consumer an application holds."""

import logging
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from types import FrameType, TracebackType
from typing import TYPE_CHECKING, Any, Final, Self, cast

import boto3

from orderstream.observability.metrics import Exporter, Meter
from orderstream.observability.tracing import Tracer
from orderstream_consumer.consumer.arguments import check_arguments, refuse_for_kcl
from orderstream_consumer.consumer.clients import client_of, region_of, settings_found
from orderstream_consumer.consumer.config import ConsumerConfig
from orderstream_consumer.consumer.errors import (
    ConsumerDrainingError,
    ConsumerNotReadyError,
    ConsumerStateError,
    RecordFailedError,
)
from orderstream_consumer.consumer.failures import OnFailure, checked, is_queue
from orderstream_consumer.consumer.handler_delivery import BatchHandler, Handler, HandlerDelivery
from orderstream_consumer.consumer.importable import loaded
from orderstream_consumer.consumer.run import Backing, lease_table_of, prepared_run
from orderstream_consumer.consumer.stream import ConsumedName, KinesisReads
from orderstream_consumer.delivery import ParkedRecords
from orderstream_consumer.engines.embedded.leases import LeaseTable
from orderstream_consumer.processing.process_spans import NOT_TRACED, ProcessSpans
from orderstream_consumer.store import DynamoDBStore, Store

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_kinesis import KinesisClient
    from mypy_boto3_sqs import SQSClient

logger = logging.getLogger(__name__)

_POLL: Final = 0.05
"""Seconds between two looks at whether a consumer is ready."""


class Consumer:
    """Reads a Kinesis stream as KCL does, and hands each user record to a handler.

    Every process that runs a consumer of the same application shares the stream's shards with the others:
    leases in DynamoDB say whose each shard is and how far it is done. Records are delivered at least once;
    those of one partition key in order, one at a time. No checkpoint passes a record that is not done.

    An exception of the handler is tried again, see ``ConsumerConfig.retries``; then ``on_failure`` decides.
    While something that the handler depends on is down, let it raise ``DependencyError`` or one of
    ``ConsumerConfig.outages``: the record is tried again until it works.

    ::

        made ──run() or start()──> starting ──> ready ──stop(), SIGTERM, a failure──> draining ──> ended

    Args:
        application: Names the application: its lease table, its parked records. 3 to 255 of A-Z a-z 0-9
            _ . -.
        stream: The stream's name or ARN.
        handler: Handles one record: a function, a coroutine function, or ``"module:function"``. Called from
            many threads; coroutines run in one event loop, in a thread of the library.
        batch_handler: Instead of ``handler``: handles a batch of records of one shard, in order. One that
            fails is halved until the record that fails by itself is alone.
        on_failure: What becomes of a record that fails by itself. ``"park"`` (default): it waits in the
            table ``parking`` of the application, with all later records of its key, for ``redrive``.
            ``"stop"``: the consumer ends with RecordFailedError, and begins there the next time. A callable:
            it takes the record and the reason, and the later records of the key go on. The URL of an SQS
            queue: the record is sent there as JSON.
        config: The settings; defaults fit most uses.
        session: A boto3 session to build clients from.
        kinesis: A Kinesis client to use instead of building one. Clients should not retry by themselves.
        dynamodb: A DynamoDB client, for leases and parked records.
        sqs: An SQS client, for ``on_failure``.
        leases: Where leases are instead of DynamoDB, e.g. ``MemoryLeaseTable()`` in a test.
        store: Where all else is instead of DynamoDB, e.g. ``MemoryStore()`` in a test.
        tracer: Begins a span around each call of a handler, with the message's trace context as parent and
            link, or a batch's contexts as links. By default nothing is traced.
        exporters: Where its metrics go, e.g. ``EmfExporter()``, besides ``/metrics`` of the health port.

    Raises:
        ConfigError: An argument is not possible.
        HandlerNotImportableError: The handler's name means nothing, or KCL's processes cannot import it.
        KclMissingError: ``engine="kcl"``, and the extra is not installed.
        AwsSettingsError: Region or credentials cannot be found.
    """

    def __init__(
        self,
        application: str,
        *,
        stream: str,
        handler: Handler | str | None = None,
        batch_handler: BatchHandler | str | None = None,
        on_failure: OnFailure = "park",
        config: ConsumerConfig | None = None,
        session: boto3.Session | None = None,
        kinesis: KinesisReads | None = None,
        dynamodb: "DynamoDBClient | None" = None,
        sqs: "SQSClient | None" = None,
        leases: LeaseTable | None = None,
        store: Store | None = None,
        tracer: Tracer | None = None,
        exporters: Sequence[Exporter] = (),
    ) -> None:
        config = ConsumerConfig() if config is None else config
        self._stream = ConsumedName.of(stream)
        check_arguments(application, handler, batch_handler, config)
        checked(on_failure)
        if config.engine == "kcl":
            refuse_for_kcl(
                session=session,
                kinesis=kinesis,
                dynamodb=dynamodb,
                sqs=sqs,
                leases=leases,
                store=store,
                tracer=tracer,
            )
        self._application = application
        with settings_found():
            self._session = session or boto3.Session()
            region = region_of(self._session, config.region_name or self._stream.region)
        self._config = config = replace(
            config,
            lease_table=config.lease_table or application,
            table_prefix=config.table_prefix or f"{application}-",
            region_name=region,
        )
        self._made: list[Any] = []
        if leases is None or store is None:
            dynamodb = dynamodb or self._client("dynamodb")
        if is_queue(on_failure):
            sqs = sqs or self._client("sqs")
        self._failed: RecordFailedError | None = None
        self._stop = threading.Event()
        self._ended = threading.Event()
        self._begun = False
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._error: BaseException | None = None
        self._backing = Backing(
            kinesis=cast("KinesisClient", kinesis) if kinesis else self._client("kinesis"),
            dynamodb=dynamodb,
            leases=leases or lease_table_of(_given(dynamodb), config),
            store=store or DynamoDBStore(_given(dynamodb), str(config.table_prefix)),
            stored_in_dynamodb=store is None,
        )
        self._delivery = HandlerDelivery(
            application,
            self._stream.name,
            handler=loaded("handler", handler),
            batch_handler=loaded("batch_handler", batch_handler),
            on_failure=on_failure,
            config=config,
            store=self._backing.store,
            sqs=sqs,
            failed=self._stop_at,
            spans=NOT_TRACED
            if tracer is None
            else ProcessSpans(tracer, stream=self._stream.name, application=application),
        )
        self._run, self._work = prepared_run(
            application,
            self._stream,
            delivery=self._delivery,
            named=(handler, batch_handler, on_failure),
            config=config,
            backing=self._backing,
            stop=self._stop,
            exporters=exporters,
        )

    def __repr__(self) -> str:
        """Say which application, of which stream, on which engine."""
        return f"<Consumer {self._application} of stream {self._stream.name}, {self._config.engine} engine>"

    def check(self) -> None:
        """Ask Kinesis at once whether the stream is there, and is one that can be read in order.

        It finds a wrong name, account, region or endpoint, missing and refused credentials.

        Raises:
            StreamGoneError: There is no such stream.
            OtherStreamError: The client reaches another one than the ARN names.
            KeysUnorderedError: The stream distributes records itself; see ``ConsumerConfig.ordered``.
            DependencyError: Kinesis could not be reached, or does not allow it.
        """
        self._stream.identity(self._backing.kinesis, ordered=self._config.ordered)

    def run(self) -> None:
        """Consume until ``stop``, or until SIGTERM or SIGINT if this is the main thread; then drain.

        A second signal while it drains has its usual effect.

        Raises:
            RecordFailedError: A record failed, and ``on_failure`` is ``"stop"``. Under KCL, where another
                process meets the record and logs it, this is DaemonEndedError.
            MixedEnginesError: Workers of the other engine run the application.
            StreamChangedError: The leases belong to another stream; see ``adopt_new_stream``.
            StreamGoneError: The stream does not exist for longer than ``stream_gone_timeout``.
            ListenError: The health port cannot be had.
            ConsumerStateError: It was run before; make a new one.
            OrderstreamError: Something else that it cannot do without has failed.
        """
        self._begin("run()")
        with self._until_signals():
            self._consume()
        self._raise_failure()

    def start(self) -> None:
        """Consume in a thread, until ``stop``; signals are the caller's business.

        What ends the consumer is raised by ``stop`` and ``wait_ready``, and logged.

        Raises:
            ConsumerStateError: It was run before; make a new one.
        """
        self._begin("start()")
        # A daemon: a program that ends without stop() must not hang. What was not done is delivered again.
        self._thread = threading.Thread(
            target=self._consume, name=f"consumer-{self._application}", daemon=True
        )
        self._thread.start()

    def stop(self, timeout: float | None = None) -> None:
        """Drain: finish what handlers have begun, checkpoint, release the leases. Calling it again is safe.

        Args:
            timeout: How long to wait at most, in seconds; None for as long as ``drain_timeout`` makes it.

        Raises:
            ConsumerDrainingError: It has not drained in time.
            OrderstreamError: What ended the consumer before, as ``run`` raises it.
        """
        self._stop.set()
        if not self._begun or threading.current_thread() is self._thread:
            return
        if not self._ended.wait(timeout):
            raise ConsumerDrainingError(timeout or 0.0)
        if self._thread is not None:
            self._thread.join()
            self._raise_failure()

    def request_stop(self) -> None:
        """Begin to drain, and wait for nothing: for handlers of signals, and for handlers of records."""
        self._stop.set()

    def wait_ended(self, timeout: float | None = None) -> bool:
        """Wait until the consumer has ended: stopped and drained, or by a failure, which ``stop`` raises.

        Args:
            timeout: How long at most, in seconds; None for as long as it takes.

        Returns:
            Whether it has ended.
        """
        return self._ended.wait(timeout)

    def wait_ready(self, timeout: float) -> None:
        """Wait until the consumer has seen its stream's shards, and all that it depends on responds.

        Args:
            timeout: How long at most, in seconds.

        Raises:
            ConsumerNotReadyError: It is not ready in time; it goes on trying.
            ConsumerStateError: It was not started, or has stopped.
            OrderstreamError: What has ended it, as ``run`` raises it.
        """
        if not self._begun:
            raise ConsumerStateError("wait_ready()", "start the consumer first")
        deadline = time.monotonic() + timeout
        while not self._ended.wait(_POLL):
            report = self.health()
            if report["ready"]:
                return
            if time.monotonic() >= deadline:
                raise ConsumerNotReadyError(timeout, str(report["reason"]))
        self._raise_failure()
        raise ConsumerStateError("wait_ready()", "the consumer has stopped; make a new one")

    def health(self) -> dict[str, Any]:
        """What ``/health`` says: ``healthy``, ``ready``, the ``reason`` where one is False, shards, counters.

        ``healthy`` is False when records wait and none is handled for 90 s, when a shard cannot be read, or
        when something that the consumer depends on does not respond for so long.
        """
        return self._run.report()

    @property
    def meter(self) -> Meter:
        """Takes the handler's own metrics; they are exported with the consumer's. Not under KCL."""
        return self._delivery.meter

    @property
    def parked(self) -> ParkedRecords:
        """The records that wait in the application's table ``parking``; the consumer need not run."""
        return ParkedRecords(self._backing.store, self._application)

    def redrive(self, partition_key: str) -> int:
        """Hand the parked records of a key to the handler, in order; then the key is free again.

        The consumer may run meanwhile, here or elsewhere. For one caller per key at a time.

        Args:
            partition_key: The key.

        Returns:
            How many records were carried out.

        Raises:
            RedriveStoppedError: A record failed again; it and its followers stay parked.
            DependencyError: The table or the handler's own dependencies failed; call again.
        """
        return self.parked.redrive(partition_key, self._delivery)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Stop; raise what has ended the consumer, unless something worse is under way."""
        try:
            self.stop()
        except Exception:
            if error is None:
                raise

    def _client(self, service: str) -> Any:
        made = client_of(self._session, service, self._config.region_name)
        self._made.append(made)
        return made

    def _begin(self, asked: str) -> None:
        with self._lock:
            if self._begun:
                raise ConsumerStateError(asked, "a consumer runs once; make a new one")
            self._begun = True

    def _consume(self) -> None:
        try:
            if not self._stop.is_set():
                self._work()
        except BaseException as error:
            logger.exception("consumer ends by a failure", extra={"application": self._application})
            self._error = error
        finally:
            self._stop.set()
            self._delivery.close()
            for client in self._made:
                client.close()
            self._ended.set()

    def _stop_at(self, failure: RecordFailedError) -> None:
        self._failed = self._failed or failure
        self._stop.set()

    def _raise_failure(self) -> None:
        failure = self._failed or self._error
        if failure is not None:
            raise failure

    @contextmanager
    def _until_signals(self) -> Iterator[None]:
        """Stop on SIGTERM and SIGINT while the body runs."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        former = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}

        def restore() -> None:
            for number, handler in former.items():
                signal.signal(number, signal.SIG_DFL if handler is None else handler)

        def drain(_number: int, _frame: FrameType | None) -> None:
            restore()
            self._stop.set()

        for number in former:
            signal.signal(number, drain)
        try:
            yield
        finally:
            restore()


def _given(dynamodb: "DynamoDBClient | None") -> "DynamoDBClient":
    assert dynamodb is not None
    return dynamodb
