"""Operators hear of low stock once per event, whatever happens on the way; one narrow window is known."""

import datetime as dt

import pytest

from fakes.operators import MemoryOperators
from fakes.payments import CrashedError
from orderstream.errors import DependencyError
from orderstream.messages import initial
from orderstream_consumer.idempotency import Received
from orderstream_consumer.processing.record import Position
from orderstream_consumer.testing import Fault, MemoryStore
from orderstream_orders.contracts import LowStockDetected
from orderstream_workers.services.notifications import AlertHandlers, LowStockAlert

AT = dt.datetime(2010, 12, 1, 8, 26, tzinfo=dt.UTC)
LOW = LowStockDetected(sku="85123A", available=96, threshold=100)
ALERT = LowStockAlert(event_id="e-1", sku="85123A", available=96, threshold=100, at=AT.isoformat())


class FaultyOperators(MemoryOperators):
    """A topic whose next call goes wrong, before or after it has taken the alert."""

    fault: str | None = None

    def notify(self, alert: LowStockAlert) -> None:
        fault, self.fault = self.fault, None
        if fault == "before":
            raise DependencyError("sns", "Publish", "Throttling")
        super().notify(alert)
        if fault == "crash":
            raise CrashedError


class World:
    def __init__(self) -> None:
        self.faults: list[Fault | None] = []
        self.store = MemoryStore(lambda _, writes: self.faults.pop(0) if writes and self.faults else None)
        self.operators = FaultyOperators()
        self.handlers = AlertHandlers(store=self.store, operators=self.operators)

    def deliver(self, position: int = 1, event_id: str = "e-1") -> None:
        envelope = initial(LOW, source="stock-monitor", event_id=event_id, time=AT)
        received = Received(envelope, "shardId-000000000000", Position(position), envelope.time)
        self.handlers.routes()[envelope.type](received)


def test_an_event_is_told_once() -> None:
    """Redelivered, or copied elsewhere in the stream, it is told once; another event again."""
    world = World()
    for position in (1, 1, 2):
        world.deliver(position)
    assert world.operators.told == [ALERT]
    world.deliver(3, "e-2")
    assert [alert.event_id for alert in world.operators.told] == ["e-1", "e-2"]


def test_an_outage_of_the_topic_is_retried_where_it_was_met() -> None:
    """A copy elsewhere does not publish meanwhile: the record that wrote the intent is its own retry."""
    world = World()
    world.operators.fault = "before"
    with pytest.raises(DependencyError):
        world.deliver(1)
    world.deliver(2)
    assert world.operators.told == []
    world.deliver(1)
    assert world.operators.told == [ALERT]


def test_a_crash_between_acceptance_and_record_repeats_the_alert() -> None:
    """The one known window: operators hear it twice, with the same event id, never not at all."""
    world = World()
    world.operators.fault = "crash"
    with pytest.raises(CrashedError):
        world.deliver()
    world.deliver()
    assert world.operators.told == [ALERT, ALERT]


@pytest.mark.parametrize("fault", [Fault.BEFORE, Fault.AFTER])
def test_a_lost_intent_tells_nobody_yet(fault: Fault) -> None:
    """Whether the intent was written is unknown: the redelivery reads it and tells once."""
    world = World()
    world.faults = [fault]
    with pytest.raises(DependencyError):
        world.deliver()
    assert world.operators.told == []
    world.deliver()
    assert world.operators.told == [ALERT]


def test_a_lost_acknowledgement_of_the_record_does_not_repeat() -> None:
    """The record was written although its response got lost: the redelivery finds it."""
    world = World()
    world.faults = [None, Fault.AFTER]
    with pytest.raises(DependencyError):
        world.deliver()
    world.deliver()
    assert world.operators.told == [ALERT]


def test_an_outage_of_the_record_does_not_repeat_the_alert() -> None:
    """A table that is read and not written is tried again and again: operators hear it once."""
    world = World()
    world.faults = [None, *[Fault.BEFORE] * 5]
    for _ in range(5):
        with pytest.raises(DependencyError):
            world.deliver()
    world.deliver()
    assert world.operators.told == [ALERT]
