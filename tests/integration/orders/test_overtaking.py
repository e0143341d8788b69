"""A forward command is a dead letter, and its order is cancelled all the same: the applications as wired."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace

import pytest

from fakes.engine import RecordingCheckpointer, record_of
from fakes.messages import envelope_of
from fakes.operating import NOW, MemoryResources
from orderstream.messages import Envelope, decode_envelope
from orderstream_consumer.delivery import ParkedRecords, StoredParking
from orderstream_consumer.idempotency import MessageHandler
from orderstream_consumer.processing.processor import (
    InitializationInput,
    ProcessRecordsInput,
    RecordProcessor,
)
from orderstream_consumer.processing.record import DeliveredRecord, Position
from orderstream_orders.contracts import (
    CapturePayment,
    Customer,
    OrderCancellationRequested,
    OrderLine,
    OrderPlaced,
    ReserveStock,
    StepOverdue,
    StepResolved,
)
from orderstream_workers.runtime.bootstrap import build_application
from orderstream_workers.services.inventory import read_stock, seed_stock
from orderstream_workers.services.saga import find_order
from orderstream_workers.services.saga.state import Phase

ORDER, SHARD = "o-1", "shardId-000000000000"
PLACED = OrderPlaced(
    order_id=ORDER,
    customer=Customer(),
    country="France",
    lines=(OrderLine(sku="A", quantity=2, unit_price="1.00", total_minor=200),),
    total_minor=200,
    currency="GBP",
)
CANCEL = OrderCancellationRequested(order_id=ORDER)
OVERDUE = StepOverdue(order_id=ORDER, step="reserve_stock", attempt=1)
CAPTURE_OVERDUE = StepOverdue(order_id=ORDER, step="capture_payment", attempt=1)
APPLICATIONS = ("saga", "inventory", "payments")


class _Never:
    def is_set(self) -> bool:
        return False

    def wait(self, timeout: float | None = None) -> bool:
        return False


class Pipeline(MemoryResources):
    """One shard that every application reads, in memory; what they publish goes to its end."""

    def __init__(self) -> None:
        super().__init__()
        self.publisher = self
        self.told: list[bytes] = []
        self.read = dict.fromkeys(APPLICATIONS, 0)
        seed_stock(self.store, "A", 10)
        self.applications = {name: build_application(name, self) for name in APPLICATIONS}
        self.owners: dict[str, RecordProcessor] = {}
        for name in APPLICATIONS:
            self.take_over(name)

    def publish(self, outputs: list[bytes], order_id: str) -> None:
        assert order_id == ORDER
        self.told += outputs

    def take_over(self, name: str, *, behind: int = 0) -> None:
        """A new owner begins, as many records behind as were not checkpointed."""
        self.read[name] -= behind
        self.owners[name] = self.applications[name].processors(SHARD, _Never())
        self.owners[name].initialize(InitializationInput(SHARD, None))

    def says(self, message: OrderPlaced | OrderCancellationRequested | StepOverdue) -> None:
        event_id = f"{type(message).__name__} {len(self.told)}"
        self.told.append(envelope_of(message, source="test", event_id=event_id, time=NOW).encode())

    def runs(self, *names: str) -> None:
        """Until nobody has anything left to read."""
        while any(self.read[name] < len(self.told) for name in names):
            for name in names:
                records = [self._record(index) for index in range(self.read[name], len(self.told))]
                self.read[name] = len(self.told)
                self.owners[name].process_records(ProcessRecordsInput(records, RecordingCheckpointer(), 0))

    def plants(self, kind: type[ReserveStock | CapturePayment], application: str) -> None:
        """A command that stands in the stream fails by itself, and is parked instead of carried out."""
        index = next(n for n, one in enumerate(self.envelopes()) if one.type == kind.type_name())
        StoredParking(self.store, application, self.clock).park(self._record(index), "ValueError: a defect")
        self.read[application] = index + 1
        self.take_over(application)

    def envelopes(self) -> list[Envelope]:
        return [decode_envelope(data) for data in self.told]

    def phase(self) -> Phase:
        saga = find_order(self.store, ORDER)
        assert saga is not None
        return saga.phase

    def figures(self) -> dict[str, dict[str, object]]:
        """Everything that is stored, but for what is parked."""
        tables = ("saga-orders", "saga-timers", "stock", "reservations", "payments")
        return {
            table: {f"{item.key}/{item.sort}": item.attributes for item in self.store.scan(table)}
            for table in tables
        }

    def _record(self, index: int) -> DeliveredRecord:
        data = self.told[index]
        late = decode_envelope(data).type == StepOverdue.type_name()
        arrival = NOW + dt.timedelta(minutes=30 if late else 0)
        record = record_of(ORDER, index + 1, data)
        return replace(record, position=Position(index + 1), approximate_arrival=arrival)


@pytest.fixture
def pipeline() -> Iterator[Pipeline]:
    """The applications over one shard, with the order placed and its first commands in the stream."""
    with Pipeline() as pipeline:
        pipeline.says(PLACED)
        pipeline.runs("saga")
        yield pipeline


@pytest.mark.parametrize(
    ("command", "application", "end"),
    [
        (ReserveStock, "inventory", CANCEL),
        (ReserveStock, "inventory", OVERDUE),
        (CapturePayment, "payments", CANCEL),
        (CapturePayment, "payments", CAPTURE_OVERDUE),
    ],
)
def test_the_compensation_overtakes_and_the_late_command_is_refused(
    pipeline: Pipeline,
    command: type[ReserveStock | CapturePayment],
    application: str,
    end: OrderCancellationRequested | StepOverdue,
) -> None:
    """The order is cancelled while its command is parked; carried out at last, that changes nothing."""
    pipeline.plants(command, application)
    pipeline.runs(*APPLICATIONS)
    assert pipeline.phase() is Phase.RUNNING
    pipeline.says(end)
    pipeline.runs(*APPLICATIONS)
    assert pipeline.phase() is Phase.CANCELLED
    parked = ParkedRecords(pipeline.store, application)
    assert command.type_name() in {decode_envelope(entry.record.data).type for entry in parked.records(ORDER)}

    handler = pipeline.applications[application].handler
    assert handler is not None
    parked.redrive(ORDER, handler)
    pipeline.runs(*APPLICATIONS)
    assert (pipeline.phase(), parked.keys()) == (Phase.CANCELLED, [])
    (level,) = read_stock(pipeline.store)
    assert (level.available, level.reserved, level.sold) == (10, 0, 0)
    types = [envelope.type for envelope in pipeline.envelopes()]
    assert types.count("OrderCancelled") == 1
    response = {"inventory": "StockReserved", "payments": "PaymentCaptured"}[application]
    assert not {"OrderConfirmed", response} & set(types)


def test_a_crash_between_effect_and_checkpoint_changes_nothing(pipeline: Pipeline) -> None:
    """The compensation is delivered once more after the redrive: it answers the same, and nothing moves."""
    pipeline.plants(ReserveStock, "inventory")
    pipeline.says(CANCEL)
    pipeline.runs(*APPLICATIONS)
    handler = pipeline.applications["inventory"].handler
    assert handler is not None
    ParkedRecords(pipeline.store, "inventory").redrive(ORDER, handler)
    pipeline.runs(*APPLICATIONS)
    before = pipeline.figures()
    pipeline.take_over("inventory", behind=len(pipeline.told) - 2)
    pipeline.runs(*APPLICATIONS)
    assert pipeline.figures() == before
    assert pipeline.phase() is Phase.CANCELLED


@pytest.mark.parametrize("application", ["saga", "inventory", "payments", "shipping"])
def test_an_operator_s_decision_overtakes_what_is_parked(application: str) -> None:
    """It is about the very step whose record is parked: behind that, it would never be heard."""
    resolved = StepResolved(
        order_id=ORDER,
        step="ship_order",
        attempt=2,
        decision="done",
        operator="ann",
        reason="sent by courier",
    )
    event = envelope_of(resolved, source="operators", event_id="decided", time=NOW)
    with MemoryResources() as resources:
        handler = build_application(application, resources).handler
        assert isinstance(handler, MessageHandler)
        assert handler.overtakes(record_of(ORDER, 9, event.encode()))
