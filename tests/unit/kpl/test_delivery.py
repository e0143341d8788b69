import asyncio
import concurrent.futures
import threading

import pytest

from orderstream import Delivered, Delivery, DeliveryFailedError, WaitInCallbackError
from orderstream.producer.core.kinesis_record import RecordBatch
from orderstream.producer.outcome import Attempt, Completion, Landed, Rejected
from orderstream.producer.tracking.tracked import TrackedRecord, complete, completing_thread, listening

REFUSED = Attempt(0.0, 1.0, None, "InternalFailure")
TAKEN = Attempt(1.0, 2.0, "shard")


def delivery() -> TrackedRecord:
    return TrackedRecord("key", b"data", None, 7)


def landed(sequence_number: str) -> Landed:
    return Landed("shard", sequence_number, TAKEN)


def completed(handle: Delivery, outcome: Landed | Rejected, index: int = 0) -> None:
    handle.failed(REFUSED)
    batch = RecordBatch(None)
    batch.add([*(delivery() for _ in range(index)), handle])
    complete([handle], batch.completion, outcome)


def test_a_completed_delivery_tells_where_the_record_is() -> None:
    """The result names shard, sequence, sub-sequence and attempts."""
    handle = delivery()
    assert not handle.done()
    completed(handle, landed("42"), index=3)
    assert handle.done()
    assert handle.result() == Delivered("shard", "42", 3, (REFUSED, TAKEN))
    assert handle.exception() is None


def test_a_rejected_delivery_raises_and_returns_its_error() -> None:
    """The error carries the reason and the attempts."""
    handle = delivery()
    completed(handle, Rejected("no such stream"))
    with pytest.raises(DeliveryFailedError, match="no such stream") as caught:
        handle.result()
    assert caught.value.attempts == (REFUSED,)
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
    completed(handle, landed("1"))
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
    completed(handle, landed("1"))
    handle.add_done_callback(lambda _: calls.append("late"))
    assert calls == ["early", "late"]


def test_a_failing_callback_stops_nobody(caplog: pytest.LogCaptureFixture) -> None:
    """What a callback raises is logged, and the next one runs."""
    handle = delivery()
    calls: list[Delivery] = []
    handle.add_done_callback(lambda _: 1 / 0)
    handle.add_done_callback(calls.append)
    completed(handle, landed("1"))
    assert calls == [handle]
    assert "a delivery callback failed" in caplog.text


def test_not_even_an_exit_in_a_callback_stops_the_others(caplog: pytest.LogCaptureFixture) -> None:
    """What is no Exception would end the thread that completes, and every outcome behind it."""
    first, second = delivery(), delivery()
    calls: list[Delivery] = []

    def leave(_: Delivery) -> None:
        raise SystemExit

    first.add_done_callback(leave)
    first.add_done_callback(calls.append)
    second.add_done_callback(calls.append)
    batch = RecordBatch(None)
    batch.add([first, second])
    complete([first, second], batch.completion, landed("1"))
    assert calls == [first, second]
    assert "a delivery callback failed" in caplog.text


class Equal:
    """A callback that is equal to every other of its class."""

    def __init__(self, calls: list["Equal"]) -> None:
        self.calls = calls

    def __call__(self, _: Delivery) -> None:
        self.calls.append(self)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Equal)

    __hash__ = None  # type: ignore[assignment] # as Python has it for what defines equality alone


def test_callbacks_are_told_apart_by_identity() -> None:
    """A callback that finds the outcome there takes none back that is equal to it."""
    first, second = delivery(), delivery()
    calls: list[Equal] = []
    early, late = Equal(calls), Equal(calls)
    first.add_done_callback(lambda _: second.add_done_callback(late))
    second.add_done_callback(early)
    batch = RecordBatch(None)
    batch.add([first, second])
    complete([first, second], batch.completion, landed("1"))
    assert [call is late for call in calls] == [True, False]
    assert [listening(first), listening(second)] == [0, 0]


def test_the_thread_that_completes_cannot_wait() -> None:
    """A callback that waits for another delivery gets an error, where it would have waited forever."""
    with completing_thread():
        with pytest.raises(WaitInCallbackError, match="result"):
            delivery().result(1.0)
        handle = delivery()
        completed(handle, landed("1"))
        assert handle.result().sequence_number == "1"


def test_a_handle_shows_no_payload() -> None:
    """What is logged or printed of a delivery is its key, its size and what has become of it."""
    handle = delivery()
    assert repr(handle) == "<Delivery of 4 bytes under 'key', on its way>"
    completed(handle, landed("1"))
    assert repr(handle) == "<Delivery of 4 bytes under 'key', delivered to shard>"
    handle = delivery()
    completed(handle, Rejected("no such stream"))
    assert repr(handle) == "<Delivery of 4 bytes under 'key', given up: no such stream>"


def test_who_waited_in_vain_leaves_nothing_behind() -> None:
    """Polling an outcome that does not come costs no memory, however often it is done."""
    handle = delivery()
    for _ in range(100):
        with pytest.raises(TimeoutError):
            handle.result(timeout=0.0)
    calls: list[Delivery] = []
    handle.add_done_callback(calls.append)
    assert listening(handle) == 1
    completed(handle, landed("1"))
    assert calls == [handle]
    assert listening(handle) == 0


def test_an_outcome_is_told_to_all_that_share_it() -> None:
    """Completing a batch completes each of its records, whether somebody waits for it or not."""
    handles = [delivery() for _ in range(3)]
    batch = RecordBatch(None)
    batch.add(handles)
    calls: list[int] = []
    handles[1].add_done_callback(lambda handle: calls.append(handle.index))
    complete(handles, batch.completion, landed("7"))
    assert [handle.result(0.0).subsequence_number for handle in handles] == [0, 1, 2]
    assert calls == [1]


def test_a_record_that_moves_on_is_told_by_its_new_batch() -> None:
    """Whoever began to wait before a record was packed anew is told all the same."""
    handle = delivery()
    first, second = RecordBatch(None), RecordBatch(None)
    first.add([handle])
    calls: list[Delivered] = []
    handle.add_done_callback(lambda delivery: calls.append(delivery.result()))
    second.add([delivery(), handle])
    complete([], first.completion, landed("1"))
    assert not handle.done()
    complete([handle], second.completion, landed("2"))
    assert [(call.sequence_number, call.subsequence_number) for call in calls] == [("2", 1)]


class WatchedCompletion(Completion):
    """Remembers how many were listening each time that somebody asked for the outcome."""

    def __init__(self, handle: Delivery) -> None:
        self.handle = handle
        self.listening: list[int] = []

    @property
    def outcome(self) -> None:
        self.listening.append(listening(self.handle))


def test_who_listens_registers_before_looking() -> None:
    """An outcome that is written in between is seen by the one or finds the other."""
    handle = delivery()
    handle.completion = watched = WatchedCompletion(handle)
    handle.add_done_callback(lambda _: None)
    assert watched.listening[-1] == 1


def test_who_comes_late_is_not_kept() -> None:
    """Of a callback that ran at once nothing stays behind."""
    handle = delivery()
    completed(handle, landed("1"))
    handle.add_done_callback(lambda _: None)
    assert handle.result().sequence_number == "1"
    assert listening(handle) == 0


def test_asyncio_takes_it_for_a_future() -> None:
    """What waits for futures by their callbacks is woken in its loop, and takes them back."""

    async def wait() -> tuple[int, int]:
        first, second = delivery(), delivery()
        later = threading.Timer(0.01, completed, (first, landed("1")))
        later.start()
        done, pending = await asyncio.wait([first, second], timeout=30, return_when="FIRST_COMPLETED")
        later.join(30)
        assert done == {first}
        return listening(second), len(pending)

    assert asyncio.run(wait()) == (0, 1)


def test_a_callback_that_is_added_in_a_loop_runs_in_it() -> None:
    """However far the record is; any other runs where the outcome is told."""
    threads: list[int] = []

    async def wait() -> None:
        open_, done = delivery(), delivery()
        completed(done, landed("1"))
        both = asyncio.Semaphore(0)
        for handle in (open_, done):
            handle.add_done_callback(lambda _: (threads.append(threading.get_ident()), both.release()))
        assert threads == []
        thread = threading.Thread(target=completed, args=(open_, landed("2")))
        thread.start()
        await both.acquire()
        await both.acquire()
        thread.join(30)

    asyncio.run(wait())
    assert threads == [threading.get_ident()] * 2


def test_a_future_can_be_had_for_what_takes_nothing_else() -> None:
    """With the same outcome, good or bad."""
    good, bad = delivery(), delivery()
    futures = [good.as_future(), bad.as_future()]
    completed(good, landed("1"))
    completed(bad, Rejected("no such stream"))
    done, _ = concurrent.futures.wait(futures, timeout=30)
    assert len(done) == 2
    assert futures[0].result() == good.result()
    assert isinstance(futures[1].exception(), DeliveryFailedError)


def test_a_record_on_its_way_cannot_be_cancelled() -> None:
    """As with a future that runs."""
    handle = delivery()
    assert not handle.cancel()
    assert not handle.cancelled()
    assert not handle.done()


def test_a_callback_can_be_taken_back() -> None:
    """As often as it was added; the others stay."""
    handle = delivery()
    calls: list[Delivery] = []
    kept: list[Delivery] = []
    for _ in range(2):
        handle.add_done_callback(calls.append)
    handle.add_done_callback(kept.append)
    assert handle.remove_done_callback(calls.append) == 2
    assert handle.remove_done_callback(print) == 0
    completed(handle, landed("1"))
    assert (calls, kept) == ([], [handle])


def test_the_public_handle_shows_what_is_public() -> None:
    """What an editor completes is what applications may use."""
    names = {name for name in vars(Delivery) if not name.startswith("_")}
    assert names == {
        "add_done_callback",
        "as_future",
        "cancel",
        "cancelled",
        "done",
        "exception",
        "record",
        "remove_done_callback",
        "result",
    }
