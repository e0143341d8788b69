"""Deadlines of the coordinator, on hosts whose clocks differ, and after crashes and outages."""

import datetime as dt
import logging

import pytest

from fakes.saga_coordinator import (
    CAPTURED,
    NOW,
    ORDER,
    PLACED,
    REJECTED,
    RESERVED,
    Coordinator,
)
from orderstream.errors import DependencyError
from orderstream.messages import decode_envelope
from orderstream_consumer.idempotency.publisher import CollectingPublisher
from orderstream_workers.services.saga import TimerPoller, find_order
from orderstream_workers.services.saga.state import Phase


@pytest.mark.parametrize("minutes", [-9, 0, 60])
def test_deadlines_count_from_a_time_that_all_hosts_share(minutes: int) -> None:
    """A host whose clock is behind does not call a deadline passed that has only just begun."""
    coordinator = Coordinator()
    coordinator.now = NOW + dt.timedelta(minutes=minutes)
    coordinator.hear(PLACED, arrival=NOW)
    saga = find_order(coordinator.store, ORDER)
    assert saga is not None
    begun = max(NOW, coordinator.now)
    assert {timer.due for timer in saga.timers()} == {begun + dt.timedelta(minutes=m) for m in (10, 20)}


def poll(coordinator: Coordinator, clock: dt.datetime, taken: dt.datetime) -> int:
    """A poller goes by its clock, Kinesis takes what it says at another time, and the saga hears it."""
    publisher = CollectingPublisher()
    TimerPoller(store=coordinator.store, publisher=publisher, clock=lambda: clock).poll_once()
    for data in publisher.published:
        coordinator.hear(decode_envelope(data), arrival=taken)
    return len(publisher.published)


def test_a_poller_eleven_minutes_ahead_turns_nothing_back(caplog: pytest.LogCaptureFixture) -> None:
    """Its events come before their time by the stream's clock: the order goes on, and the timer with it."""
    coordinator = Coordinator()
    coordinator.hear(PLACED)
    ahead = NOW + dt.timedelta(minutes=11)
    with caplog.at_level(logging.WARNING):
        assert poll(coordinator, ahead, taken=NOW + dt.timedelta(seconds=1)) == 1
    assert "clocks" in caplog.text
    assert coordinator.phase() is Phase.RUNNING
    assert coordinator.timers() == {("reserve_stock", 1), ("capture_payment", 1)}
    assert coordinator.reply("reserve_stock:1", RESERVED) == []


def test_a_deadline_that_was_called_too_early_is_called_again_in_time() -> None:
    """However often a wrong clock calls it: once it has passed by the stream's clock, it counts."""
    coordinator = Coordinator(inbox_capacity=1)
    coordinator.hear(PLACED)
    for second in range(30):
        poll(coordinator, NOW + dt.timedelta(minutes=11), taken=NOW + dt.timedelta(seconds=second))
    assert coordinator.phase() is Phase.RUNNING
    passed = NOW + dt.timedelta(minutes=13)
    assert poll(coordinator, passed, taken=passed) >= 1
    assert coordinator.phase() is Phase.COMPENSATING


def test_a_wrong_clock_does_not_flood_the_stream() -> None:
    """Each early call moves the row on by half a minute, so a wrong clock makes few events."""
    coordinator = Coordinator()
    coordinator.hear(PLACED)
    calls = sum(
        poll(coordinator, NOW + dt.timedelta(minutes=11, seconds=second), taken=NOW) for second in range(60)
    )
    assert 1 <= calls <= 5


def test_a_request_that_a_crash_held_back_has_its_whole_time_from_when_it_goes_out() -> None:
    """A crash between commit and publication, and eleven minutes: it is seen only now, and may take ten.

    The deadline's event stands in the stream before the request does, and turns nothing back.
    """
    coordinator = Coordinator(inbox_capacity=1)
    with pytest.raises(DependencyError):
        coordinator.hear_while_the_stream_is_away(PLACED, 1)
    publisher = CollectingPublisher()
    coordinator.now += dt.timedelta(minutes=11)
    TimerPoller(store=coordinator.store, publisher=publisher, clock=lambda: coordinator.now).poll_once()
    (late,) = map(decode_envelope, publisher.published)
    assert [request.correlation_id for request in coordinator.hear(PLACED, 1)] == [
        "reserve_stock:1",
        "capture_payment:1",
    ]
    assert coordinator.hear(late, 2, arrival=coordinator.now) == []
    assert coordinator.phase() is Phase.RUNNING
    assert coordinator.timers() == {("reserve_stock", 1), ("capture_payment", 1)}
    sent = coordinator.now
    assert poll(coordinator, *[sent + dt.timedelta(minutes=10)] * 2) == 0
    assert poll(coordinator, *[sent + dt.timedelta(minutes=11)] * 2) == 1
    assert coordinator.phase() is Phase.COMPENSATING


def test_a_request_that_goes_out_again_moves_no_answered_step() -> None:
    """Only deadlines that run are moved, and only later: what was answered or asked again meanwhile stays."""
    coordinator = Coordinator()
    coordinator.hear(PLACED, 1)
    coordinator.reply("capture_payment:1", CAPTURED)
    coordinator.now += dt.timedelta(minutes=1)
    coordinator.hear(PLACED, 1)
    saga = find_order(coordinator.store, ORDER)
    assert saga is not None
    assert {timer.step: timer.due for timer in saga.timers()} == {
        "reserve_stock": NOW + dt.timedelta(minutes=11)
    }
    coordinator.now -= dt.timedelta(minutes=1)
    coordinator.hear(PLACED, 1)
    assert find_order(coordinator.store, ORDER) == saga
    coordinator.reply("reserve_stock:1", REJECTED)
    compensating = find_order(coordinator.store, ORDER)
    coordinator.now += dt.timedelta(hours=1)
    coordinator.hear(PLACED, 1)
    assert find_order(coordinator.store, ORDER) == compensating


def test_a_stream_that_is_away_for_an_hour_makes_no_deadline_later_than_its_time() -> None:
    """However often publication is tried, the poller calls the deadline ten minutes after the last one."""
    coordinator = Coordinator()
    for minute in range(60):
        coordinator.now = NOW + dt.timedelta(minutes=minute)
        with pytest.raises(DependencyError):
            coordinator.hear_while_the_stream_is_away(PLACED, 1)
    saga = find_order(coordinator.store, ORDER)
    assert saga is not None
    assert {timer.due - coordinator.now for timer in saga.timers()} == {
        dt.timedelta(minutes=m) for m in (10, 20)
    }
