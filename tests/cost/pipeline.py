"""The pipeline in one process, one message at a time: real handlers and clients, against emulators of AWS.

Orders come one after another, each to its end before the next begins, so everything that is billed has one
order and one message as its cause, and a run is billed like any other. What time causes and no order is left
out: polls, leases, checkpoints, timers that are looked at, files of the archive.
"""

import logging
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final, Self

import httpx

from cost.meter import BillMeter, LogMeter
from fakes.asgi import AsgiClient
from fakes.callers import gateway
from fakes.engine import RecordingCheckpointer
from fakes.orders_api import KEY
from fakes.traced_pipeline import SHARD, Shard
from orderstream import EventPublisher
from orderstream.aws.billing import put_units
from orderstream.messages import decode_envelope
from orderstream.messages.spans import SendSpans
from orderstream.observability.metrics import Metric
from orderstream_consumer.idempotency import KinesisPublisher
from orderstream_consumer.limits import StoredRateLimiter
from orderstream_consumer.processing.processor import (
    InitializationInput,
    ProcessRecordsInput,
    RecordProcessor,
)
from orderstream_orders.api import DynamoDBIdempotencyStore, create_app
from orderstream_playground.demo.client import order_of
from orderstream_playground.demo.invoices import Invoice
from orderstream_playground.local.environment import EnvironmentOptions, Layout
from orderstream_playground.local.ministack import ensure_ministack
from orderstream_playground.local.processes import start, stop, wait_healthy
from orderstream_workers.runtime.bootstrap import build_application
from orderstream_workers.runtime.logs import configure_logging
from orderstream_workers.runtime.provision import provision
from orderstream_workers.runtime.resources import Resources
from orderstream_workers.runtime.settings import Settings
from orderstream_workers.runtime.topology.pipeline import IDEMPOTENCY_KEYS
from orderstream_workers.services.inventory import seed_stock
from orderstream_workers.services.payments import PaymentWorker
from orderstream_workers.services.payments.provider.http import HttpPaymentProvider

APPLICATIONS: Final = ("saga", "inventory", "payments", "shipping", "notifications", "order-status")
PLENTY: Final = 10_000_000
"""Units of each SKU: no order of the month runs out of it, and no stock is low."""


@contextmanager
def emulated_aws(folder: Path, base_port: int) -> Iterator[Settings]:
    """Start the emulators that the pipeline is provisioned in, and point this process at them."""
    layout = Layout(folder, EnvironmentOptions(base_port=base_port, shards=1))
    layout.logs.mkdir(parents=True)
    wanted = [spec for spec in layout.emulators(ensure_ministack()) if spec.name in {"kinesis", "aws"}]
    processes = [start(spec, layout.logs) for spec in wanted]
    before = dict(os.environ)
    try:
        for process in processes:
            wait_healthy(process, 120)
        os.environ.update({name: value for name, value in layout.environment.items() if "AWS_" in name})
        settings = Settings(read_model_url=layout.settings.read_model_url, payments_per_second=1_000)
        provision(settings, 1)
        yield settings
    finally:
        os.environ.clear()
        os.environ.update(before)
        stop(processes)


class BilledShard(Shard):
    """The stream; what is put together is one record, which is billed."""

    def __init__(self, meter: BillMeter) -> None:
        super().__init__()
        self._meter = meter

    def put(self, data: bytes, partition_key: str) -> Any:
        return self.put_many([(data, partition_key)])[0]

    def put_many(self, records: Sequence[tuple[bytes, str]]) -> list[Any]:
        self._meter.take(
            "kinesis.PutRecords", "kinesis_put", put_units(sum(len(data) for data, _ in records))
        )
        return [Shard.put(self, data, key) for data, key in records]


class _Resources(Resources):
    """Of one process: real clients, all of them metered, and the stream that is everybody's."""

    def __init__(self, settings: Settings, process: str, pipeline: "BilledPipeline") -> None:
        super().__init__(settings, process)
        self.publisher = KinesisPublisher(pipeline.shard, spans=SendSpans(self.tracer, settings.stream))
        for client in (self.dynamodb, self.sqs, self.ses, self.sns):
            pipeline.meter.listen_to(client)


class BilledPipeline:
    """A context manager; within, ``play`` takes an order to its end.

    Args:
        settings: Of the provisioned emulator.

    Attributes:
        meter: What was billed so far.
        declines: Whether the payment provider declines charges.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.meter = BillMeter(settings.table_prefix)
        self.shard = BilledShard(self.meter)
        self.declines = False
        self._read = 0
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        configure_logging("INFO", "pipeline")
        root = logging.getLogger()
        (lines,) = root.handlers
        root.handlers = [LogMeter(self.meter, lines)]
        self._made = {
            name: self._stack.enter_context(_Resources(self.settings, name, self))
            for name in ("api", "payment-worker", *APPLICATIONS)
        }
        self._processors = {name: self._processor(name) for name in APPLICATIONS}
        api, worker = self._made["api"], self._made["payment-worker"]
        app = create_app(
            publisher=EventPublisher(
                self.shard, source="orders", spans=SendSpans(api.tracer, self.settings.stream)
            ),
            idempotency_store=DynamoDBIdempotencyStore(api.dynamodb, self.settings.name_of(IDEMPOTENCY_KEYS)),
            authentication=gateway(),
            clock=api.clock,
            tracer=api.tracer,
            meter=api.meter,
        )
        self._api = self._stack.enter_context(AsgiClient(app))
        http = self._stack.enter_context(httpx.Client(transport=httpx.MockTransport(self._provide)))
        self._worker = PaymentWorker(
            store=worker.store,
            queue=worker.payment_queue,
            provider=HttpPaymentProvider(http, "http://provider"),
            limiter=StoredRateLimiter(
                worker.store, name="payments-api", rate=1_000, now=lambda: worker.clock().timestamp()
            ),
            publisher=worker.publisher,
            clock=worker.deciding_clock,
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def stock(self, skus: Iterable[str], units: int = PLENTY) -> None:
        """Open the stock of SKUs."""
        for sku in skus:
            seed_stock(self._made["inventory"].store, sku, units)

    def play(self, invoice: Invoice) -> None:
        """Place an order and take it to its end."""
        self.place(invoice)
        self.settle()

    def place(self, invoice: Invoice) -> str:
        """Place an order; gives its id."""
        with self.meter.working("api", "POST /orders"):
            key = {**KEY, "Idempotency-Key": invoice.number}
            response = self._api.post("/orders", json=order_of(invoice), headers=key)
        assert response.status_code == httpx.codes.ACCEPTED, response.text
        return str(response.json()["order_id"])

    def cancel(self, order_id: str) -> None:
        """Ask for an order to be cancelled, as its customer does."""
        with self.meter.working("api", "POST /orders/cancel"):
            response = self._api.post(f"/orders/{order_id}/cancel", headers=KEY)
        assert response.is_success, response.text

    def measured(self, metric: Metric) -> float:
        """What the saga has measured of a distribution since the last call, added up."""
        points = self._made["saga"].meter.collect().points
        found = (point.distribution for point in points if point.metric == metric)
        return sum(each.total for each in found if each is not None)

    def settle(self) -> None:
        """Until nobody has anything left to do."""
        while self._read < len(self.shard.records):
            record = self.shard.records[self._read]
            self._read += 1
            message = decode_envelope(record.data).type
            self.meter.saw(message)
            for name in APPLICATIONS:
                with self.meter.working(name, message):
                    self._processors[name].process_records(
                        ProcessRecordsInput([record], RecordingCheckpointer(), 0)
                    )
            # What waits in the queue came with the message that was just read.
            with self.meter.working("payment-worker", message):
                for queued in self._made["payment-worker"].payment_queue.receive(10, wait=0, visibility=30):
                    self._worker.work(queued, 0.0)

    def _provide(self, request: httpx.Request) -> httpx.Response:
        if self.declines and request.url.path.endswith("charges"):
            return httpx.Response(402, json={"code": "card_declined"})
        return httpx.Response(200, json={"charge_id": "ch_1", "refund_id": "re_1"})

    def _processor(self, name: str) -> RecordProcessor:
        application = build_application(name, self._made[name])
        processor = application.processors(SHARD, _Never())
        processor.initialize(InitializationInput(SHARD, None))
        return processor


class _Never:
    def is_set(self) -> bool:
        return False

    def wait(self, timeout: float | None = None) -> bool:
        return False
