"""Threads that make calls, where the system gives as many as are wanted and where it gives none."""

import subprocess
import sys
import threading
from collections.abc import Callable

import pytest

from orderstream.producer.threads.call_threads import CallThreads, start_daemon

WAIT = 30.0


class Rationed:
    """Gives no more threads than it has."""

    def __init__(self, threads: int) -> None:
        self.threads = threads
        self.asked = 0

    def __call__(self, work: Callable[[], None], name: str) -> threading.Thread:
        self.asked += 1
        if self.threads == 0:
            raise RuntimeError("can't start new thread")
        self.threads -= 1
        return start_daemon(work, name)


def test_calls_wait_for_the_threads_there_are() -> None:
    """With one thread to be had, all calls are made by it, one after the other."""
    rationed = Rationed(1)
    threads = CallThreads(8, "calls", rationed)
    made_by: list[str] = []
    done = threading.Semaphore(0)

    def call() -> None:
        made_by.append(threading.current_thread().name)
        done.release()

    for _ in range(20):
        threads.submit(call)
    assert all(done.acquire(timeout=WAIT) for _ in range(20))
    assert set(made_by) == {"calls-1"}
    threads.stop(WAIT)


def test_without_any_thread_whoever_submits_makes_the_call(caplog: pytest.LogCaptureFixture) -> None:
    """No call is lost for want of a thread; it is said once, and each call asks anew."""
    rationed = Rationed(0)
    threads = CallThreads(8, "calls", rationed)
    made_by: list[str] = []

    def call() -> None:
        made_by.append(threading.current_thread().name)

    threads.submit(call)
    threads.submit(call)
    assert made_by == [threading.current_thread().name] * 2
    assert caplog.text.count("no further thread for calls to Kinesis (can't start new thread)") == 1
    rationed.threads = 1
    done = threading.Event()
    threads.submit(lambda: (call(), done.set()))
    assert done.wait(WAIT)
    assert made_by[-1] == "calls-1"
    threads.stop(WAIT)


def test_what_nobody_closed_is_delivered_where_an_exit_starts_no_threads() -> None:
    """Python 3.12.0 to 3.12.2 refuse new threads at shutdown; the records leave all the same."""
    script = """
import atexit, threading
from fakes.kpl import TinyClient
from orderstream import Producer, ProducerConfig
client = TinyClient()
atexit.register(lambda: print(len(client.payloads)))
producer = Producer("orders", client=client, config=ProducerConfig(linger=60))
producer.put_many([(b"data", f"key-{number}") for number in range(300)])
def refuse(*_, **__):
    raise RuntimeError("can't create new thread at interpreter shutdown")
def shut_down():
    for name in ("_start_new_thread", "_start_joinable_thread"):
        if hasattr(threading, name):
            setattr(threading, name, refuse)
atexit.register(shut_down)
"""
    ended = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        timeout=WAIT,
        env={"PYTHONPATH": ":".join(sys.path)},
    )
    assert ended.stdout == "300\n", ended.stderr
    assert "0 records were lost" in ended.stderr
