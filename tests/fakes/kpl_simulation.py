"""The producer's core against the fake Kinesis, which refuses, loses, delays and reshards, in virtual time.

Each seed is one history, the same in every run. In ``tests``, ``python -m fakes.kpl_simulation 37`` plays one
and ``python -m fakes.kpl_simulation 0 1000`` looks for the first that breaks a rule and prints its seed.
"""

import heapq
import sys
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from itertools import count, islice
from math import inf
from random import Random

from fakes.kpl_stream import SimulatedStream
from orderstream import ProducerConfig
from orderstream.producer.config import KIB, MIB
from orderstream.producer.core.messages import (
    Close,
    Command,
    Complete,
    Flush,
    GiveUp,
    Input,
    ListShards,
    MapFailed,
    MapLoaded,
    Put,
    Reported,
    RequestCompleted,
    RequestFailed,
    SendPutRecords,
    Tick,
    WakeAt,
)
from orderstream.producer.core.pending import PendingRecord
from orderstream.producer.core.pipeline import Pipeline
from orderstream.producer.outcome import Failure, Landed, Rejected

TROUBLE_ENDS = 30.0
ALL_WELL_AGAIN = 45.0
ALL_MUST_BE_COMPLETE = 300.0
READ_TIMEOUT = 5.0

THROTTLED = Failure("ProvisionedThroughputExceededException", "slow down", retryable=True)
INTERNAL = Failure("InternalFailure", "oops", retryable=True)
DENIED = Failure("AccessDeniedException", "no", retryable=False)
TIMED_OUT = Failure("ReadTimeoutError", "no response", retryable=True)


@dataclass
class World:
    """One history: what the seed decides, what happens, and what came of each record."""

    seed: int
    now: float = 0.0
    outcomes: dict[PendingRecord, list[tuple[Landed | Rejected, int]]] = field(
        default_factory=lambda: defaultdict(list)
    )
    times_sent: Counter[PendingRecord] = field(default_factory=Counter)
    completed_at: dict[PendingRecord, float] = field(default_factory=dict)
    put: list[PendingRecord] = field(default_factory=list)
    outstanding: dict[str, dict[PendingRecord, None]] = field(default_factory=lambda: defaultdict(dict))
    in_flight: int = 0
    closed: bool = False

    def __post_init__(self) -> None:
        self.random = random = Random(self.seed)
        self.kinesis = SimulatedStream(
            random.randint(1, 6), lambda: self.now, throttling=random.random() < 0.5
        )
        self.old_listing = self.kinesis.shards
        self.throttle_rate = random.choice([0.0, 0.05, 0.3])
        self.fail_rate = random.choice([0.0, 0.05, 0.2])
        self.lose_rate = random.choice([0.0, 0.05, 0.2])
        self.deny_rate = random.choice([0.0, 0.0, 0.02])
        self.map_fail_rate = random.choice([0.0, 0.3, 0.8])
        self.map_down_until = random.choice([0.0, 0.0, 12.0])
        self.config = ProducerConfig(
            aggregation=random.random() < 0.75,
            ordering="per_key" if random.random() < 0.85 else "none",
            aggregate_target_bytes=KIB,
            aggregate_max_bytes=random.choice([KIB, 4 * KIB]),
            aggregate_max_records=random.choice([2, 1000]),
            linger=random.choice([0.0, 0.0, 0.5]),
            collection_max_records=random.choice([3, 500]),
            collection_max_bytes=random.choice([MIB, 5 * MIB]),
            max_in_flight_requests=random.randint(1, 6),
            slots_per_shard=random.choice([1, 7, 64]),
            records_per_second_per_shard=random.choice([20, 1000]),
            delivery_timeout=random.choice([None, None, None, 8.0]),
            max_attempts=random.choice([None, None, None, 1, 2, 5]),
        )
        self.core = Pipeline(self.config, random.random)
        self.order = count()
        self.wake = 0
        self.agenda: list[tuple[float, int, object]] = []
        self.plan()
        self.of_key: dict[str, list[PendingRecord]] = defaultdict(list)
        for record in self.put:
            self.of_key[record.partition_key].append(record)

    @property
    def trouble(self) -> bool:
        return self.now < TROUBLE_ENDS

    def plan(self) -> None:
        random = self.random
        keys = [(f"key-{number}", None if number % 5 else random.getrandbits(128)) for number in range(15)]
        for number in range(random.randint(5, 600)):
            key, hash_key = random.choice(keys)
            data = b"%d " % number + bytes(random.choice([0, 30, 400, 1500]))
            self.put.append(PendingRecord(key, data, hash_key, len(data) + len(key)))
        times = sorted(random.uniform(0, TROUBLE_ENDS) for _ in self.put)
        index = 0
        while index < len(self.put):
            size = random.randint(1, 30)
            self.at(times[index], Put(self.put[index : index + size]))
            index += size
        for _ in range(random.choice([0, 1, 3, 10])):
            self.at(random.uniform(0, TROUBLE_ENDS), "reshard")
        if random.random() < 0.15:
            self.at(random.uniform(0, ALL_WELL_AGAIN), Close())
        for _ in range(random.choice([0, 2])):
            self.at(random.uniform(0, TROUBLE_ENDS), Flush())
        self.at(0, Tick())

    def at(self, when: float, what: object) -> None:
        heapq.heappush(self.agenda, (when, next(self.order), what))

    def run(self) -> None:
        while self.agenda:
            self.now, _, what = heapq.heappop(self.agenda)
            assert self.now < ALL_MUST_BE_COMPLETE, "the core keeps itself busy forever"
            if what == "reshard":
                self.old_listing = self.kinesis.shards
                self.kinesis.reshard(self.random)
            elif isinstance(what, Arrival):
                what.happen(self)
            elif isinstance(what, Wake):
                if what.number == self.wake:
                    self.tell(Tick())
            else:
                assert isinstance(what, Input)
                self.closed = self.closed or isinstance(what, Close)
                self.in_flight -= isinstance(what, RequestCompleted | RequestFailed)
                self.tell(what)

    def put_meanwhile(self) -> list[PendingRecord]:
        """What was put before the application could know of a failure: perhaps what would come next."""
        planned = next(
            (each for each in sorted(self.agenda, key=lambda each: each[:2]) if isinstance(each[2], Put)),
            None,
        )
        if planned is None or self.closed or self.random.random() < 0.5:
            return []
        self.agenda.remove(planned)
        heapq.heapify(self.agenda)
        return list(planned[2].records)

    def tell(self, event: Input) -> None:
        self.wake += 1
        for record in event.records if isinstance(event, Put | Reported) else ():
            self.outstanding[record.partition_key][record] = None
        for command in self.core.on(event, self.now):
            self.execute(command)

    def execute(self, command: Command) -> None:
        match command:
            case GiveUp():
                for each in command.completions:
                    self.execute(each)
                self.tell(Reported(self.put_meanwhile()))
            case Complete():
                assert command.completion.outcome is None
                command.completion.outcome = command.outcome
                for record in command.records:
                    self.completed_at[record] = self.now
                    self.outstanding[record.partition_key].pop(record, None)
                    self.outcomes[record].append((command.outcome, record.index))
            case WakeAt():
                self.at(max(self.now, command.at), Wake(self.wake))
            case ListShards():
                self.list_shards()
            case SendPutRecords():
                self.in_flight += 1
                self.times_sent.update(user for entry in command.entries for user in entry.user_records)
                assert self.in_flight <= self.config.max_in_flight_requests
                assert 1 <= len(command.entries) <= self.config.collection_max_records
                assert sum(entry.size for entry in command.entries) <= self.config.collection_max_bytes
                if self.config.ordering == "per_key":
                    self.check_turns(command)
                self.send(command)

    def check_turns(self, command: SendPutRecords) -> None:
        """A record leaves when all earlier ones of its key have their outcome, or beside them."""
        for entry in command.entries:
            leaving: dict[str, list[PendingRecord]] = defaultdict(list)
            for record in entry.user_records:
                leaving[record.partition_key].append(record)
            for key, records in leaving.items():
                first = list(islice(self.outstanding[key], len(records)))
                assert records == first, f"records of {key} left before earlier ones had their outcome"

    def list_shards(self) -> None:
        random = self.random
        delay = random.uniform(0.01, 0.5)
        if self.now < self.map_down_until or (self.trouble and random.random() < self.map_fail_rate):
            failure = DENIED if random.random() < self.deny_rate else INTERNAL
            self.at(self.now + delay, MapFailed(failure))
        elif self.trouble and random.random() < 0.2:
            self.at(self.now + delay, MapLoaded(self.old_listing))
        elif self.trouble and random.random() < 0.1:
            shards = self.kinesis.shards
            shards.remove(random.choice([shard for shard in shards if shard.is_open]))
            self.at(self.now + delay, MapLoaded(shards))
        else:
            self.at(self.now + delay, MapLoaded(self.kinesis.shards))

    def send(self, command: SendPutRecords) -> None:
        random = self.random
        delay = random.uniform(0.005, 0.3)
        if self.trouble and random.random() < self.fail_rate:
            self.at(self.now + delay, RequestFailed(command.request_id, INTERNAL))
        elif self.trouble and random.random() < self.deny_rate:
            self.at(self.now + delay, RequestFailed(command.request_id, DENIED))
        elif self.trouble and random.random() < self.lose_rate:
            # Taken, never answered: perhaps long after the client has given up, perhaps not at all.
            self.at(self.now + READ_TIMEOUT, RequestFailed(command.request_id, TIMED_OUT))
            if random.random() < 0.7:
                late = random.choice([delay, READ_TIMEOUT + delay, 3 * READ_TIMEOUT])
                self.at(self.now + late, Arrival(command, answered=False))
        else:
            self.at(self.now + delay, Arrival(command, answered=True))


@dataclass
class Wake:
    number: int


@dataclass
class Arrival:
    """A request reaches Kinesis."""

    command: SendPutRecords
    answered: bool

    def happen(self, world: World) -> None:
        random = world.random
        refused: dict[int, Failure] = {}
        for index in range(len(self.command.entries)):
            if world.trouble and random.random() < world.throttle_rate:
                refused[index] = random.choice([THROTTLED, INTERNAL])
        completed = world.kinesis.take(self.command, refused)
        if self.answered:
            world.at(world.now + random.uniform(0.0, 0.2), completed)


def check_outcomes(world: World) -> None:
    """Each record has exactly one outcome, and finds itself where that outcome says."""
    log = world.kinesis.log()
    for record in world.put:
        assert len(world.outcomes[record]) == 1, f"{len(world.outcomes[record])} outcomes"
        outcome, index = world.outcomes[record][0]
        assert record.completion.outcome is outcome, "its handle tells another outcome"
        assert world.times_sent[record] <= (world.config.max_attempts or inf), (
            "sent more often than it may be"
        )
        if isinstance(outcome, Rejected):
            assert (
                (outcome.unsent and world.closed)
                or expired(world, record)
                or world.times_sent[record] == world.config.max_attempts
                or denied(record, outcome)
                or behind_one_given_up(world, record)
            )
            continue
        taken = log[outcome.shard_id, outcome.sequence_number]
        assert taken.user_records[index][0] == record.data
        assert taken.visible, "acknowledged, but every consumer drops it"
        assert (outcome.attempt.shard_id, outcome.attempt.error_code) == (outcome.shard_id, None)
        assert record.failures == world.times_sent[record] - 1


def denied(record: PendingRecord, outcome: Rejected) -> bool:
    """Whether Kinesis has refused it for good, or has refused to tell the shards."""
    refused = bool(record.attempts) and record.attempts[-1].error_code == DENIED.code
    return refused or f"listed, {DENIED.code}" in outcome.reason


def behind_one_given_up(world: World, record: PendingRecord) -> bool:
    """Whether it was put before the application was told that an earlier one of its key was given up."""
    if world.config.ordering == "none":
        return False
    for earlier in world.of_key[record.partition_key]:
        if earlier is record:
            return False
        outcome, _ = world.outcomes[earlier][0]
        told_at = world.completed_at[earlier]
        if isinstance(outcome, Rejected) and denied(earlier, outcome) and record.arrival.put_at <= told_at:
            return True
    return False


def check_given_up(world: World) -> None:
    """What is put behind a record that is given up for good never arrives in its stead."""
    for record in world.put:
        if behind_one_given_up(world, record):
            outcome, _ = world.outcomes[record][0]
            assert isinstance(outcome, Rejected), f"a record of {record.partition_key} overtook one given up"


def expired(world: World, record: PendingRecord) -> bool:
    timeout = world.config.delivery_timeout
    if timeout is None:
        return False
    lived = world.completed_at[record] - record.arrival.put_at
    return timeout - 1e-6 <= lived <= timeout * 2.02 + READ_TIMEOUT + 1


def check_order(world: World) -> None:
    """The first occurrences of each key's acknowledged records appear in put order."""
    seen: dict[bytes, None] = {}
    for taken in world.kinesis.log().values():
        if taken.visible:
            seen.update((data, None) for data, _ in taken.user_records if data not in seen)
    index = {data: index for index, data in enumerate(seen)}
    keys: dict[str, list[int]] = defaultdict(list)
    for record in world.put:
        # One given up may still arrive, by an attempt whose response was lost: of its position nothing was
        # promised.
        if isinstance(world.outcomes[record][0][0], Landed):
            keys[record.partition_key].append(index[record.data])
    for key, positions in keys.items():
        assert positions == sorted(positions), f"records of {key} changed their order"


def play(seed: int) -> None:
    """Play one history and check its rules.

    Raises:
        AssertionError: One is broken; the note tells how to play it again.
    """
    try:
        world = World(seed)
        world.run()
        check_outcomes(world)
        if world.config.ordering == "per_key":
            check_order(world)
            check_given_up(world)
    except AssertionError as error:
        error.add_note(f"seed {seed}: replay it with `python -m fakes.kpl_simulation {seed}` in tests/")
        raise


if __name__ == "__main__":
    first = int(sys.argv[1])
    for number in range(first, int(sys.argv[2]) if len(sys.argv) > 2 else first + 1):
        try:
            play(number)
        except Exception as error:  # noqa: BLE001 - a defect may break the core in any way
            sys.exit(f"seed {number}: {type(error).__name__} {error}")
