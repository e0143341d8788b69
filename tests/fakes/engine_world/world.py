"""The whole world of one history: a stream, its leases, workers that come and go, and what they did.

The workers are the shipped ones, loop and lease thread and all; only what they reach the world by is
simulated: time, threads, the network, Kinesis, DynamoDB.
"""

import datetime as dt
from collections.abc import Callable
from itertools import count
from random import Random
from typing import Any, cast

from fakes.engine_world.kinesis import SimulatedKinesis
from fakes.engine_world.lease_rows import LeaseRows, Row, SimulatedDynamoDB
from fakes.engine_world.ledger import Ledger, PutRecord
from fakes.engine_world.network import Network, Trouble
from fakes.engine_world.processors import (
    CarelessProcessor,
    HandlingTrouble,
    SimulatedHandler,
    WatchedProcessor,
    WatchedStop,
)
from fakes.engine_world.scheduler import Process, Scheduler
from fakes.engine_world.store import ParkingStore
from fakes.engine_world.stream import EPOCH, SimulatedStream
from fakes.engine_world.threads import VirtualConcurrency
from fakes.engine_world.workers import SimulatedWorker
from orderstream.aggregation import UserRecord, hash_key_of
from orderstream.aggregation.aggregate import encode_aggregate
from orderstream_consumer.delivery import (
    Breaker,
    DeliveryConfig,
    DeliveryTally,
    LaneProcessor,
    ParkedRecords,
    StoredParking,
)
from orderstream_consumer.engines.config import EngineConfig, InitialPosition
from orderstream_consumer.engines.embedded.leases import DynamoDBLeaseTable
from orderstream_consumer.engines.embedded.worker import Worker
from orderstream_consumer.engines.stream_identity import ConsumedStream, StreamIdentity
from orderstream_consumer.engines.stream_leases import StreamLeases
from orderstream_consumer.processing.processor import ProcessorFactory, RecordProcessor, StopSignal
from orderstream_consumer.processing.record import Position
from orderstream_consumer.store import Store
from orderstream_consumer.testing import MemoryStore

APPLICATION = "it"
POSITIONS: tuple[InitialPosition, ...] = ("TRIM_HORIZON", "LATEST", "AT_TIMESTAMP")
STREAM = "orders"
WATCH = 5.0
"""Seconds between two looks at which stream it is, where it may change."""
LEAP = 15.0
"""Seconds for which it is not judged what is told about a call in the middle of which a day passed."""
KEYS = tuple(f"k{number}" for number in range(8))
HASH_KEYS = {key: hash_key_of(key) for key in KEYS}


class World:
    """One history's world. What it does by itself is drawn from one seed."""

    def __init__(self, seed: int) -> None:
        self.random = random = Random(seed)
        self.scheduler = Scheduler()
        self.network = Network(self.scheduler, random)
        self.way_to_leases = Network(self.scheduler, random)
        self.stream = SimulatedStream(
            random.randint(1, 3),
            self.clock,
            random,
            distributes_itself=random.random() < 0.1,
            refuses_trimmed=random.random() < 0.5,
        )
        self.position: InitialPosition = random.choice(POSITIONS)
        self.made_anew = random.random() < 0.2
        """Whether the stream is deleted and made anew at some time."""
        self.begins_at = random.uniform(-5, 8)
        at_timestamp = self.position == "AT_TIMESTAMP"
        self.config = EngineConfig(
            failover_time=4,
            initial_position=self.position,
            initial_timestamp=EPOCH + dt.timedelta(seconds=self.begins_at) if at_timestamp else None,
            idle_between_reads=0.8,
            max_records=random.choice((2, 7, 100)),
            idle_call_interval=5,
            parent_poll_interval=1,
            shard_sync_interval=6,
            retry_pause=0.5,
            shutdown_timeout=20,
            io_threads=random.choice((1, 8)),
        )
        self.ledger = Ledger(
            self.stream,
            self.clock,
            failover_time=self.config.failover_time,
            initial_position=self.position,
            begins_at=self.begins_at,
            fail=self.scheduler.fail,
        )
        self.rows = LeaseRows(self._watch, self.ledger.deleted)
        self.memory = MemoryStore()
        self.handling = HandlingTrouble()
        self.in_lanes = random.random() < 0.5
        self.poisonous = random.choice((0.0, 0.05))
        self.delivery = DeliveryConfig(
            max_lanes=random.choice((1, 2, 8)),
            max_lead=random.choice((1, 3, 2_000)),
            checkpoint_every=random.choice((0.5, 2.0)),
            record_retries=random.choice((0, 1)),
        )
        self.workers: list[SimulatedWorker] = []
        self.outside = Process("producers and operators")
        self.adopting = False
        self._names = count()
        self._bodies = count()

    def clock(self) -> float:
        return self.scheduler.now

    # Workers

    def start_worker(self, last_creation: int | None = None, *, adopts: bool = False) -> SimulatedWorker:
        """Start a worker.

        Args:
            last_creation: After how many leases that it created it dies; None for none.
            adopts: Whether it is told to adopt the stream that is there.
        """
        process = Process(f"w{next(self._names)}")
        concurrency = VirtualConcurrency(self.scheduler, process, self.random)
        kinesis = SimulatedKinesis(self.stream, self.network, self.scheduler, self.random)
        dynamodb = SimulatedDynamoDB(self.rows, self.way_to_leases, self.random, last_creation=last_creation)
        simulated: SimulatedWorker

        def watched(shard_id: str, stop: StopSignal) -> WatchedStop:
            return WatchedStop(stop, lambda: self.ledger.believes(simulated.worker.worker_id, shard_id))

        factory = self._lanes(watched, concurrency) if self.in_lanes else self._careless(watched)

        def processors(shard_id: str, stop: StopSignal) -> RecordProcessor:
            return WatchedProcessor(
                factory(shard_id, stop),
                lambda after, before: (
                    (shard_id, after.sequence_number) in kinesis.gone
                    and self.clock() > kinesis.leapt_at + LEAP
                    and self.ledger.has_lost(shard_id, after, before)
                ),
                self.ledger.break_rule,
            )

        leases = DynamoDBLeaseTable(cast("Any", dynamodb), "leases")
        consumed = ConsumedStream(
            self._store(),
            APPLICATION,
            lambda: StreamIdentity.of(cast("Any", kinesis), STREAM),
            expiry=self.config.failover_time,
            watch_interval=WATCH if self.made_anew else 60.0,
            clock=self.clock,
        )
        skew = dt.timedelta(seconds=self.random.choice((0, 0, -3600, 3600)))
        worker = Worker(
            APPLICATION,
            STREAM,
            kinesis=cast("Any", kinesis),
            leases=StreamLeases(leases, consumed),
            processors=processors,
            config=self.config,
            clock=self.clock,
            wall_clock=(lambda: self.stream.time() + skew) if skew else self.stream.time,
            random=self.random,
            concurrency=concurrency,
        )
        simulated = SimulatedWorker(process, worker, consumed, leases, self.scheduler, adopts=adopts)
        self.workers.append(simulated)
        simulated.start()
        return simulated

    @property
    def working(self) -> list[SimulatedWorker]:
        return [worker for worker in self.workers if worker.alive and not worker.stopping]

    def _handler(self) -> SimulatedHandler:
        return SimulatedHandler(self.ledger, self.network, self.scheduler, self.random, self.handling)

    def _careless(self, watched: Callable[[str, StopSignal], WatchedStop]) -> ProcessorFactory:
        handler = self._handler()

        def processor(shard_id: str, stop: StopSignal) -> RecordProcessor:
            return CarelessProcessor(handler, watched(shard_id, stop), self.random, self._raises)

        return processor

    def _raises(self) -> bool:
        return self.random.random() < self.handling.raises

    def _lanes(
        self, watched: Callable[[str, StopSignal], WatchedStop], concurrency: VirtualConcurrency
    ) -> ProcessorFactory:
        handler, tally = self._handler(), DeliveryTally()
        executor = concurrency.executor(self.random.choice((1, 16)), "lane")
        breaker = Breaker(self.clock, self.random.random)

        def processor(shard_id: str, stop: StopSignal) -> RecordProcessor:
            return LaneProcessor(
                handler=handler,
                parking=StoredParking(self._store(), APPLICATION, self.stream.time),
                executor=executor,
                breaker=breaker,
                tally=tally,
                stop=watched(shard_id, stop),
                config=self.delivery,
                clock=self.clock,
                concurrency=concurrency,
            )

        return processor

    def _store(self) -> Store:
        return cast("Store", ParkingStore(self.memory, self.network, self.ledger.parked, self.ledger.noted))

    # Producers and operators

    def put(self) -> None:
        """Put a record, an aggregate, or an aggregate into the wrong shard and then into the right one."""
        if not self.stream.exists:
            return
        random = self.random
        shard = self.stream.shard_of(HASH_KEYS[random.choice(KEYS)])
        keys = [key for key in KEYS if shard.low <= HASH_KEYS[key] <= shard.high]
        users = [
            UserRecord(random.choice(keys), b"%d" % next(self._bodies))
            for _ in range(random.choice((1, 1, 2, 4)))
        ]
        if self.stream.distributes_itself:
            self._put_anywhere(users)
            return
        others = [other for other in self.stream.open_shards if other is not shard]
        if others and random.random() < 0.1:
            self._put(users, random.choice(others).low, aggregated=True, wrong_shard=True)
        self._put(users, HASH_KEYS[users[0].partition_key], aggregated=len(users) > 1)

    def _put_anywhere(self, users: list[UserRecord]) -> None:
        """Put a record without a key, or an aggregate whose keys have nothing to do with its shard."""
        if len(users) > 1:
            self._put(users, 0, aggregated=True)
            return
        shard, number = self.stream.put("", users[0].data, 0)
        key = f"no-key:{number}/0"
        position = Position(number)
        self.ledger.put(PutRecord(key, users[0].data, shard.shard_id, position, self.stream.seconds()))

    def trim(self) -> None:
        """Retention takes records, and perhaps a shard that was closed long ago."""
        self.stream.sleep_past_retention()
        shard = self.random.choice(self.stream.oldest)
        taken = set(self.stream.trim(shard, self.random.choice((0, 1, 5))))
        in_hand = any(
            shard.shard_id == one.shard_id
            for worker in self.workers
            if worker.alive
            for one in worker.worker.progress()
        )
        self.ledger.trimmed(shard.shard_id, taken, in_hand=in_hand)
        closed_at = shard.closed_at
        if closed_at is not None and shard.first == len(shard.numbers) and self.scheduler.now > closed_at + 8:
            self.stream.forget(shard)

    def make_anew(self) -> None:
        """Somebody deletes the stream, and creates one of the same name."""
        former = [dict(row) for key, row in sorted(self.rows.rows.items()) if key in self.ledger.leases]
        self.stream.make_anew(self.random.randint(1, 3), self.random.choice((0.0, 2.0, 10.0)))
        self.ledger.made_anew()
        if former and self.random.random() < 0.5:
            self._hold_back(self.random.choice(former), self.random.uniform(0.0, 3.0))

    def _watch(self, row_before: Row | None, row: Row) -> None:
        self.ledger.watch(row_before, row, late=self.way_to_leases.delivers_late)

    def _hold_back(self, row: Row, delay: float) -> None:
        """A worker of the former stream creates a lease, or puts one back; the network holds that back."""

        def act() -> None:
            while self.ledger.stream_replaced:
                self.scheduler.sleep(0.1)
            self.scheduler.sleep(delay)
            if row["leaseKey"]["S"] not in self.rows.rows:
                self.ledger.strays.add(row["leaseKey"]["S"])
                self.rows.write(row)

        self.scheduler.spawn(self.outside, act)

    def adopt(self) -> None:
        """An operator stops every worker, or so he thinks, and starts one that adopts, until one has."""
        if self.adopting:
            return
        self.adopting = True

        def act() -> None:
            while self.ledger.stream_replaced:
                overlooked = self.random.choice((0.0, 0.0, 0.5))
                for worker in self.workers:
                    if not worker.ended and self.random.random() >= overlooked:
                        worker.process.alive = False
                adopting = self.start_worker(adopts=True)
                self.scheduler.sleep(1)
                while adopting.alive and self.ledger.stream_replaced:
                    self.scheduler.sleep(0.5)
            self.adopting = False

        self.scheduler.spawn(self.outside, act)

    def delete_lease(self) -> None:
        """An operator, or KCL's cleanup, deletes a row: of an ended shard, or of one that is still open."""
        opened = {shard.shard_id for shard in self.stream.open_shards}
        rows = [
            key
            for key, lease in self.ledger.leases.items()
            if lease.has_ended or (key in opened and self.position != "LATEST")
        ]
        if rows:
            self.rows.delete(self.random.choice(sorted(rows)))

    def leave_behind(self) -> None:
        """KCL ran this application before, and left what it keeps in a row, and rows of its own."""
        for row in self.rows.rows.values():
            row["checkpointOwner"] = {"S": "kcl"}
            row["pendingCheckpoint"] = {"S": "7"}
        self.rows.rows["Leader"] = {"leaseKey": {"S": "Leader"}, "entityType": {"S": "LEADER"}}

    def _put(
        self, users: list[UserRecord], hash_key: int, *, aggregated: bool, wrong_shard: bool = False
    ) -> None:
        data = encode_aggregate(users) if aggregated else users[0].data
        shard, number = self.stream.put(users[0].partition_key, data, hash_key)
        for index, user in enumerate(users):
            position = Position(number, index)
            self.ledger.put(
                PutRecord(
                    user.partition_key,
                    user.data,
                    shard.shard_id,
                    position,
                    self.stream.seconds(),
                    wrong_shard=wrong_shard,
                )
            )
            if not wrong_shard and self.in_lanes and self.random.random() < self.poisonous:
                self.handling.poison.add(user.data)

    def brown_out(self) -> None:
        """For some seconds, hardly any call to the lease table goes well."""

        def act() -> None:
            before = self.way_to_leases.trouble
            bad = Trouble(refused=0.2, lost=0.2, late=0.1, slow=0.5, dies=before.dies)
            self.way_to_leases.trouble = bad
            self.scheduler.sleep(self.random.uniform(3, 9))
            if self.way_to_leases.trouble is bad:
                self.way_to_leases.trouble = before

        self.scheduler.spawn(self.outside, act)

    def redrive(self) -> None:
        """An operator carries out what is parked, key after key, and tries again when that fails."""
        parked = ParkedRecords(self._store(), APPLICATION)

        def act() -> None:
            for marked in parked.keys():  # noqa: SIM118 - no mapping
                parked.redrive(marked.partition_key, self._handler())

        def until_it_works() -> None:
            while True:
                try:
                    act()
                except Exception:  # noqa: BLE001 - as an operator does
                    self.scheduler.sleep(1)
                else:
                    return

        self.scheduler.spawn(self.outside, until_it_works)

    def parked_keys(self) -> int:
        return StoredParking(self.memory, APPLICATION, self.stream.time).count()
