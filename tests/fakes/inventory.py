"""Workers whose every step is scheduled: any interleaving, any crash, any redelivery, all reproducible."""

import enum
import threading
from collections.abc import Callable, Sequence
from typing import TypeVar

from orderstream_consumer.store import ContentionError, Item, Store, Write

T = TypeVar("T")


class Fault(enum.Enum):
    """What goes wrong with one step."""

    NONE = "nothing"
    CONFLICT = "another transaction has the items"
    CRASH_BEFORE = "the process dies before the step"
    CRASH_AFTER = "the process dies after the step took effect, before it hears of it"


class CrashedError(Exception):
    """The worker's process is gone; what it has not committed never happened."""


class SteppedWorker:
    """Runs a job in a thread that stands still before each step until it is given its turn.

    Either the scheduler or one worker runs, never two at once: the scheduler alone picks the interleaving.
    """

    def __init__(self) -> None:
        self.done = False
        self.succeeded = False
        self.error: BaseException | None = None
        self._turn = threading.Semaphore(0)
        self._stands = threading.Semaphore(0)
        self._fault = Fault.NONE
        self._thread: threading.Thread | None = None

    def start(self, job: Callable[[], None]) -> None:
        """Run a job up to its first step."""
        self._thread = threading.Thread(target=self._run, args=(job,), daemon=True)
        self._thread.start()
        self._stands.acquire()

    def step(self, fault: Fault = Fault.NONE) -> None:
        """Let the worker take one step, and wait until it stands before the next or is done."""
        self._fault = fault
        self._turn.release()
        self._stands.acquire()
        if self.done:
            assert self._thread is not None
            self._thread.join()

    def take(self, step: Callable[[], T]) -> T:
        """In the worker: take a step in its turn, with the fault that the scheduler has chosen."""
        self._stands.release()
        self._turn.acquire()
        fault = self._fault
        if fault is Fault.CRASH_BEFORE:
            raise CrashedError
        if fault is Fault.CONFLICT:
            raise ContentionError("transact")
        result = step()
        if fault is Fault.CRASH_AFTER:
            raise CrashedError
        return result

    def _run(self, job: Callable[[], None]) -> None:
        try:
            job()
            self.succeeded = True
        except (CrashedError, ContentionError):
            pass  # the delivery is not done: it will be delivered again
        except BaseException as error:  # noqa: BLE001 - reported to the test by the scheduler
            self.error = error
        finally:
            self.done = True
            self._stands.release()


class SteppedStore:
    """A store whose every call is a step of its worker."""

    def __init__(self, inner: Store, worker: SteppedWorker) -> None:
        self._inner = inner
        self._worker = worker

    def get(self, table: str, key: str, sort: str | None = None) -> Item | None:
        return self._worker.take(lambda: self._inner.get(table, key, sort))

    def transact(self, writes: Sequence[Write]) -> None:
        self._worker.take(lambda: self._inner.transact(writes))


class SteppedPublisher:
    """A publisher whose every call is a step of its worker."""

    def __init__(self, publish: Callable[[bytes], None], worker: SteppedWorker) -> None:
        self._publish = publish
        self._worker = worker

    def publish(self, envelopes: Sequence[bytes], partition_key: str) -> None:
        self._worker.take(lambda: [self._publish(envelope) for envelope in envelopes])
