"""Once: a message is decided once, and what was committed is what is published."""

import datetime as dt
import logging
from collections.abc import Sequence

import msgspec
import pytest

from fakes.delivery import delivered
from fakes.messages import envelope_of
from orderstream.errors import DependencyError
from orderstream.messages import Envelope, requesting
from orderstream_consumer.idempotency import CollectingPublisher, Decision, Once
from orderstream_consumer.idempotency.inbox import CAPACITY, INBOX
from orderstream_consumer.store import Check, ConditionFailedError, ContentionError, Item, Put, Write
from orderstream_consumer.testing import Fault, MemoryStore
from orderstream_orders.contracts import ShipOrder

NOW = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


class Total(msgspec.Struct, frozen=True):
    """A state that tells how often it was decided on."""

    units: int


def message(event_id: str, units: int = 1, traceparent: str | None = None) -> Envelope:
    ship = ShipOrder(order_id="o-1", country=None, units=units)
    return envelope_of(ship, source="test", event_id=event_id, time=NOW, traceparent=traceparent)


def counting(cause: Envelope, *writes: Write):
    """Decides to count, and to answer with the count: a second decision would answer differently."""

    def decide(state: Total | None) -> Decision[Total]:
        units = (state.units if state else 0) + 1
        reply = ShipOrder(order_id="o-1", country=None, units=units)
        output = requesting(
            cause, reply, source="it", ordinal=0, time=NOW, correlation_id="it:1", reply_to="saga"
        )
        return Decision(Total(units), [output], writes)

    return decide


class Rig:
    """A Once in memory whose pauses pass at once."""

    def __init__(self, store: MemoryStore) -> None:
        self.store = store
        self.publisher = CollectingPublisher()
        self.pauses: list[float] = []
        self.once = Once(
            store=store,
            table="orders",
            state_type=Total,
            publisher=self.publisher,
            sleep=self.pauses.append,
        )

    def units(self) -> int | None:
        state, _ = self.once.load("o-1")
        return state.units if state else None


class Refusing(CollectingPublisher):
    """A publisher whose first calls fail."""

    def __init__(self, failures: int) -> None:
        super().__init__()
        self.failures = failures

    def publish(self, envelopes: Sequence[bytes], partition_key: str) -> None:
        if self.failures:
            self.failures -= 1
            raise DependencyError("kinesis", "PutRecords", "down")
        super().publish(envelopes, partition_key)


def failing_writes(*faults: Fault) -> MemoryStore:
    waiting = iter(faults)
    return MemoryStore(lambda operation, _: next(waiting, None) if operation == "transact" else None)


def test_a_fresh_message_is_committed_and_then_published() -> None:
    """State and inbox are committed at version 1, and the outputs follow."""
    rig = Rig(MemoryStore())
    event = message("e-1")
    rig.once.apply(delivered(event), counting(event))
    assert rig.once.load("o-1") == (Total(1), 1)
    assert len(rig.publisher.published) == 1


def test_an_unknown_order_has_no_state() -> None:
    """Loading what was never applied gives neither state nor version."""
    assert Rig(MemoryStore()).once.load("o-2") == (None, None)


def test_the_same_position_publishes_the_stored_outputs_again() -> None:
    """A redelivery is not decided again: what was committed goes out once more, byte for byte."""
    rig = Rig(MemoryStore())
    first, second = message("e-1"), message("e-2")
    rig.once.apply(delivered(first, 1), counting(first))
    rig.once.apply(delivered(second, 2), counting(second))
    rig.once.apply(delivered(first, 1), counting(first))
    assert rig.units() == 2
    assert rig.publisher.published[2] == rig.publisher.published[0]


@pytest.mark.parametrize("position", [(9, "shardId-000000000000"), (1, "shardId-000000000001")])
def test_a_duplicate_elsewhere_is_dropped(position: tuple[int, str]) -> None:
    """The same message at another position publishes nothing, even with other trace headers: no cascade."""
    rig = Rig(MemoryStore())
    event = message("e-1")
    rig.once.apply(delivered(event), counting(event))
    again = message("e-1", traceparent="00-1-2-00")
    rig.once.apply(delivered(again, *position), counting(again))
    assert rig.units() == 1
    assert len(rig.publisher.published) == 1


def test_another_content_under_a_known_id_is_an_alarm(caplog: pytest.LogCaptureFixture) -> None:
    """An id that comes again with other data changes nothing and is reported as an error."""
    rig = Rig(MemoryStore())
    event, forged = message("e-1"), message("e-1", units=99)
    rig.once.apply(delivered(event), counting(event))
    with caplog.at_level(logging.ERROR):
        rig.once.apply(delivered(forged), counting(forged))
    assert rig.units() == 1
    assert len(rig.publisher.published) == 1
    assert "ALARM" in caplog.text


@pytest.mark.parametrize("lost", [Fault.AFTER, Fault.BEFORE, Fault.CONFLICT])
def test_a_commit_is_measured_once_though_its_response_is_lost(lost: Fault) -> None:
    """The process finds its own commit when the record comes again; a third time is a repetition."""
    rig, event, counted = Rig(failing_writes(lost)), message("e-1"), list[str]()

    def decide(state: Total | None) -> Decision[Total]:
        return Decision(Total(1), committed=lambda: counted.append("once"))

    if lost is not Fault.CONFLICT:
        with pytest.raises(DependencyError):
            rig.once.apply(delivered(event), decide)
        assert counted == []
    for _ in range(2):
        rig.once.apply(delivered(event), decide)
    assert counted == ["once"]


def test_what_another_process_has_committed_is_not_measured_again() -> None:
    """Whether it has measured it cannot be known: rather not at all than twice."""
    rig, event, counted = Rig(MemoryStore()), message("e-1"), list[str]()
    rig.once.apply(delivered(event), counting(event))
    other = Rig(rig.store)
    other.once.apply(
        delivered(event), lambda _: Decision(Total(1), committed=lambda: counted.append("twice"))
    )
    assert counted == []


def test_nothing_to_record_leaves_no_trace() -> None:
    """A decision of None writes no item and publishes nothing."""
    rig = Rig(MemoryStore())
    rig.once.apply(delivered(message("e-1")), lambda _: None)
    assert rig.units() is None
    assert rig.publisher.published == []


def test_a_lost_acknowledgement_is_resolved_by_the_inbox() -> None:
    """After a lost response the caller retries the commit, finds its own work and publishes it."""
    rig = Rig(failing_writes(Fault.AFTER))
    event = message("e-1")
    with pytest.raises(DependencyError):
        rig.once.apply(delivered(event), counting(event))
    assert rig.publisher.published == []
    rig.once.apply(delivered(event), counting(event))
    assert rig.units() == 1
    assert len(rig.publisher.published) == 1


def test_a_failed_emission_is_made_up_for_by_the_retry() -> None:
    """Outputs that Kinesis did not acknowledge are published by the redelivery, without a second decision."""
    rig = Rig(MemoryStore())
    publisher = Refusing(1)
    once = Once(store=rig.store, table="orders", state_type=Total, publisher=publisher)
    event = message("e-1")
    with pytest.raises(DependencyError):
        once.apply(delivered(event), counting(event))
    once.apply(delivered(event), counting(event))
    assert rig.units() == 1
    assert len(publisher.published) == 1


def test_short_contention_is_waited_out() -> None:
    """A conflict is tried again after a pause; the message is still applied once."""
    rig = Rig(failing_writes(Fault.CONFLICT, Fault.CONFLICT))
    event = message("e-1")
    rig.once.apply(delivered(event), counting(event))
    assert rig.units() == 1
    assert len(rig.pauses) == 2


def test_long_contention_goes_back_to_the_caller() -> None:
    """Contention that does not end is a failing dependency, never the message's own failure."""
    rig = Rig(MemoryStore(lambda operation, _: Fault.CONFLICT if operation == "transact" else None))
    event = message("e-1")
    with pytest.raises(ContentionError):
        rig.once.apply(delivered(event), counting(event))
    assert rig.publisher.published == []


class Overtaking(MemoryStore):
    """Lets another message of the order be applied between the first read and the commit."""

    def __init__(self) -> None:
        super().__init__()
        self.overtake = lambda: None

    def get(self, table: str, key: str, sort: str | None = None) -> Item | None:
        item = super().get(table, key, sort)
        overtake, self.overtake = self.overtake, lambda: None
        overtake()
        return item


def test_an_overtaken_decision_is_made_anew() -> None:
    """Two messages at once: the one that commits second decides again, on the state of the first."""
    store = Overtaking()
    rig = Rig(store)
    first, second = message("e-1"), message("e-2")
    store.overtake = lambda: rig.once.apply(delivered(second, 2), counting(second))
    rig.once.apply(delivered(first, 1), counting(first))
    assert rig.units() == 2
    sent = [msgspec.json.decode(output)["data"]["units"] for output in rig.publisher.published]
    assert sent == [1, 2]


def test_a_write_of_the_decision_that_is_refused_is_named() -> None:
    """The caller hears which of its own writes was refused; neither state nor output remains."""
    rig = Rig(MemoryStore())
    event = message("e-1")
    writes = (Put("timers", "t", {}, None), Check("timers", "absent", 3))
    with pytest.raises(ConditionFailedError) as caught:
        rig.once.apply(delivered(event), counting(event, *writes))
    assert caught.value.failed == (1,)
    assert rig.units() is None
    assert rig.store.get("timers", "t") is None
    assert rig.publisher.published == []


def test_an_order_that_is_asked_about_for_ever_does_not_outgrow_its_item() -> None:
    """Months of overdue requests: the newest entries are kept, and only they can still be redelivered."""
    rig = Rig(MemoryStore())
    for number in range(1_000):
        asked = message(f"e-{number}")
        rig.once.apply(delivered(asked, sequence=number + 1), counting(asked))
    item = rig.store.get("orders", "o-1")
    assert item is not None
    entries = item.attributes[INBOX]
    assert isinstance(entries, dict)
    assert set(entries) == {f"e-{number}" for number in range(1_000 - CAPACITY, 1_000)}
    last = message("e-999")
    rig.once.apply(delivered(last, sequence=1_000), counting(last))
    assert rig.units() == 1_000
    assert rig.publisher.published[-1] == rig.publisher.published[-2]


def test_what_is_redriven_late_is_kept_longest() -> None:
    """The last that was applied is never left out, wherever in the stream it stood."""
    rig = Rig(MemoryStore())
    for number in range(CAPACITY):
        asked = message(f"e-{number}")
        rig.once.apply(delivered(asked, sequence=number + 10), counting(asked))
    parked = message("parked")
    for _ in range(2):
        rig.once.apply(delivered(parked, sequence=1), counting(parked))
    assert rig.units() == CAPACITY + 1
    assert rig.publisher.published[-1] == rig.publisher.published[-2]
