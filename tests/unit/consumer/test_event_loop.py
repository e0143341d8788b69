"""The event loop of handlers: results and errors reach the thread that waits; its end cancels the rest."""

import asyncio
import logging
import threading
from concurrent.futures import CancelledError, ThreadPoolExecutor

import pytest

from orderstream.observability.log_context import LogContextFilter, log_about, log_scope
from orderstream_consumer.consumer.event_loop import EventLoop


def test_what_is_awaitable_is_awaited_and_the_rest_passes() -> None:
    """A function that is none by its type, but returns a coroutine, is no exception."""
    loop = EventLoop()

    async def double(number: int) -> int:
        await asyncio.sleep(0)
        return 2 * number

    async def fail() -> None:
        raise ValueError("mine")

    assert loop.finished(3) == 3
    assert loop.finished(double(3)) == 6
    with pytest.raises(ValueError, match="mine"):
        loop.finished(fail())
    loop.close()


def test_the_end_cancels_what_is_at_work_and_refuses_what_comes() -> None:
    """Nobody waits for a coroutine that never returns, and no thread is left."""
    before = threading.active_count()
    loop, begun = EventLoop(), threading.Event()

    async def hang() -> None:
        begun.set()
        await asyncio.Event().wait()

    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(lambda: loop.finished(hang()))
        assert begun.wait(30)
        loop.close()
        with pytest.raises(CancelledError):
            waiting.result(30)
    with pytest.raises(RuntimeError, match="stopped"):
        loop.finished(hang())
    assert threading.active_count() == before


def test_log_lines_of_a_coroutine_bear_the_fields_of_its_record() -> None:
    """The context of the thread that waits goes along."""
    loop = EventLoop()
    found: list[object] = []

    async def look() -> None:
        line = logging.makeLogRecord({})
        LogContextFilter().filter(line)
        found.append(getattr(line, "order_id", None))

    with log_scope():
        log_about(order_id="42")
        loop.finished(look())
    loop.close()
    assert found == ["42"]
