"""Once under faults: whatever fails and repeats, every message counts once and its reply is out."""

import datetime as dt
from collections.abc import Callable, Sequence

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from fakes.delivery import delivered
from fakes.messages import envelope_of
from orderstream.errors import DependencyError
from orderstream.messages import Envelope, requesting
from orderstream_consumer.idempotency import Decision, Once
from orderstream_consumer.store import Write
from orderstream_consumer.testing import Fault, MemoryStore
from orderstream_orders.contracts import ShipOrder

NOW = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


class Total(msgspec.Struct, frozen=True):
    units: int


class DoubtfulPublisher:
    """Fails before or after it has taken the messages, as the plan says; takes none that is not committed."""

    def __init__(self, plan: list[str], committed: Callable[[], int]) -> None:
        self.plan = plan
        self._committed = committed
        self.published: list[bytes] = []

    def publish(self, envelopes: Sequence[bytes], partition_key: str) -> None:
        for envelope in envelopes:
            assert msgspec.json.decode(envelope)["data"]["units"] <= self._committed()
        fate = self.plan.pop() if self.plan else "well"
        if fate == "before":
            raise DependencyError("kinesis", "PutRecords", fate)
        self.published.extend(envelopes)
        if fate == "after":
            raise DependencyError("kinesis", "PutRecords", fate)


def message(number: int) -> Envelope:
    ship = ShipOrder(order_id="o-1", country=None, units=number)
    return envelope_of(ship, source="test", event_id=f"e-{number}", time=NOW)


@given(
    deliveries=st.lists(st.tuples(st.integers(1, 4), st.booleans()), min_size=1, max_size=12),
    faults=st.lists(st.sampled_from([*Fault, None]), max_size=20),
    publications=st.lists(st.sampled_from(["well", "before", "after"]), max_size=12),
)
def test_every_message_counts_once_and_is_answered(
    deliveries: list[tuple[int, bool]], faults: list[Fault | None], publications: list[str]
) -> None:
    """Deliveries retried until they return: each message counts once and has one reply, once committed."""
    plan = list(faults)

    def fault(operation: str, writes: Sequence[Write]) -> Fault | None:
        return plan.pop() if plan else None

    def committed() -> int:
        item = store._items.get(("orders", "o-1", None))  # read without a fault
        return item.version if item else 0

    store = MemoryStore(fault)
    publisher = DoubtfulPublisher(list(publications), committed)
    once = Once(store=store, table="orders", state_type=Total, publisher=publisher, sleep=lambda _: None)
    for step, (number, elsewhere) in enumerate(deliveries):
        event = message(number)
        # A redelivery comes from where the message was first, a duplicate from a position of its own.
        received = delivered(event, 1_000 + step if elsewhere else number)

        def decide(state: Total | None, event: Envelope = event) -> Decision[Total]:
            units = (state.units if state else 0) + 1
            reply = ShipOrder(order_id="o-1", country=None, units=units)
            output = requesting(
                event, reply, source="it", ordinal=0, time=NOW, correlation_id="it:1", reply_to="saga"
            )
            return Decision(Total(units), [output])

        while True:
            try:
                once.apply(received, decide)
            except DependencyError:
                continue
            break
    plan.clear()
    different = {number for number, _ in deliveries}
    assert once.load("o-1") == (Total(len(different)), len(different))
    replies = {msgspec.json.decode(each)["id"]: each for each in publisher.published}
    assert len(replies) == len(set(publisher.published)) == len(different)
