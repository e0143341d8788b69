import threading

import pytest

from orderstream.kpl import Delivered, Delivery, DeliveryFailedError, UserRecord
from orderstream.kpl.outcome import Acknowledged, Attempt, Rejected

ATTEMPTS = (Attempt(0.0, 1.0, "shard"),)


def delivery() -> Delivery:
    return Delivery(UserRecord("key", b"data"), 0, 7)


def test_a_settled_delivery_tells_where_the_record_is() -> None:
    """The result names shard, sequence, sub-sequence and attempts."""
    handle = delivery()
    assert not handle.done()
    handle.settle(Acknowledged("shard", "42"), 3, ATTEMPTS)
    assert handle.done()
    assert handle.result() == Delivered("shard", "42", 3, ATTEMPTS)
    assert handle.exception() is None


def test_a_rejected_delivery_raises_and_returns_its_error() -> None:
    """The error carries the reason and the attempts."""
    handle = delivery()
    handle.settle(Rejected("no such stream"), 0, ATTEMPTS)
    with pytest.raises(DeliveryFailedError, match="no such stream") as caught:
        handle.result()
    assert caught.value.attempts == ATTEMPTS
    assert isinstance(handle.exception(), DeliveryFailedError)


def test_waiting_has_an_end() -> None:
    """A timeout leaves the record on its way."""
    handle = delivery()
    with pytest.raises(TimeoutError):
        handle.result(timeout=0.0)
    with pytest.raises(TimeoutError):
        handle.exception(timeout=0.0)


def test_many_threads_may_wait_for_one_delivery() -> None:
    """Whoever waits is woken, in time or late."""
    handle = delivery()
    results: list[Delivered] = []
    threads = [threading.Thread(target=lambda: results.append(handle.result(30))) for _ in range(8)]
    for thread in threads[:6]:
        thread.start()
    handle.settle(Acknowledged("shard", "1"), 0, ATTEMPTS)
    for thread in threads[6:]:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(results) == 8


def test_callbacks_run_once_each_before_or_after() -> None:
    """A callback added late runs at once; none runs twice."""
    handle = delivery()
    calls: list[str] = []
    handle.add_done_callback(lambda _: calls.append("early"))
    assert calls == []
    handle.settle(Acknowledged("shard", "1"), 0, ATTEMPTS)
    handle.add_done_callback(lambda _: calls.append("late"))
    assert calls == ["early", "late"]


def test_a_failing_callback_stops_nobody(caplog: pytest.LogCaptureFixture) -> None:
    """What a callback raises is logged, and the next one runs."""
    handle = delivery()
    calls: list[Delivery] = []
    handle.add_done_callback(lambda _: 1 / 0)
    handle.add_done_callback(calls.append)
    handle.settle(Acknowledged("shard", "1"), 0, ATTEMPTS)
    assert calls == [handle]
    assert "a delivery callback failed" in caplog.text
