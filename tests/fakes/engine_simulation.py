"""Several workers over one stream under a simulated clock: another shell around the engine's machines.

Everything happens at moments drawn from one seed: jobs take their time, calls fail or lose their answers, and
workers freeze and wake up as zombies or die, shards split and merge. A processor may freeze in the middle of
a call, while the world goes on without it.
"""

import datetime as dt
import heapq
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from random import Random
from typing import Any

from fakes.engine_processor import FaultyLeaseTable
from orderstream.errors import DependencyError
from orderstream.kpl import UserRecord
from orderstream.kpl.aggregation import encode_aggregate
from orderstream.testing import FakeKinesis, Fault, FaultKind
from orderstream_workers.engine.config import EngineConfig
from orderstream_workers.engine.leases import Lease, LeaseKeeper
from orderstream_workers.engine.lifecycle import ShardHost
from orderstream_workers.engine.lifecycle.shard_consumer import Signal
from orderstream_workers.engine.lifecycle.synchronizer import ShardSynchronizer
from orderstream_workers.engine.processor import (
    Checkpointer,
    InitializationInput,
    ProcessRecordsInput,
    StopSignal,
)
from orderstream_workers.engine.record import DeliveredRecord, Position
from orderstream_workers.engine.retrieval import KinesisReader

EPOCH = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
STREAM = "orders"
CONFIG = EngineConfig(
    failover_time=6, idle_between_reads=0.5, max_records=7, parent_poll_interval=1, shard_sync_interval=10
)


class CheckedLeaseTable(FaultyLeaseTable):
    """Shows every successor that was written to whoever checks them."""

    def __init__(self) -> None:
        super().__init__()
        self.written: Callable[[Lease], None] = lambda lease: None

    def replace(self, held: Lease, successor: Lease) -> bool:
        try:
            return super().replace(held, successor)
        finally:
            if (found := self._leases.get(held.lease_key)) is not None:
                self.written(found)


@dataclass
class SimulatedWorker:
    name: str
    keeper: LeaseKeeper
    hosts: dict[str, ShardHost] = field(default_factory=dict)
    alive: bool = True
    stopping: bool = False
    frozen_until: float = 0.0


class UnreliableProcessor:
    """Handles records in order; now and then it freezes, raises, or checkpoints less than is done."""

    def __init__(self, world: "World", worker: SimulatedWorker, stop: StopSignal) -> None:
        self._world = world
        self._worker = worker
        self._stop = stop

    def initialize(self, initialization: InitializationInput) -> None:
        self._world.maybe_raise()

    def process_records(self, batch: ProcessRecordsInput) -> None:
        done: list[Position] = []
        for record in batch.records:
            if self._stop.is_set() or not self._worker.alive:
                break
            self._world.handled(record)
            done.append(record.position)
            self._world.maybe_freeze(self._worker)
            self._world.maybe_raise()
        if done and self._worker.alive:
            # Often not all that is done, so that the next owner begins inside an aggregate.
            batch.checkpointer.checkpoint(self._world.random.choice((done[-1], *done)))

    def lease_lost(self) -> None:
        self._world.losses += 1

    def shard_ended(self, checkpointer: Checkpointer) -> None:
        self._world.maybe_raise()
        checkpointer.checkpoint()

    def shutdown_requested(self, checkpointer: Checkpointer) -> None:
        self._world.maybe_raise()


class World:
    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.now = 0.0
        self.losses = 0
        self.faults = True
        self._depth = 0
        self._order = count()
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._names = count()
        self._numbers = count()
        self.put_by_shard: dict[str, list[tuple[Position, bytes]]] = {}
        self.puts: dict[str, list[bytes]] = {}
        self.handlings: list[tuple[str, bytes]] = []
        self._handled: set[bytes] = set()
        self.kinesis = FakeKinesis(
            clock=lambda: EPOCH.timestamp() + self.now, sleep=lambda seconds: None, seed=seed
        )
        self.client = self.kinesis.client()
        self.client.create_stream(StreamName=STREAM, ShardCount=self.random.randint(1, 3))
        self.table = CheckedLeaseTable()
        self.table.written = self._check
        self.table.fails_before = lambda: self._strikes(0.05)
        self.table.loses_answer = lambda: self._strikes(0.05)
        self.workers: list[SimulatedWorker] = []

    # Time

    def at(self, moment: float, act: Callable[[], None]) -> None:
        heapq.heappush(self._events, (max(moment, self.now), next(self._order), act))

    def run_until(self, moment: float) -> None:
        while self._events and self._events[0][0] <= moment:
            at, _, act = heapq.heappop(self._events)
            self.now = max(self.now, at)
            act()
        self.now = max(self.now, moment)

    # Workers

    def start_worker(self) -> SimulatedWorker:
        name = f"w{next(self._names)}"
        keeper = LeaseKeeper(
            self.table, worker_id=name, failover_time=CONFIG.failover_time, clock=lambda: self.now
        )
        worker = SimulatedWorker(name, keeper)
        self.workers.append(worker)
        reader = KinesisReader(
            self.client,  # type: ignore[arg-type]
            STREAM,
            max_records=CONFIG.max_records,
            now=lambda: EPOCH + dt.timedelta(seconds=self.now),
        )
        synchronizer = ShardSynchronizer(reader, self.table, "TRIM_HORIZON")

        def keep_leases() -> None:
            keeper.renew()
            if not worker.stopping:
                try:
                    synchronizer.synchronize()
                    for owned in keeper.take():
                        host = ShardHost(
                            owned,
                            processors=lambda _, stop: UnreliableProcessor(self, worker, stop),
                            reader=reader,
                            synchronizer=synchronizer,
                            config=CONFIG,
                            clock=lambda: self.now,
                            wall_clock=lambda: EPOCH + dt.timedelta(seconds=self.now),
                            random=self.random,
                        )
                        worker.hosts[owned.key] = host
                        self._feed(worker, host, Signal.WOKEN)
                except DependencyError:
                    pass  # the next round tries again, as the real worker does
            for host in list(worker.hosts.values()):
                if host.stop.is_set():
                    self._feed(worker, host, Signal.WOKEN)
            self._later(worker, self.random.uniform(0.8, 1.0) * CONFIG.lease_interval, keep_leases)

        self._later(worker, 0.1, keep_leases)
        return worker

    def _later(self, worker: SimulatedWorker, delay: float, act: Callable[[], None]) -> None:
        def when_awake() -> None:
            if not worker.alive:
                return
            if self.now < worker.frozen_until:
                self.at(worker.frozen_until, when_awake)
                return
            act()

        self.at(self.now + delay, when_awake)

    def _feed(self, worker: SimulatedWorker, host: ShardHost, event: Any) -> None:
        for job in host.on(event, self.now):
            delay = self.random.choice((0.001, 0.01, 0.05, 0.3))
            self._later(worker, delay, lambda job=job: self._feed(worker, host, job.run()))  # type: ignore[misc]
        if host.is_done:
            if worker.hosts.get(host.shard_id) is host:
                del worker.hosts[host.shard_id]
                worker.keeper.drop(host.shard_id)
            return
        self._wake_up(worker, host)

    def _wake_up(self, worker: SimulatedWorker, host: ShardHost) -> None:
        moment = host.wake_at
        if moment == math.inf:
            return

        def wake() -> None:
            if host.is_done:
                return
            if host.wake_at <= self.now:
                self._feed(worker, host, Signal.WOKEN)
            else:
                self._wake_up(worker, host)  # a renewal has moved the moment

        self._later(worker, max(moment - self.now, 0.0), wake)

    def stop_worker(self, worker: SimulatedWorker) -> None:
        worker.stopping = True
        for host in list(worker.hosts.values()):
            host.stop.set()
            self._feed(worker, host, Signal.WOKEN)

    # Trouble

    def _strikes(self, rate: float) -> bool:
        return self.faults and self.random.random() < rate

    def maybe_raise(self) -> None:
        if self._strikes(0.02):
            raise RuntimeError("as told")

    def maybe_freeze(self, worker: SimulatedWorker) -> None:
        """Let the world go on while a processor stands still; sometimes its whole process does, or dies."""
        if self._depth < 3 and self._strikes(0.02):
            self._depth += 1
            pause = self.random.uniform(0.1, 15)
            if self._strikes(0.5):
                worker.frozen_until = self.now + pause
            self.run_until(self.now + pause)
            self._depth -= 1

    def trouble_with_kinesis(self) -> None:
        for error in (
            "ProvisionedThroughputExceededException",
            "InternalFailure",
            "ExpiredIteratorException",
        ):
            self.kinesis.faults.add(Fault(operation="GetRecords", error=error, rate=0.03, times=None))
        for operation in ("GetRecords", "GetShardIterator", "ListShards"):
            fault = Fault(operation=operation, kind=FaultKind.LOSE_ANSWER, rate=0.03, times=None)
            self.kinesis.faults.add(fault)

    def calm(self) -> None:
        self.faults = False
        self.kinesis.faults.clear()

    def reshard(self) -> None:
        opened = sorted(
            (shard for shard in self.kinesis.shards(STREAM) if shard.is_open),
            key=lambda shard: shard.hash_range.start,
        )
        if len(opened) > 1 and self.random.random() < 0.5:
            index = self.random.randrange(len(opened) - 1)
            self.client.merge_shards(
                StreamName=STREAM,
                ShardToMerge=opened[index].shard_id,
                AdjacentShardToMerge=opened[index + 1].shard_id,
            )
        else:
            shard = self.random.choice(opened)
            middle = (shard.hash_range.start + shard.hash_range.end) // 2
            self.client.split_shard(
                StreamName=STREAM, ShardToSplit=shard.shard_id, NewStartingHashKey=str(middle)
            )

    # Records

    def put(self) -> None:
        key = f"k{self.random.randrange(6)}"
        bodies = [b"%d" % next(self._numbers) for _ in range(self.random.choice((1, 1, 3)))]
        data = bodies[0]
        if len(bodies) > 1:
            data = encode_aggregate(UserRecord(key, body) for body in bodies)
        answer = self.client.put_record(StreamName=STREAM, PartitionKey=key, Data=data)
        for index, body in enumerate(bodies):
            position = Position(int(answer["SequenceNumber"]), index)
            self.put_by_shard.setdefault(answer["ShardId"], []).append((position, body))
            self.puts.setdefault(key, []).append(body)

    def handled(self, record: DeliveredRecord) -> None:
        self.handlings.append((record.partition_key, record.data))
        self._handled.add(record.data)

    def all_handled(self) -> bool:
        return all(body in self._handled for bodies in self.puts.values() for body in bodies)

    def first_occurrences(self) -> dict[str, list[bytes]]:
        firsts: dict[str, list[bytes]] = {}
        for key, body in dict.fromkeys(self.handlings):
            firsts.setdefault(key, []).append(body)
        return firsts

    def _check(self, lease: Lease) -> None:
        """No checkpoint, and no end of a shard, may be ahead of a record that was not handled."""
        for position, body in self.put_by_shard.get(lease.lease_key, ()):
            covered = lease.has_ended or (lease.position is not None and position <= lease.position)
            assert not covered or body in self._handled, f"{lease} is ahead of {position}"
        for child in lease.child_shard_ids if lease.has_ended else ():
            assert child in self.table._leases or not self._parents_have_ended(child), child

    def _parents_have_ended(self, shard_id: str) -> bool:
        (shard,) = (shard for shard in self.kinesis.shards(STREAM) if shard.shard_id == shard_id)
        leases = [self.table._leases.get(parent) for parent in shard.parents]
        return all(lease is not None and lease.has_ended for lease in leases)
