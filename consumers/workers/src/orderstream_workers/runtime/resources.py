"""What an application is made of: clients, store, publisher; each made on first use, closed at the end."""

import datetime as dt
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import ExitStack, suppress
from functools import cached_property
from typing import TYPE_CHECKING, Final, Self

from orderstream import Producer
from orderstream.messages import Message
from orderstream.messages.spans import SendSpans
from orderstream.observability.metrics import AggregatingMeter, Metric
from orderstream.observability.tracing import Tracer
from orderstream_consumer.delivery import (
    Breaker,
    DeliveryConfig,
    DeliveryTally,
    LaneProcessor,
    Overtakes,
    RecordHandler,
    StoredParking,
    never_overtakes,
)
from orderstream_consumer.engines.embedded.leases import DynamoDBLeaseTable, LeaseTable
from orderstream_consumer.idempotency import (
    HostClock,
    IsKnown,
    KinesisPublisher,
    MessageHandler,
    Publisher,
    Route,
    nobody_knows,
)
from orderstream_consumer.processing.concurrency import ThreadPool
from orderstream_consumer.processing.metrics import BREAKER_OPEN
from orderstream_consumer.processing.process_spans import ProcessSpans
from orderstream_consumer.processing.processor import RecordProcessor, StopSignal
from orderstream_consumer.running import Background
from orderstream_consumer.store import DynamoDBStore, Store
from orderstream_workers.runtime import clients
from orderstream_workers.runtime.application import Application
from orderstream_workers.runtime.settings import Settings, SettingsError
from orderstream_workers.runtime.telemetry.tracing import tracer_of
from orderstream_workers.runtime.topology import LeasesSpec, QueueSpec, StreamApplication, TopologyError
from orderstream_workers.runtime.topology.pipeline import PAYMENT_QUEUE
from orderstream_workers.services.payments import PaymentQueue, SqsPaymentQueue, TracedPaymentQueue

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_kinesis import KinesisClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_ses import SESClient
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient

_LANE_THREADS: Final = 32
"""Threads that the lanes of all shards of a process share."""


class Resources:
    """Everything that the composition root hands out.

    Args:
        settings: The process's settings.
        process: What traces call it, and what all its metrics say in the dimension ``Application``.

    Attributes:
        meter: Takes everything that is measured.
    """

    def __init__(self, settings: Settings, process: str = "orderstream") -> None:
        self.settings = settings
        self.process = process
        self.meter = AggregatingMeter({"Application": process})
        self._closing = ExitStack()

    def __enter__(self) -> Self:
        """Use the resources."""
        self.close_later(
            self.tracer.close
        )  # made first, closed last: what is closed before it is traced, too
        return self

    def __exit__(self, *_: object) -> None:
        """Close what was made, the last first."""
        self._closing.close()

    @staticmethod
    def clock() -> dt.datetime:
        """The time (UTC)."""
        return dt.datetime.now(dt.UTC)

    @staticmethod
    def wait(seconds: float) -> None:
        """Let time pass, in seconds."""
        time.sleep(seconds)

    @cached_property
    def deciding_clock(self) -> HostClock:
        """The time (UTC), as long as the host's clock agrees with AWS'."""
        return HostClock()

    @cached_property
    def region(self) -> str | None:
        """Whose prices count; None where no Region is set, and so no client can be made."""
        with suppress(SettingsError):
            return clients.region()
        return None

    @cached_property
    def tracer(self) -> Tracer:
        """Begins spans."""
        return tracer_of(self.settings, self.process)

    def process_spans(self, declared: StreamApplication) -> ProcessSpans:
        """Begins the spans of what an application processes, and logs it.

        Args:
            declared: The application.
        """
        return ProcessSpans(
            self.tracer,
            stream=self.settings.name_of(declared.reads),
            application=declared.name,
            slow_seconds=self.settings.slow_seconds,
            clock=self.clock,
        )

    @cached_property
    def tally(self) -> DeliveryTally:
        """What the process's application counts, for ``/health`` and its meter."""
        return self.counting({})

    def counting(self, metrics: Mapping[str, Metric]) -> DeliveryTally:
        """A tally with metrics of a service's own.

        Args:
            metrics: By the name that the service counts.
        """
        return DeliveryTally(meter=self.meter, metrics=metrics)

    def breaker(self) -> Breaker:
        """A breaker that its meter watches."""
        breaker = Breaker()
        self.meter.before_collecting(lambda: self.meter.record(BREAKER_OPEN, int(breaker.is_open)))
        return breaker

    @cached_property
    def kinesis(self) -> "KinesisClient":
        """Reads the stream."""
        client = clients.kinesis_client()
        self.deciding_clock.listen_to(client)
        self.close_later(client.close)
        return client

    @cached_property
    def producing(self) -> "KinesisClient":
        """Puts into the stream.

        Unlike a client that a ``Producer`` makes, it may be made before there are credentials: a process
        whose metadata service is late waits for them, not ready, and its health says why.
        """
        client = clients.kinesis_client()
        self.close_later(client.close)
        return client

    @cached_property
    def dynamodb(self) -> "DynamoDBClient":
        """Leases, state and guards."""
        client = clients.dynamodb_client()
        self.deciding_clock.listen_to(client)
        self.close_later(client.close)
        return client

    @cached_property
    def store(self) -> Store:
        """State and guards."""
        return DynamoDBStore(self.dynamodb, table_prefix=self.settings.table_prefix)

    def lease_table(self, application: str) -> str:
        """Name of the table of an application's leases."""
        return self.settings.name_of(LeasesSpec(application))

    def leases(self, application: str) -> LeaseTable:
        """An application's leases; its first worker makes the table where none is provisioned."""
        return DynamoDBLeaseTable(self.dynamodb, self.lease_table(application))

    @cached_property
    def producer(self) -> Producer:
        """Puts into the stream."""
        return self._closing.enter_context(
            Producer(self.settings.stream, client=self.producing, meter=self.meter)
        )

    @cached_property
    def publisher(self) -> Publisher:
        """Puts messages into the stream and waits for the acknowledgement."""
        return KinesisPublisher(
            self.producer,
            compress=self.settings.compression == "zstd",
            spans=SendSpans(self.tracer, self.settings.stream),
        )

    @cached_property
    def payment_queue(self) -> PaymentQueue:
        """The queue between payments' stream side and the payment worker."""
        name = self.settings.name_of(PAYMENT_QUEUE)
        return TracedPaymentQueue(self._queue(name), self.tracer, name)

    @cached_property
    def payment_dead_letters(self) -> PaymentQueue:
        """Where SQS puts payments that were received too often."""
        return self._queue(QueueSpec.dead_letters_of(self.settings.name_of(PAYMENT_QUEUE)))

    def queue_depth(self, name: str) -> Callable[[], int]:
        """What asks a queue about how many messages are in it, hidden and delayed ones included.

        Args:
            name: What it is called in AWS.
        """
        return self._queue(name).depth

    @cached_property
    def secrets(self) -> "SecretsManagerClient":
        """Credentials of databases."""
        client = clients.secrets_client()
        self.close_later(client.close)
        return client

    @cached_property
    def sqs(self) -> "SQSClient":
        """Queues."""
        client = clients.sqs_client()
        self.deciding_clock.listen_to(client)
        self.close_later(client.close)
        return client

    @cached_property
    def s3(self) -> "S3Client":
        """The archive."""
        client = clients.s3_client()
        self.close_later(client.close)
        return client

    @cached_property
    def ses(self) -> "SESClient":
        """The customers' mail."""
        client = clients.ses_client()
        self.close_later(client.close)
        return client

    @cached_property
    def sns(self) -> "SNSClient":
        """The operators' topic."""
        client = clients.sns_client()
        self.close_later(client.close)
        return client

    def _queue(self, name: str) -> PaymentQueue:
        return SqsPaymentQueue.named(self.sqs, name)

    def in_lanes(
        self,
        declared: StreamApplication,
        routes: Mapping[str, Route],
        background: Sequence[Background] = (),
        overtaking: Collection[type[Message]] = (),
        is_known: IsKnown = nobody_knows,
    ) -> Application:
        """An application whose messages are delivered in lanes, with retries and parking.

        Args:
            declared: The application.
            routes: What carries out each type of message.
            background: What runs beside the shards.
            overtaking: The messages that never wait behind parked ones of their order: the compensations.
            is_known: Which orders it has taken; see ``MessageHandler``.
        """
        handler = MessageHandler(
            routes, self.tally.count, overtaking, is_known, self.process_spans(declared), declared.name
        )
        return self.handled_in_lanes(declared, handler, background=background, overtakes=handler.overtakes)

    def handled_in_lanes(
        self,
        declared: StreamApplication,
        handler: RecordHandler,
        *,
        background: Sequence[Background] = (),
        overtakes: Overtakes = never_overtakes,
        tally: DeliveryTally | None = None,
    ) -> Application:
        """An application whose records are delivered in lanes, with retries and parking.

        Args:
            declared: The application; it parks what fails by itself.
            handler: Carries out one record.
            background: What runs beside the shards.
            overtakes: Which records are handled although earlier ones of their key are parked.
            tally: Counts, where a service has metrics of its own.

        Raises:
            TopologyError: it is declared as one that parks nothing.
        """
        if not declared.parks:
            raise TopologyError(f"{declared.name} is delivered in lanes, and declared with `parks=False`")
        threads = ThreadPool(_LANE_THREADS, "lane")
        self.close_later(threads.shutdown)
        breaker, tally = self.breaker(), tally or self.tally
        config = DeliveryConfig(max_lanes=self.settings.max_lanes)
        parking = StoredParking(self.store, declared.name, self.clock)

        def processor(shard_id: str, stop: StopSignal) -> RecordProcessor:  # noqa: ARG001 - the engine's
            return LaneProcessor(
                handler=handler,
                parking=StoredParking(self.store, declared.name, self.clock),
                executor=threads,
                breaker=breaker,
                tally=tally,
                stop=stop,
                config=config,
                overtakes=overtakes,
            )

        return Application(
            declared=declared,
            processors=processor,
            background=background,
            counters=tally.figures,
            failure=tally.failure,
            gauges={"parked": parking.count},
            handler=handler,
        )

    def close_later(self, close: Callable[[], object]) -> None:
        """Call something when the resources are closed."""
        self._closing.callback(close)
