r"""The producer's core: a machine without threads, clocks or I/O.

``on(input, now)`` takes one input and returns the commands that follow from it. The life of a user record::

      Put          shard map known        slot idle, limits allow             landed as predicted
    -----> unmapped -------------> queued -----------------------> in flight -----------------------> settled
                                   in its ^                        |   |                                ^
                                   slot   |  refused, lost, failed |   | landed elsewhere               |
                                          |<-----------------------+   v                                |
                                          |                      to be judged by a fresh shard map -----+
                                          |<-------------------- outside the shard:       inside the shard
                                                                 all of the aggregate

Whatever comes back returns to the head of its slots, so per key nothing is ever overtaken; the slots stay
busy until then. A permanent failure settles as rejected, from any state, with all that waits behind it under
its keys; so does the last attempt that a record has, and so does a deadline that passes, except while an
answer is still to come.
"""

import heapq
import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import count
from math import inf
from typing import assert_never

from orderstream.kpl import messages
from orderstream.kpl.aggregator import Aggregator
from orderstream.kpl.collector import Collector
from orderstream.kpl.config import ProducerConfig
from orderstream.kpl.given_up import GivenUpKeys
from orderstream.kpl.kinesis_record import KinesisRecord
from orderstream.kpl.limiter import ShardLimiter
from orderstream.kpl.messages import (
    Command,
    Failure,
    GiveUp,
    Input,
    ListShards,
    SendPutRecords,
    Settle,
    WakeAt,
)
from orderstream.kpl.metrics import NoMetrics, ProducerMetrics
from orderstream.kpl.outcome import Acknowledged, Attempt, Landed, Rejected, Settlement
from orderstream.kpl.pending import Arrival, PendingRecord
from orderstream.kpl.refresher import Refresher
from orderstream.kpl.retrier import RetryPolicy
from orderstream.kpl.shard_map import IncompleteShardMapError, Shard, ShardMap
from orderstream.kpl.slots import Slot, SlotTable

logger = logging.getLogger(__name__)

# A record may outlive its deadline by one part in this many.
_DEADLINE_STEPS = 100


class Pipeline:
    """From put to outcome.

    Args:
        config: The settings.
        random: Returns a number from 0 to 1, for the jitter of retries.
        metrics: Is told what happens.
    """

    def __init__(
        self, config: ProducerConfig, random: Callable[[], float], metrics: ProducerMetrics | None = None
    ) -> None:
        self._config = config
        self._metrics = metrics or NoMetrics()
        self._now = 0.0
        self._policy = RetryPolicy(
            config.retry_base_delay, config.retry_max_delay, random, config.max_attempts
        )
        self._limiter = ShardLimiter(config.records_per_second_per_shard, config.bytes_per_second_per_shard)
        self._refresher = Refresher(self._policy)
        self._aggregator = Aggregator(config)
        self._slots_per_shard = 1 if config.aggregation else config.slots_per_shard
        self._map: ShardMap | None = None
        self._map_version = 0
        self._slots: SlotTable | None = None
        self._unmapped: list[PendingRecord] = []
        self._candidates: dict[Slot, None] = {}
        self._alarms: list[tuple[float, int, Slot]] = []
        self._requests: dict[int, Sequence[KinesisRecord]] = {}
        self._to_judge: list[KinesisRecord] = []
        self._given_up = GivenUpKeys()
        self._to_tell: list[Settle] = []
        self._next_deadline = inf
        self._arrivals = 0
        self._flushed = 0
        self._ids = count(1)
        self._first = True
        self._closed = False
        self._commands: list[Command] = []

    def on(self, event: Input, now: float) -> list[Command]:
        """Take an input.

        Args:
            event: What happened.
            now: The time, in seconds of a monotonic clock.

        Returns:
            What to do now, in this order.
        """
        self._now = now
        self._take_in(event, now)
        if self._to_tell:
            self._commands.append(GiveUp(self._to_tell))
            self._to_tell = []
        if not self._closed:
            self._expire(now)
            self._ring(now)
            self._send(now)
            self._ask_for_map(now)
            self._plan_wake()
        commands, self._commands = self._commands, []
        return commands

    def _take_in(self, event: Input, now: float) -> None:
        match event:
            case messages.Put():
                self._put(event.records, now)
            case messages.Told():
                self._told(event.records, now)
            case messages.RequestCompleted():
                self._completed(event, now)
            case messages.RequestFailed():
                self._failed(event, now)
            case messages.MapLoaded():
                self._map_loaded(event.shards, now)
            case messages.MapFailed():
                self._map_failed(event.failure, now)
            case messages.Flush():
                self._flushed = self._arrivals
                self._reconsider_all()
            case messages.Close():
                self._close()
            case messages.Tick():
                pass
            case _:
                assert_never(event)

    # --- records come in ---

    def _put(self, records: Sequence[PendingRecord], now: float) -> None:
        self._arrivals += 1
        arrival = Arrival(self._arrivals, now)
        self._expect_deadline(now)
        if self._given_up:
            records = self._without_given_up(records, arrival)
        if self._slots is not None:
            self._candidates.update(self._slots.enter(records, arrival))
            return
        for record in records:
            record.arrival = arrival
        if self._closed:
            self._reject(records, "the producer was closed", unsent=True)
        else:
            self._unmapped += records

    def _told(self, records: Sequence[PendingRecord], now: float) -> None:
        if records:
            self._put(records, now)
        self._given_up.told()

    def _without_given_up(self, records: Sequence[PendingRecord], arrival: Arrival) -> list[PendingRecord]:
        passing, behind = self._given_up.split(records)
        for reason, late in behind.items():
            for record in late:
                record.arrival = arrival
            self._reject(late, reason)
        return passing

    # --- records go out ---

    def _send(self, now: float) -> None:
        while self._candidates and len(self._requests) < self._config.max_in_flight_requests:
            entries = self._collect(now)
            if not entries:
                return
            request_id = next(self._ids)
            for record in entries:
                record.sent_at = now
            self._requests[request_id] = entries
            self._commands.append(SendPutRecords(request_id, entries))

    def _collect(self, now: float) -> list[KinesisRecord]:
        collector = Collector(self._config.collection_max_records, self._config.collection_max_bytes)
        for slot in list(self._candidates):
            while self._may_send(slot) and self._is_due(slot, now):
                if not collector.takes(slot.queue[0].size):
                    return collector.entries
                collector.add(self._take(slot, now))
            del self._candidates[slot]
        return collector.entries

    def _may_send(self, slot: Slot) -> bool:
        return bool(slot.queue) and (not slot.unsettled or self._config.ordering == "none")

    def _is_due(self, slot: Slot, now: float) -> bool:
        due = max(slot.not_before, self._limiter.ready_at(slot.shard_id, now), self._lingers_until(slot))
        if due <= now:
            return True
        if slot.wake_at is None or due < slot.wake_at:
            slot.wake_at = due
            heapq.heappush(self._alarms, (due, next(self._ids), slot))
        return False

    def _lingers_until(self, slot: Slot) -> float:
        waiting = slot.queue[0]
        head = waiting.user_records[0]
        full = slot.queued_bytes >= self._config.aggregate_target_bytes
        full = full or (self._config.aggregation and not waiting.grows)
        if full or head.attempts or head.arrival.number <= self._flushed:
            return 0.0
        return head.arrival.put_at + self._config.linger

    def _take(self, slot: Slot, now: float) -> KinesisRecord:
        assert self._slots is not None
        record = slot.take(self._map_version)
        self._slots.occupy(record, slot)
        self._limiter.take(slot.shard_id, record.size, now)
        return record

    # --- answers come back ---

    def _completed(self, event: messages.RequestCompleted, now: float) -> None:
        # A request unknown here was given up by Close.
        entries = self._requests.pop(event.request_id, None)
        if entries is None:
            return
        for record, result in zip(entries, event.results, strict=True):
            if isinstance(result, Failure):
                self._refused(record, result, now)
                continue
            record.landed = result
            if result.shard_id == record.shard_id:
                self._landed(record, result, now, foreign=False)
            elif self._can_judge(record):
                self._judge(record, now)
            else:
                self._to_judge.append(record)
                self._expect_deadline(record.user_records[0].arrival.put_at)
                logger.info(
                    "a record landed in another shard than predicted; reading the shard map",
                    extra={"predicted": record.shard_id, "landed": result.shard_id},
                )

    def _failed(self, event: messages.RequestFailed, now: float) -> None:
        for record in self._requests.pop(event.request_id, ()):
            self._refused(record, event.failure, now)

    def _refused(self, record: KinesisRecord, failure: Failure, now: float) -> None:
        record.failed(Attempt(record.sent_at, now, None, failure.code, failure.message))
        self._metrics.attempted(
            record.shard_id, len(record.user_records), record.size, now - record.sent_at, failure.code
        )
        slots = self._release(record)
        if not failure.retryable:
            self._give_up(record.user_records, slots, f"{failure.code}: {failure.message}")
            return
        for slot in slots:
            slot.failures += 1
            slot.not_before = now + self._policy.delay(slot.failures)
        self._put_back(record)

    def _give_up(self, records: Sequence[PendingRecord], slots: Iterable[Slot], reason: str) -> None:
        """Give up records for good, and what waits behind them under their keys.

        The application, which does not know yet, may put them once more, and then the next ones would stand
        before them in the stream.
        """
        self._to_tell += self._rejection(records, reason)
        if self._config.ordering == "none":
            return
        reason = f"an earlier record of its key was given up: {reason}"
        keys = self._given_up.add(records, reason)
        for slot in slots:
            behind = slot.take_out(lambda record: record.partition_key in keys)
            self._to_tell += self._rejection(behind, reason)

    def _can_judge(self, record: KinesisRecord) -> bool:
        """Whether the shard map was read after the record was sealed and knows where it landed."""
        assert self._map is not None
        assert record.landed is not None
        return self._map_version > record.map_version and record.landed.shard_id in self._map.ranges

    def _judge(self, record: KinesisRecord, now: float) -> None:
        """Tell by the shard map whether consumers will drop a record that landed elsewhere than predicted.

        KCL's AggregatorUtil discards an aggregate whole if one user record's hash key lies outside the shard.
        """
        assert self._map is not None
        assert record.landed is not None
        hash_range = self._map.ranges[record.landed.shard_id]
        foreign = record.aggregated and any(user.hash_key not in hash_range for user in record.user_records)
        self._landed(record, record.landed, now, foreign=foreign)

    def _landed(self, record: KinesisRecord, place: Acknowledged, now: float, *, foreign: bool) -> None:
        error_code = "WrongShard" if foreign else None
        attempt = Attempt(record.sent_at, now, place.shard_id, error_code)
        self._metrics.attempted(
            record.shard_id, len(record.user_records), record.size, now - record.sent_at, error_code
        )
        for slot in self._release(record):
            slot.failures = 0
        if foreign:
            record.failed(attempt)
            self._put_back(record)
        else:
            # From here on nobody but whoever is told holds them.
            user_records, record.user_records = record.user_records, ()
            landed = Landed(place.shard_id, place.sequence_number, attempt)
            size = record.user_bytes
            self._commands.append(self._settle(user_records, record.settlement, size, landed))

    def _release(self, record: KinesisRecord) -> dict[Slot, None]:
        assert self._slots is not None
        slots = self._slots.release(record)
        self._candidates.update(slots)
        return slots

    def _put_back(self, record: KinesisRecord) -> None:
        """Queue its user records again, but for those that have had their attempts: they are given up.

        The ones given up are the oldest of their keys, so what is left goes on in its order.
        """
        assert self._slots is not None
        gives_up = self._policy.gives_up
        spent = [user for user in record.user_records if gives_up(user.failures)]
        left = record.user_records
        if spent:
            last, limit = spent[0].attempts[-1], self._policy.max_attempts
            reason = f"attempt {limit} of {limit} failed with {last.error_code}"
            self._reject(spent, f"{reason}: {last.error_message}" if last.error_message else reason)
            left = [user for user in left if not gives_up(user.failures)]
            self._slots.put_back_opened(left)
        else:
            self._slots.put_back(record)
        if left:
            # After a merge the oldest need not be the first.
            self._expect_deadline(min([user.arrival.put_at for user in left]))

    # --- the shard map ---

    def _ask_for_map(self, now: float) -> None:
        if self._wants_map() and self._refresher.start(now):
            self._first = False
            self._commands.append(ListShards())

    def _wants_map(self) -> bool:
        if self._map is None:
            return self._first or bool(self._unmapped)
        return bool(self._to_judge)

    def _map_loaded(self, shards: Sequence[Shard], now: float) -> None:
        if self._closed:
            return
        try:
            shard_map = ShardMap(shards, self._map.ranges if self._map else None)
        except IncompleteShardMapError as error:
            logger.info("the shard map is incomplete; reading it again", extra={"hash_key": error.hash_key})
            self._refresher.answered(now, satisfied=False)
            return
        self._adopt(shard_map)
        self._map_version += 1
        waiting, self._to_judge = self._to_judge, []
        for record in waiting:
            if self._can_judge(record):
                self._judge(record, now)
            else:
                self._to_judge.append(record)
        self._refresher.answered(now, satisfied=not self._to_judge)

    def _adopt(self, shard_map: ShardMap) -> None:
        """Put a new map in force: every queue is dealt out anew, in put order per key."""
        changed = self._map is None or not self._map.same_shards_open(shard_map)
        self._map = shard_map
        if not changed:
            return
        waiting, self._unmapped = self._unmapped, []
        if self._slots is not None:
            waiting = self._slots.queued()
        self._slots = SlotTable(shard_map, self._slots_per_shard, self._aggregator)
        self._slots.extend(waiting)
        for record in self._unsettled():
            self._slots.occupy(record)
        # Candidates and alarms name slots of the old map, whose queues have just been dealt out.
        self._candidates, self._alarms = {}, []
        self._limiter.keep_only({shard.shard_id for shard in shard_map.open})
        self._reconsider_all()
        logger.info("new shard map", extra={"open_shards": len(shard_map.open)})

    def _map_failed(self, failure: Failure, now: float) -> None:
        self._refresher.answered(now, satisfied=False)
        if failure.retryable or self._closed:
            return
        reason = f"the shards cannot be listed, {failure.code}: {failure.message}"
        unmapped, self._unmapped = self._unmapped, []
        self._give_up(unmapped, (), reason)
        to_judge, self._to_judge = self._to_judge, []
        for record in to_judge:
            self._give_up(record.user_records, self._release(record), reason)

    def _unsettled(self) -> Iterable[KinesisRecord]:
        for entries in self._requests.values():
            yield from entries
        yield from self._to_judge

    # --- deadlines ---

    def _expect_deadline(self, put_at: float) -> None:
        if self._config.delivery_timeout is not None:
            self._next_deadline = min(self._next_deadline, put_at + self._config.delivery_timeout)

    def _expire(self, now: float) -> None:
        """Give up what has waited for too long; what is under way is looked at when it comes back."""
        timeout = self._config.delivery_timeout
        if timeout is None or now < self._next_deadline:
            return
        put_before = now - timeout
        expired = [record for record in self._unmapped if record.arrival.put_at <= put_before]
        self._unmapped = [record for record in self._unmapped if record.arrival.put_at > put_before]
        for slot in self._slots or ():
            expired += slot.take_out(lambda record: record.arrival.put_at <= put_before)
        reason = f"not acknowledged within {timeout} s"
        self._reject(expired, reason)
        waiting, self._to_judge = self._to_judge, []
        for record in waiting:
            # They landed together and are judged together: the youngest's time is theirs.
            if all(user.arrival.put_at <= put_before for user in record.user_records):
                self._release(record)
                self._reject(record.user_records, reason)
            else:
                self._to_judge.append(record)
        self._next_deadline = self._oldest_put() + timeout
        # Where records keep coming to their end, not each of them is worth a look at all the others.
        self._next_deadline = max(self._next_deadline, now + timeout / _DEADLINE_STEPS)

    def _oldest_put(self) -> float:
        waiting = [self._unmapped, *(slot.user_records() for slot in self._slots or ())]
        puts = [record.arrival.put_at for records in waiting for record in records]
        puts += [max(user.arrival.put_at for user in record.user_records) for record in self._to_judge]
        return min(puts, default=inf)

    # --- time and the end ---

    def _reconsider_all(self) -> None:
        for slot in self._slots or ():
            if slot.queue:
                self._candidates[slot] = None

    def _ring(self, now: float) -> None:
        while self._alarms and self._alarms[0][0] <= now:
            due, _, slot = heapq.heappop(self._alarms)
            if slot.wake_at == due:
                slot.wake_at = None
                self._candidates[slot] = None

    def _plan_wake(self) -> None:
        times = [self._alarms[0][0]] if self._alarms else []
        if self._wants_map() and not self._refresher.reading:
            times.append(self._refresher.not_before)
        if self._next_deadline < inf:
            times.append(self._next_deadline)
        if times:
            self._commands.append(WakeAt(min(times)))

    def _reject(self, records: Sequence[PendingRecord], reason: str, *, unsent: bool = False) -> None:
        self._commands += self._rejection(records, reason, unsent=unsent)

    def _rejection(
        self, records: Sequence[PendingRecord], reason: str, *, unsent: bool = False
    ) -> Iterator[Settle]:
        if records:
            # Not all that travelled with them need share their end.
            settlement = Settlement()
            for record in records:
                record.settlement = settlement
            size = sum([record.size for record in records])
            yield self._settle(records, settlement, size, Rejected(reason, unsent=unsent))

    def _settle(
        self,
        records: Sequence[PendingRecord],
        settlement: Settlement,
        size: int,
        outcome: Landed | Rejected,
    ) -> Settle:
        shard_id = outcome.shard_id if isinstance(outcome, Landed) else None
        self._metrics.settled(shard_id, len(records), size, self._now - records[0].arrival.put_at)
        return Settle(records, settlement, size, outcome)

    def _close(self) -> None:
        if self._closed:
            return
        self._closed = True
        reason = "the producer was closed before Kinesis acknowledged it"
        for record in self._unsettled():
            self._reject(record.user_records, reason, unsent=True)
        waiting = self._slots.queued() if self._slots is not None else self._unmapped
        self._reject(waiting, reason, unsent=True)
        self._requests, self._to_judge, self._unmapped, self._slots = {}, [], [], None
