"""The pool of the standard library's threads: a task is done once, or refused and never done."""

import threading

import pytest

from orderstream_consumer.processing.concurrency import ThreadPool


def test_a_task_that_is_refused_for_want_of_a_thread_is_never_done(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever was refused tries again: were it done as well, one record would be in two hands at once."""
    pool = ThreadPool(2, "test")
    goes_on, done = threading.Event(), threading.Event()
    did: list[str] = []
    pool.submit(goes_on.wait, 10)

    def no_thread(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", no_thread)
        with pytest.raises(RuntimeError, match="can't start new thread"):
            pool.submit(did.append, "refused")
    goes_on.set()
    pool.submit(did.append, "taken")
    pool.submit(done.set)
    assert done.wait(10)
    pool.shutdown()
    assert did == ["taken"]


def test_a_pool_that_is_shut_down_refuses() -> None:
    """Nothing is taken that would not be done."""
    pool = ThreadPool(1, "test")
    pool.shutdown()
    with pytest.raises(RuntimeError, match="shutdown"):
        pool.submit(print)
