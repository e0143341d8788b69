"""The coordinator in a stream that repeats itself, with a worker and a poller that crash anywhere."""

import datetime as dt
import random
from collections.abc import Callable, Mapping, Sequence

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from fakes.delivery import delivered
from fakes.order_world import OrderWorld
from orderstream.errors import DependencyError
from orderstream.messages import Envelope, decode_envelope, initial, replying
from orderstream_consumer.idempotency.once import Once
from orderstream_consumer.idempotency.received import Received
from orderstream_consumer.store import Write
from orderstream_consumer.testing import Fault, MemoryStore
from orderstream_orders.contracts import Customer, OrderCancellationRequested, OrderLine, OrderPlaced
from orderstream_workers.services.saga.definition import definition_of
from orderstream_workers.services.saga.handlers import SAGAS, SagaHandlers, SagaRecord, open_orders
from orderstream_workers.services.saga.state import Phase, Saga
from orderstream_workers.services.saga.timers import TIMERS, TimerPoller

FLOW = definition_of(1)
"""The flow that these tests tell of, whichever new orders follow."""

START = dt.datetime(2010, 12, 1, 8, 26, tzinfo=dt.UTC)
PLACED = initial(
    OrderPlaced(
        order_id="o-1",
        customer=Customer(),
        country="France",
        lines=(OrderLine(sku="A", quantity=1, unit_price="1.00", total_minor=100),),
        total_minor=100,
        currency="GBP",
    ),
    source="orders",
    event_id="placed",
    time=START,
)
MOSTLY = st.sampled_from([True, True, True, False])
SKEWS = st.sampled_from([0, 0, 0, -30, 11, 60])
"""Minutes that a host's clock is ahead of the stream's."""
FAULTS = ["none", "before commit", "after commit", "before publish", "after publish", "before release"]


class OneStream(RuleBasedStateMachine):
    """One order's records in one shard. A fault is a crash: the input is not released and comes again."""

    def __init__(self) -> None:
        super().__init__()
        self.stream: list[Envelope] = []
        self.bytes_by_id: dict[str, bytes] = {}
        self.id_by_correlation: dict[str | None, str] = {}
        self.arrivals: list[dt.datetime] = []
        self.saga_ahead = self.poller_ahead = dt.timedelta(0)
        self.now = START
        self._append(PLACED)
        self.checkpoint = 0
        self.fault = "none"
        self.store = MemoryStore(self._store_fault)
        self.capacity = 64
        self.poller = TimerPoller(
            store=self.store,
            publisher=self,
            clock=lambda: self.now + self.poller_ahead,
            draw=random.Random(0),
        )

    @initialize(
        stock=MOSTLY,
        card=MOSTLY,
        destination=st.booleans(),
        smooth=st.booleans(),
        capacity=st.sampled_from([1, 2, 4, 64]),
        saga_ahead=SKEWS,
        poller_ahead=SKEWS,
    )
    def opens(
        self,
        stock: bool,
        card: bool,
        destination: bool,
        smooth: bool,
        capacity: int,
        saga_ahead: int,
        poller_ahead: int,
    ) -> None:
        """A smooth beginning answers the first requests at once, so that many orders reach the pivot."""
        self.world = OrderWorld(stock, card, destination)
        self.capacity = capacity
        self.saga_ahead = dt.timedelta(minutes=saga_ahead)
        self.poller_ahead = dt.timedelta(minutes=poller_ahead)
        if smooth:
            self.saga_reads("none")
            for choice in range(2):
                self.command_is_carried_out(choice)
            while self.checkpoint < len(self.stream):
                self.saga_reads("none")

    @property
    def routes(self) -> Mapping[str, Callable[[Received], None]]:
        return SagaHandlers(
            store=self.store,
            publisher=self,
            clock=lambda: self.now + self.saga_ahead,
            inbox_capacity=self.capacity,
            current=FLOW,
        ).routes()

    def publish(self, envelopes: Sequence[bytes], partition_key: str) -> None:
        """The stream's side of the publisher."""
        assert partition_key == "o-1"
        if self.fault == "before publish":
            raise DependencyError("kinesis", "PutRecords", "did not arrive")
        for envelope in envelopes:
            self._append(decode_envelope(envelope))
        if self.fault == "after publish":
            raise DependencyError("kinesis", "PutRecords", "arrived, and the acknowledgement was lost")

    def _append(self, envelope: Envelope) -> None:
        """However often an id stands in the stream, its bytes are the same; and an attempt has one id."""
        encoded = envelope.encode()
        assert self.bytes_by_id.setdefault(envelope.id, encoded) == encoded
        if envelope.reply_to:
            assert self.id_by_correlation.setdefault(envelope.correlation_id, envelope.id) == envelope.id
        self.stream.append(envelope)
        self.arrivals.append(self.now)
        self._check_that_the_deadline_has_passed(envelope)
        assert len(self._ends()) <= 1

    def _check_that_the_deadline_has_passed(self, envelope: Envelope) -> None:
        """What follows from a deadline follows from one that has passed by the stream's clock."""
        causes = [index for index, each in enumerate(self.stream) if each.id == envelope.causation_id]
        if not causes or self.stream[causes[0]].type != "StepOverdue" or self.saga_ahead < dt.timedelta(0):
            return
        asked = [index for index, each in enumerate(self.stream) if self._is_asked(each, causes[0])]
        waited = max(self.arrivals[index] for index in causes) - self.arrivals[asked[0]]
        assert waited >= dt.timedelta(minutes=10)

    def _is_asked(self, envelope: Envelope, overdue: int) -> bool:
        correlation_id = self.stream[overdue].correlation_id
        return envelope.reply_to is not None and envelope.correlation_id == correlation_id

    def _store_fault(self, operation: str, _writes: Sequence[Write]) -> Fault | None:
        if operation == "transact":
            return {"before commit": Fault.BEFORE, "after commit": Fault.AFTER}.get(self.fault)
        return None

    @rule(fault=st.sampled_from(FAULTS))
    def saga_reads(self, fault: str) -> None:
        if self.checkpoint == len(self.stream):
            return
        envelope = self.stream[self.checkpoint]
        self.fault = fault
        try:
            if envelope.type in self.routes:
                self.routes[envelope.type](
                    delivered(envelope, self.checkpoint, arrival=self.arrivals[self.checkpoint])
                )
        except DependencyError:
            return
        finally:
            self.fault = "none"
        if fault != "before release":
            self.checkpoint += 1

    @rule(records=st.integers(1, 5))
    def another_worker_takes_over(self, records: int) -> None:
        """It begins at the last checkpoint that was written, which lags behind."""
        self.checkpoint = max(0, self.checkpoint - records)

    @rule(choice=st.integers(0, 100))
    def command_is_carried_out(self, choice: int) -> None:
        """By its owner, which gives the reply that its state gives, however often it is asked."""
        commands = [envelope for envelope in self.stream if envelope.reply_to]
        if commands:
            command = commands[choice % len(commands)]
            reply = self.world.carry_out(command.message())
            self._append(replying(command, reply, source=reply.owner, time=START))

    @rule()
    def everything_is_replayed(self) -> None:
        """From TRIM_HORIZON: once more, and nothing may come of it but what was."""
        self.checkpoint = 0

    @rule(choice=st.integers(0, 100))
    def producer_repeats_itself(self, choice: int) -> None:
        self._append(self.stream[choice % len(self.stream)])

    @rule(minutes=st.integers(1, 30), fault=st.sampled_from(FAULTS))
    def time_passes(self, minutes: int, fault: str) -> None:
        self.now += dt.timedelta(minutes=minutes)
        self.fault = fault
        try:
            self.poller.poll_once()
        except DependencyError:
            return  # the rows that are left come up with the next poll
        finally:
            self.fault = "none"

    @rule(number=st.integers(0, 2))
    def customer_cancels(self, number: int) -> None:
        request = OrderCancellationRequested(order_id="o-1")
        self._append(initial(request, source="orders", event_id=f"cancel {number}", time=START))

    @invariant()
    def rows_follow_the_order(self) -> None:
        """Each wait has a row, or its event stands in the stream already; no row is left over."""
        saga = self._saga()
        waits = {(timer.step, timer.attempt) for timer in saga.timers()} if saga else set()
        rows = {
            (item.attributes["step"], item.attributes["attempt"]) for item in self.store.scan(TIMERS.name)
        }
        late = {envelope.correlation_id for envelope in self.stream if envelope.type == "StepOverdue"}
        assert rows <= waits
        assert all(f"{step}:{attempt}" in late for step, attempt in waits - rows)

    def teardown(self) -> None:
        """Once faults end and every command is answered, the order comes to its one end by itself."""
        for _ in range(10):
            while self.checkpoint < len(self.stream):
                self.saga_reads("none")
            for choice in range(len([envelope for envelope in self.stream if envelope.reply_to])):
                self.command_is_carried_out(choice)
            saga = self._saga()
            if saga is not None and saga.phase.terminal:
                break
        while self.checkpoint < len(self.stream):
            self.saga_reads("none")
        stands = len(set(self.bytes_by_id))
        self.checkpoint = 0
        while self.checkpoint < len(self.stream):
            self.saga_reads("none")
        assert len(set(self.bytes_by_id)) == stands, "a replay decides nothing anew"
        saga = self._saga()
        assert saga is not None
        expected = {Phase.CONFIRMED: "OrderConfirmed", Phase.CANCELLED: "OrderCancelled"}
        assert self._ends() == {expected[saga.phase]}
        assert list(open_orders(self.store)) == []
        assert list(self.store.scan(TIMERS.name)) == []

    def _saga(self) -> Saga | None:
        once = Once(store=self.store, table=SAGAS.name, state_type=SagaRecord, publisher=self)
        record, _ = once.load("o-1")
        return record.saga if record else None

    def _ends(self) -> set[str]:
        return {
            envelope.type for envelope in self.stream if envelope.type in {"OrderConfirmed", "OrderCancelled"}
        }


def test_a_coordinator_that_was_down_between_commit_and_emission_cancels_nothing() -> None:
    """The deadline's event stands in the stream before the request does: it comes before its time."""
    one = OneStream()
    one.opens(
        stock=True, card=True, destination=False, smooth=False, capacity=1, saga_ahead=0, poller_ahead=0
    )
    one.saga_reads("after commit")
    one.time_passes(11, "none")
    one.teardown()


TestOneStream = OneStream.TestCase
TestOneStream.settings = settings(max_examples=150, stateful_step_count=30, deadline=None)
