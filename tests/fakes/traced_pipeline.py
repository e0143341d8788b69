"""The pipeline in one process, over one shard in memory; each of its parts exports its own spans."""

import datetime as dt
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Self

import httpx

from fakes.asgi import AsgiClient
from fakes.callers import gateway
from fakes.engine import RecordingCheckpointer, record_of
from fakes.operating import MemoryResources
from fakes.orders_api import BODY, KEY
from fakes.payment_queue import MemoryPaymentQueue
from fakes.payments import AmplePermits
from orderstream import Delivered, EventPublisher
from orderstream.messages import Envelope, decode_envelope
from orderstream.messages.spans import SendSpans
from orderstream_consumer.idempotency import HostClock, KinesisPublisher
from orderstream_consumer.processing.processor import (
    InitializationInput,
    ProcessRecordsInput,
    RecordProcessor,
)
from orderstream_consumer.processing.record import DeliveredRecord, Position
from orderstream_consumer.testing import MemoryStore
from orderstream_orders.api import create_app
from orderstream_orders.testing import MemoryIdempotencyStore
from orderstream_workers.runtime.bootstrap import build_application
from orderstream_workers.runtime.settings import Settings
from orderstream_workers.runtime.telemetry.tracing import tracer_of
from orderstream_workers.services.inventory import seed_stock
from orderstream_workers.services.payments import PaymentWorker, QueuedSpans, TracedPaymentQueue
from orderstream_workers.services.payments.provider.http import HttpPaymentProvider

SHARD = "shardId-000000000000"
APPLICATIONS = ("saga", "inventory", "payments", "shipping", "notifications", "order-status")
UNADDRESSED = {**BODY, "customer": {"customer_id": "17850"}}
"""An order of a customer without an address: no mail is sent."""


class _Acknowledged:
    def result(self, timeout: float | None = None) -> Delivered:
        return Delivered(SHARD, "1", 0, ())

    def exception(self, timeout: float | None = None) -> None:
        return None

    def add_done_callback(self, callback: object) -> None:
        callback(self)


class Shard:
    """What everybody puts into and reads; a producer, too."""

    def __init__(self) -> None:
        self.records: list[DeliveredRecord] = []

    def put(self, data: bytes, partition_key: str) -> _Acknowledged:
        number = len(self.records) + 1
        record = record_of(partition_key, number, data)
        now = dt.datetime.now(dt.UTC)
        self.records.append(
            replace(record, shard_id=SHARD, position=Position(number), approximate_arrival=now)
        )
        return _Acknowledged()

    def put_many(self, records: Sequence[tuple[bytes, str]]) -> list[_Acknowledged]:
        return [self.put(data, key) for data, key in records]

    def envelopes(self) -> list[Envelope]:
        return [decode_envelope(record.data) for record in self.records]


class _Resources(MemoryResources):
    """Of one process: what is stored and queued is everybody's."""

    def __init__(self, settings: Settings, process: str, pipeline: "TracedPipeline") -> None:
        super().__init__(settings)
        self.process = process
        # Everything is exported in the end: what a run costs does not depend on how long it takes.
        self.tracer = tracer_of(settings, process, export_every=3_600)
        self.ses = self.sns = object()  # no mail and no alert is sent
        self.deciding_clock = HostClock(self.clock)
        self.store = pipeline.store
        self.payment_queue = TracedPaymentQueue(pipeline.queue, self.tracer, settings.payment_queue)
        self.publisher = KinesisPublisher(pipeline.shard, spans=SendSpans(self.tracer, settings.stream))

    @staticmethod
    def clock() -> dt.datetime:
        return dt.datetime.now(dt.UTC)


class _Never:
    def is_set(self) -> bool:
        return False

    def wait(self, timeout: float | None = None) -> bool:
        return False


class TracedPipeline:
    """A context manager: its end is the end of every process, which exports what is left.

    Args:
        folder: Where the read model is.
        settings: How it is traced.
    """

    def __init__(self, folder: Path, settings: Settings) -> None:
        self.settings = settings
        self.shard, self.store, self.queue = Shard(), MemoryStore(), MemoryPaymentQueue()
        self.told: list[httpx.Request] = []
        self._folder = folder
        self._read = dict.fromkeys(APPLICATIONS, 0)
        self._owners: dict[str, RecordProcessor] = {}
        self._stack = ExitStack()
        seed_stock(self.store, "85123A", 100_000)

    def __enter__(self) -> Self:
        url = f"sqlite:///{self._folder}/read-model.sqlite"
        settings = Settings(
            read_model_url=url,
            tracing=self.settings.tracing,
            otlp_url=self.settings.otlp_url,
            trace_ratio=self.settings.trace_ratio,
        )
        made = {
            name: self._stack.enter_context(_Resources(settings, name, self))
            for name in ("api", "payment-worker", *APPLICATIONS)
        }
        self._applications = {name: build_application(name, made[name]) for name in APPLICATIONS}
        for name in APPLICATIONS:
            self.take_over(name)
        api, worker = made["api"], made["payment-worker"]
        app = create_app(
            publisher=EventPublisher(
                self.shard, source="orders", spans=SendSpans(api.tracer, settings.stream)
            ),
            idempotency_store=MemoryIdempotencyStore(),
            authentication=gateway(),
            clock=api.clock,
            tracer=api.tracer,
        )
        self.api = self._stack.enter_context(AsgiClient(app))
        provider = self._stack.enter_context(httpx.Client(transport=httpx.MockTransport(self._provide)))
        self._worker = PaymentWorker(
            store=self.store,
            queue=worker.payment_queue,
            provider=HttpPaymentProvider(provider, "http://provider", tracer=worker.tracer),
            limiter=AmplePermits(),
            publisher=worker.publisher,
            clock=worker.clock,
            spans=QueuedSpans(
                worker.tracer, queue=settings.payment_queue, application="payment-worker", clock=worker.clock
            ),
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def order(self, number: int = 1, **headers: str) -> str:
        """Place an order; gives its id."""
        key = {**KEY, "Idempotency-Key": f"invoice-{number}", **headers}
        response = self.api.post("/orders", json=UNADDRESSED, headers=key)
        assert response.status_code == 202
        order_id: str = response.json()["order_id"]
        return order_id

    def take_over(self, name: str, *, behind: int = 0) -> None:
        """A new owner begins, as many records behind as were not checkpointed."""
        self._read[name] -= behind
        self._owners[name] = self._applications[name].processors(SHARD, _Never())
        self._owners[name].initialize(InitializationInput(SHARD, None))

    def runs(self, *names: str) -> None:
        """Until nobody, or none of those named, has anything left to do."""
        names = names or APPLICATIONS
        while any(self._read[name] < len(self.shard.records) for name in names) or self.queue.depth():
            for name in names:
                records = self.shard.records[self._read[name] :]
                self._read[name] = len(self.shard.records)
                self._owners[name].process_records(ProcessRecordsInput(records, RecordingCheckpointer(), 0))
            for message in self.queue.receive(10, wait=0, visibility=30):
                self._worker.work(message, 0.0)

    def _provide(self, request: httpx.Request) -> httpx.Response:
        self.told.append(request)
        return httpx.Response(200, json={"charge_id": "ch_1"})
