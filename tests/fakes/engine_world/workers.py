"""A process that runs a worker, as the shipped one does: it confirms the stream first, and watches it."""

from collections.abc import Callable

from fakes.engine_world.scheduler import Process, Scheduler
from fakes.engine_world.threads import VirtualEvent
from orderstream.errors import OrderstreamError
from orderstream_consumer.engines.embedded.leases import LeaseTable
from orderstream_consumer.engines.embedded.worker import Worker
from orderstream_consumer.engines.stream_identity import ConsumedStream


class SimulatedWorker:
    """One worker in a process of its own.

    Args:
        process: The process.
        worker: The worker.
        consumed: The stream of its application.
        leases: The leases.
        scheduler: Runs it.
        adopts: Whether it is told to adopt the stream that is there.

    Attributes:
        stopping: Whether somebody told it to stop.
        refuses: Why it does not work; None if it does.
        ended: Whether it has.
    """

    def __init__(
        self,
        process: Process,
        worker: Worker,
        consumed: ConsumedStream,
        leases: LeaseTable,
        scheduler: Scheduler,
        *,
        adopts: bool,
    ) -> None:
        self.process = process
        self.worker = worker
        self.stopping = False
        self.refuses: OrderstreamError | None = None
        self.ended = False
        self._consumed = consumed
        self._leases = leases
        self._scheduler = scheduler
        self._adopts = adopts
        self._stop = VirtualEvent(scheduler)

    @property
    def alive(self) -> bool:
        return self.process.alive and not self.ended

    def start(self) -> None:
        self._scheduler.spawn(self.process, self._run)

    def stop(self) -> None:
        self.stopping = True
        self._stop.set()
        self._scheduler.spawn(self.process, self.worker.request_shutdown)

    def _run(self) -> None:
        if self._succeeds(self._adopt) and self._succeeds(lambda: self._consumed.confirm(self._stop)):
            self._scheduler.spawn(self.process, self._watch)
            self.worker.run()
        self.ended = True

    def _adopt(self) -> bool:
        return not self._adopts or self._consumed.adopt(self._leases, self._stop)

    def _watch(self) -> None:
        if not self._succeeds(lambda: self._consumed.watch(self._stop)):
            self.worker.request_shutdown()

    def _succeeds(self, act: Callable[[], bool | None]) -> bool:
        try:
            return act() is not False
        except OrderstreamError as error:
            self.refuses = error
            self._stop.set()
            return False
