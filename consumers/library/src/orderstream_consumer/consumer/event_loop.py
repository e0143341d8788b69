"""One event loop for all coroutines of a consumer, in a thread of its own."""

import asyncio
import inspect
import threading
from collections.abc import Awaitable
from typing import TypeVar

_T = TypeVar("_T")


class EventLoop:
    """Runs coroutines for threads that wait for them. Its thread starts with the first one.

    What a coroutine logs bears the fields of the thread that waits: its context goes along.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._thread: threading.Thread | None = None
        self._closed = False

    def finished(self, result: object) -> object:
        """What a call has returned, awaited if it is awaitable. Waits; raises what the awaitable raises."""
        return self._run(result) if inspect.isawaitable(result) else result

    def close(self) -> None:
        """Cancel what is still at work, and end the thread."""
        with self._lock:
            self._closed = True
            if self._loop is None or self._stop is None or self._thread is None:
                return
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join()
            self._thread = None

    def _run(self, awaitable: Awaitable[_T]) -> _T:
        async def awaited() -> _T:
            return await awaitable

        coroutine = awaited()
        try:
            future = asyncio.run_coroutine_threadsafe(coroutine, self._started())
        except BaseException:
            coroutine.close()
            if inspect.iscoroutine(awaitable):
                awaitable.close()
            raise
        return future.result()

    def _started(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._closed:
                raise RuntimeError("the consumer has stopped, and its event loop with it")
            if self._loop is None:
                begun = threading.Event()
                # A daemon: a coroutine that never gives way must not keep the process alive.
                self._thread = threading.Thread(
                    target=lambda: asyncio.run(self._main(begun)), name="handlers", daemon=True
                )
                self._thread.start()
                begun.wait()
            assert self._loop is not None
            return self._loop

    async def _main(self, begun: threading.Event) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        begun.set()
        await self._stop.wait()
