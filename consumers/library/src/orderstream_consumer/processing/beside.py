"""What runs beside a process's main work, each in a thread. The process cannot do without any of it."""

import logging
import threading
from collections.abc import Callable
from typing import Self

from orderstream.observability.log_context import logs_as_here

logger = logging.getLogger(__name__)


class Beside:
    """Threads that end with the body, and end the process's work if one of them fails.

    Args:
        stop: Set when the process is to end, and by the failure of a thread.
    """

    def __init__(self, stop: threading.Event) -> None:
        self._stop = stop
        self._threads: list[threading.Thread] = []
        self._failure: Exception | None = None

    def __enter__(self) -> Self:
        """Start threads inside the body."""
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        """Stop all of them; raise what one of them failed with, unless the body failed itself."""
        self._stop.set()
        for thread in self._threads:
            thread.join()
        if self._failure is not None and kind is None:
            raise self._failure

    def start(self, run: Callable[[threading.Event], None]) -> None:
        """Run something until the stop is set."""

        def guarded() -> None:
            try:
                run(self._stop)
            except Exception as error:
                # A process without it must not look healthy.
                logger.critical("what runs beside the work failed, the process drains", exc_info=True)
                self._failure = error
                self._stop.set()

        thread = threading.Thread(target=logs_as_here(guarded), name="beside")
        thread.start()
        self._threads.append(thread)
