"""Many orders, few SKUs, several workers, crashes anywhere: stock balances to the unit at every moment."""

import datetime as dt
import random
from collections import Counter
from dataclasses import dataclass

from hypothesis import example, given, settings
from hypothesis import strategies as st

from fakes.inventory import Fault, SteppedPublisher, SteppedStore, SteppedWorker
from fakes.messages import envelope_of
from orderstream.messages import Message, decode_envelope
from orderstream_consumer.idempotency.received import Received
from orderstream_consumer.processing.record import Position
from orderstream_consumer.testing import MemoryStore
from orderstream_orders.contracts import (
    Customer,
    Event,
    OrderConfirmed,
    ReleaseStock,
    Reply,
    ReserveStock,
    StockLine,
    StockRejected,
    StockReleased,
    StockReserved,
    StockSold,
)
from orderstream_workers.services.inventory import InventoryHandlers, read_stock, seed_stock
from orderstream_workers.services.inventory.domain import Phase, Reservation
from orderstream_workers.services.inventory.reservations import Reservations

NOW = dt.datetime(2010, 12, 1, 8, 26, tzinfo=dt.UTC)
SKUS = ("A", "B", "C", "D", "E")
AT_REST = {Phase.RESERVED, Phase.REJECTED, Phase.RELEASED, Phase.SOLD}
FINAL = {Phase.REJECTED, Phase.RELEASED}


@dataclass(frozen=True)
class Order:
    """What is going to happen to one order, apart from when."""

    units: dict[str, int]
    ending: str  # kept, released (at any time, even first) or confirmed (once it is reserved)
    duplicates: int


ORDERS = st.lists(
    st.builds(
        Order,
        units=st.dictionaries(st.sampled_from((*SKUS, "UNKNOWN")), st.integers(1, 3), max_size=5),
        ending=st.sampled_from(("kept", "released", "confirmed")),
        duplicates=st.integers(0, 2),
    ),
    min_size=1,
    max_size=5,
)


class World:
    """The stream, the stock and the workers of one run."""

    def __init__(
        self, orders: list[Order], initial_units: int, max_chunk: int, seed: int, capacity: int = 64
    ) -> None:
        self.random = random.Random(seed)
        self.orders = {f"o-{number}": order for number, order in enumerate(orders)}
        self.max_chunk = max_chunk
        self.capacity = capacity
        self.stream: list[Received] = []
        self.store = MemoryStore()
        for sku in SKUS:
            seed_stock(self.store, sku, initial_units)
        self.pending: list[Received] = []
        self.active: list[tuple[Received, SteppedWorker]] = []
        self.replies: dict[str, bytes] = {}
        self.positions = 0
        self.faults = 8
        self.phases: set[Phase] = set()
        for order_id, order in self.orders.items():
            lines = tuple(StockLine(sku=sku, quantity=units) for sku, units in order.units.items())
            self.put(ReserveStock(order_id=order_id, lines=lines), order.duplicates)
            if order.ending == "released":
                self.put(ReleaseStock(order_id=order_id), order.duplicates)

    def put(self, message: Message, duplicates: int) -> None:
        """Put a message into the stream, and copies of it at later positions."""
        event_id = f"{message.order_id}/{message.type_name()}"
        envelope = envelope_of(message, source="saga", event_id=event_id, time=NOW)
        for _ in range(1 + duplicates):
            self.positions += 1
            self.stream.append(Received(envelope, "shard-0", Position(self.positions), NOW))
            self.pending.append(self.stream[-1])

    def replay(self) -> None:
        """Everything once more, as a replay from TRIM_HORIZON delivers it."""
        self.pending = list(self.stream)
        self.drain()

    def drain(self) -> None:
        """Until nothing is pending and nobody works; a worker left over by a failure dies where it stands."""
        try:
            for _ in range(20_000):
                if not self.pending and not self.active:
                    return
                self.advance()
                self.check()
            raise AssertionError("the run does not come to rest")
        finally:
            for _, worker in self.active:
                while not worker.done:
                    worker.step(Fault.CRASH_BEFORE)

    def advance(self) -> None:
        if self.pending and (not self.active or (len(self.active) < 4 and self.random.random() < 0.2)):
            received = self.random.choice(self.pending)
            if self.random.random() < 0.9:  # else a worker that lost the shard works on it as well
                self.pending.remove(received)
            self.start(received)
            return
        received, worker = self.random.choice(self.active)
        fault = self.random.choice(list(Fault)) if self.faults and self.random.random() < 0.1 else Fault.NONE
        self.faults -= fault is not Fault.NONE
        worker.step(fault)
        self.reap(received, worker)

    def start(self, received: Received) -> None:
        worker = SteppedWorker()
        handlers = InventoryHandlers(
            store=SteppedStore(self.store, worker),
            publisher=SteppedPublisher(self.published, worker),
            clock=lambda: NOW + dt.timedelta(seconds=self.random.randrange(1000)),
            max_chunk=self.max_chunk,
            draw=self.random.random,
            sleep=lambda seconds: None,
            inbox_capacity=self.capacity,
        )
        handle = handlers.routes()[received.envelope.type]
        self.active.append((received, worker))
        worker.start(lambda: handle(received))
        self.reap(received, worker)

    def reap(self, received: Received, worker: SteppedWorker) -> None:
        if not worker.done:
            return
        self.active.remove((received, worker))
        if worker.error is not None:
            raise worker.error
        if not worker.succeeded:
            self.pending.append(received)

    def published(self, data: bytes) -> None:
        """Hold a reply to its rules at the moment it goes out; a confirmation follows a reservation."""
        envelope = decode_envelope(data)
        known = self.replies.setdefault(envelope.id, data)
        assert known == data, "one decision went out in two versions"
        reply = envelope.message()
        state = self.state(envelope.subject)
        if isinstance(reply, StockRejected | StockReleased):
            assert state.phase in FINAL
            assert state.held == 0
        if isinstance(reply, StockSold):
            assert state.phase is Phase.SOLD
        order = self.orders[envelope.subject]
        if known is data and isinstance(reply, StockReserved) and order.ending == "confirmed":
            confirmed = OrderConfirmed(
                order_id=envelope.subject, customer=Customer(), total_minor=1, currency="GBP"
            )
            self.put(confirmed, order.duplicates)

    def state(self, order_id: str) -> Reservation:
        state = Reservations(self.store).load(order_id).state
        assert state is not None
        return state

    def check(self) -> None:
        """Every unit is accounted for: reserved is what the headers hold, sold what they have let go."""
        reserved: Counter[str] = Counter()
        sold: Counter[str] = Counter()
        reservations = Reservations(self.store)
        for order_id in self.orders:
            state = reservations.load(order_id).state
            if state is None:
                continue
            self.phases.add(state.phase)
            lines = reservations.lines(order_id)
            for line in lines[: state.held]:
                reserved[line.sku] += line.quantity
            if state.phase in {Phase.COMMITTING, Phase.SOLD}:
                for line in lines[state.held :]:
                    sold[line.sku] += line.quantity
        for level in read_stock(self.store):
            assert level.balanced
            assert level.reserved == reserved[level.sku]
            assert level.sold == sold[level.sku]

    def replies_of(self, order_id: str) -> list[Event | Reply]:
        envelopes = (decode_envelope(data) for data in self.replies.values())
        return [
            message
            for envelope in envelopes
            if envelope.subject == order_id and isinstance(message := envelope.message(), Event | Reply)
        ]


SOLD_AND_FORGOTTEN = [
    Order({}, "kept", 0),
    Order({}, "released", 1),
    Order({}, "released", 2),
    Order({"A": 1}, "released", 2),
    Order({"A": 1}, "confirmed", 2),
]
"""Sold, and the reply not sent: before the confirmation comes again, its entry is gone from the inbox."""


@settings(max_examples=150, deadline=None)
@example(orders=SOLD_AND_FORGOTTEN, initial_units=1, max_chunk=4, seed=7051, capacity=1)
@given(
    orders=ORDERS,
    initial_units=st.integers(0, 8),
    max_chunk=st.integers(1, 4),
    seed=st.integers(0, 2**32 - 1),
    capacity=st.sampled_from((1, 2, 4, 64)),
)
def test_stock_balances_at_every_moment_and_every_order_ends_whole(
    orders: list[Order], initial_units: int, max_chunk: int, seed: int, capacity: int
) -> None:
    """Whatever the interleaving: no unit is lost or made, none held for nothing, each command answered.

    A replay changes nothing of it, and nothing waits for one to be right.
    """
    world = World(orders, initial_units, max_chunk, seed, capacity)
    world.drain()
    check_ends(world)
    world.replay()
    check_ends(world)


def check_ends(world: World) -> None:
    for order_id, order in world.orders.items():
        state = world.state(order_id)
        kinds = Counter(type(reply) for reply in world.replies_of(order_id))
        assert state.phase in AT_REST
        assert state.held == (len(order.units) if state.phase is Phase.RESERVED else 0)
        assert kinds[StockReserved] + kinds[StockRejected] == 1
        assert kinds[StockReleased] == (order.ending == "released")
        assert kinds[StockSold] == (order.ending == "confirmed" and kinds[StockReserved])
        if "UNKNOWN" in order.units:
            assert kinds[StockReserved] == 0
        if order.ending == "released":
            assert state.phase in FINAL
        if order.ending == "kept":
            assert (state.phase is Phase.RESERVED) == bool(kinds[StockReserved])


def test_the_interleavings_reach_every_phase() -> None:
    """The simulation means something: at most a hundred of its runs meet each phase, at rest or under way."""
    orders = [
        Order({"A": 2, "B": 1, "C": 3, "D": 1}, "confirmed", 1),
        Order({"A": 1, "C": 2, "D": 2, "E": 1}, "released", 1),
        Order({"B": 3, "C": 3, "E": 3}, "released", 0),
        Order({"A": 2, "D": 3, "UNKNOWN": 1}, "kept", 0),
        Order({"C": 1, "D": 1}, "kept", 0),
    ]
    met: set[Phase] = set()
    for seed in range(100):
        world = World(orders, initial_units=6, max_chunk=2, seed=seed)
        world.drain()
        world.replay()
        met |= world.phases
        if met == set(Phase):
            return
    raise AssertionError(f"never met: {set(Phase) - met}")
