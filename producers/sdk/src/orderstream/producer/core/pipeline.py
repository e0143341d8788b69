r"""The producer's core: a machine without threads, clocks or I/O.

``on(input, now)`` takes one input and returns the commands that follow from it. The life of a user record::

      Put          shard map known        slot idle, limits allow             landed as predicted
    -----> unmapped -------------> queued -----------------------> in flight ---------------------> completed
                                   in its ^                        |   |                                ^
                                   slot   |  refused, lost, failed |   | landed elsewhere               |
                                          |<-----------------------+   v                                |
                                          |                      to be judged by a fresh shard map -----+
                                          |<-------------------- outside the shard:       inside the shard
                                                                 all of the aggregate

Whatever comes back returns to the head of its slots, so per key nothing is ever overtaken; the slots stay
busy until then. A permanent failure completes a record as rejected, from any state, with every record that
waits behind it under its keys. So do the failure of its last attempt and the passing of its deadline, except
while a response is still outstanding.
"""

import logging
from collections.abc import Callable, Iterable, Sequence
from itertools import count
from math import inf
from typing import assert_never

from orderstream.kinesis.shard import Shard
from orderstream.kinesis.shard_map import IncompleteShardMapError, ShardMap
from orderstream.observability.metrics.meter import Meter
from orderstream.producer.config import ProducerConfig
from orderstream.producer.core import messages
from orderstream.producer.core.aggregator import Aggregator
from orderstream.producer.core.deadlines import Deadlines
from orderstream.producer.core.departures import Departures
from orderstream.producer.core.kinesis_record import KinesisRecord
from orderstream.producer.core.messages import Command, Input, ListShards, SendPutRecords, WakeAt
from orderstream.producer.core.pending import Arrival, PendingRecord
from orderstream.producer.core.refresher import Refresher
from orderstream.producer.core.reporting.measuring import Measuring
from orderstream.producer.core.reporting.outcomes import Outcomes
from orderstream.producer.core.retrier import RetryPolicy
from orderstream.producer.core.slots import Slot, SlotTable
from orderstream.producer.core.troubles import REPEAT, Troubles
from orderstream.producer.core.wrong_shard import WrongShards
from orderstream.producer.outcome import Acknowledged, Attempt, Failure, Landed

logger = logging.getLogger(__name__)


class Pipeline:
    """From put to outcome.

    Args:
        config: The settings.
        random: Returns a number from 0 to 1, for the jitter of retries.
        meter: Measures what happens; None measures nothing.
    """

    def __init__(
        self, config: ProducerConfig, random: Callable[[], float], meter: Meter | None = None
    ) -> None:
        self._config = config
        self._measuring = Measuring(meter)
        self._outcomes = Outcomes(self._measuring)
        self._troubles = Troubles()
        self._policy = RetryPolicy(
            config.retry_base_delay, config.retry_max_delay, random, config.max_attempts
        )
        self._refresher = Refresher(self._policy)
        self._aggregator = Aggregator(config)
        self._slots_per_shard = 1 if config.aggregation else config.slots_per_shard
        self._map: ShardMap | None = None
        self._slots: SlotTable | None = None
        self._unmapped: list[PendingRecord] = []
        self._departures = Departures(config)
        self._requests: dict[int, Sequence[KinesisRecord]] = {}
        self._elsewhere = WrongShards()
        self._deadlines = Deadlines(config.delivery_timeout)
        self._arrivals = 0
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
        self._take_in(event, now)
        if not self._closed:
            self._expire(now)
            self._departures.ring(now)
            self._send(now)
            self._ask_for_map(now)
            self._plan_wake()
        self._measuring.record(now)
        commands, self._commands = self._commands, []
        return [*self._outcomes.take(), *self._troubles.reports(), *commands]

    @property
    def trouble(self) -> Failure | None:
        """What calls to Kinesis meet at present; None if they succeed."""
        return self._troubles.present

    def _take_in(self, event: Input, now: float) -> None:
        match event:
            case messages.Put():
                self._put(event.records, now)
            case messages.Reported():
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
                self._departures.flush(self._arrivals)
                self._departures.consider_all(self._slots or ())
            case messages.Close():
                self._close(now)
            case messages.Tick():
                pass
            case _:
                assert_never(event)

    # --- records come in ---

    def _put(self, records: Sequence[PendingRecord], now: float) -> None:
        self._arrivals += 1
        self._measuring.received(records)
        arrival = Arrival(self._arrivals, now)
        self._deadlines.expect(now)
        if self._outcomes.given_up:
            records = self._outcomes.without_given_up(records, arrival, now)
        if self._slots is not None:
            self._departures.consider(self._slots.enter(records, arrival))
            return
        for record in records:
            record.arrival = arrival
        if self._closed:
            self._outcomes.reject(records, "the producer was closed", now, unsent=True)
        else:
            self._unmapped += records

    def _told(self, records: Sequence[PendingRecord], now: float) -> None:
        if records:
            self._put(records, now)
        self._outcomes.given_up.reported()

    # --- records go out ---

    def _send(self, now: float) -> None:
        if self._slots is None:
            return
        while self._departures and len(self._requests) < self._config.max_in_flight_requests:
            entries = self._departures.collect(self._slots, self._elsewhere.map_version, now)
            if not entries:
                return
            request_id = next(self._ids)
            for record in entries:
                record.sent_at = now
            self._measuring.sent(entries, now)
            self._requests[request_id] = entries
            self._commands.append(SendPutRecords(request_id, entries))

    # --- responses come back ---

    def _completed(self, event: messages.RequestCompleted, now: float) -> None:
        # A request unknown here was given up by Close.
        entries = self._requests.pop(event.request_id, None)
        if entries is None:
            return
        self._measuring.responded(entries, now)
        self._troubles.worked("PutRecords")
        for record, result in zip(entries, event.results, strict=True):
            if isinstance(result, Failure):
                if result.retryable:
                    self._troubles.failed("PutRecords", result, now, record.shard_id)
                self._refused(record, result, now)
                continue
            if self._troubles:
                self._troubles.worked("PutRecords", record.shard_id)
            record.landed = result
            if result.shard_id == record.shard_id:
                self._landed(record, result, now, wrong_shard=False)
            elif self._elsewhere.can_judge(record):
                self._judge(record, now)
            else:
                self._elsewhere.add(record)
                self._deadlines.expect(record.user_records[0].arrival.put_at)
                logger.info(
                    "a record landed in another shard than predicted; reading the shard map",
                    extra={"predicted": record.shard_id, "landed": result.shard_id},
                )

    def _failed(self, event: messages.RequestFailed, now: float) -> None:
        entries = self._requests.pop(event.request_id, ())
        self._measuring.responded(entries, now)
        if entries and event.failure.retryable:
            self._troubles.failed("PutRecords", event.failure, now)
        for record in entries:
            self._refused(record, event.failure, now)

    def _refused(self, record: KinesisRecord, failure: Failure, now: float) -> None:
        record.failed(Attempt(record.sent_at, now, None, failure.code, failure.message))
        self._measuring.attempted(record, failure.code)
        slots = self._release(record)
        if not failure.retryable:
            self._give_up(record.user_records, slots, str(failure), now)
            return
        for slot in slots:
            slot.failures += 1
            slot.not_before = now + self._policy.delay(slot.failures)
        self._put_back(record, now)

    def _give_up(
        self, records: Sequence[PendingRecord], slots: Iterable[Slot], reason: str, now: float
    ) -> None:
        """Give up records for good, and what waits behind them under their keys.

        The application, which does not know yet, may put them once more, and then the next ones would be
        before them in the stream.
        """
        if self._config.ordering == "none":
            self._outcomes.reject(records, reason, now)
            return
        keys = self._outcomes.give_up(records, reason, now)
        for slot in slots:
            behind = slot.take_out(lambda record: record.partition_key in keys)
            self._outcomes.give_up_behind(behind, reason, now)

    def _judge(self, record: KinesisRecord, now: float) -> None:
        assert record.landed is not None
        self._landed(record, record.landed, now, wrong_shard=self._elsewhere.is_wrong(record))

    def _landed(self, record: KinesisRecord, ack: Acknowledged, now: float, *, wrong_shard: bool) -> None:
        error_code = "WrongShard" if wrong_shard else None
        attempt = Attempt(record.sent_at, now, ack.shard_id, error_code)
        self._measuring.attempted(record, error_code)
        for slot in self._release(record):
            slot.failures = 0
        if wrong_shard:
            record.failed(attempt)
            self._put_back(record, now)
        else:
            # From here on only the receiver of the outcomes holds them.
            user_records, record.user_records = record.user_records, ()
            landed = Landed(ack.shard_id, ack.sequence_number, attempt)
            self._outcomes.landed(user_records, record.completion, record.user_bytes, landed, now)

    def _release(self, record: KinesisRecord) -> dict[Slot, None]:
        assert self._slots is not None
        slots = self._slots.release(record)
        self._departures.consider(slots)
        return slots

    def _put_back(self, record: KinesisRecord, now: float) -> None:
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
            reason = f"{reason}: {last.error_message}" if last.error_message else reason
            self._outcomes.reject(spent, reason, now)
            left = [user for user in left if not gives_up(user.failures)]
            self._slots.put_back_opened(left)
        else:
            self._slots.put_back(record)
        if left:
            # After a merge the oldest need not be the first.
            self._deadlines.expect(min([user.arrival.put_at for user in left]))

    # --- the shard map ---

    def _ask_for_map(self, now: float) -> None:
        if self._wants_map() and self._refresher.start(now):
            self._first = False
            self._commands.append(ListShards())

    def _wants_map(self) -> bool:
        if self._map is None:
            return self._first or bool(self._unmapped)
        return bool(self._elsewhere)

    def _map_loaded(self, shards: Sequence[Shard], now: float) -> None:
        if self._closed:
            return
        try:
            shard_map = ShardMap(shards, self._map.ranges if self._map else None)
        except IncompleteShardMapError as error:
            logger.info("the shard map is incomplete; reading it again", extra={"hash_key": error.hash_key})
            # A split or a merge is over in a moment.
            failure = Failure("IncompleteShardMap", str(error), retryable=True)
            self._troubles.failed("ListShards", failure, now, tolerance=REPEAT)
            self._refresher.responded(now, satisfied=False)
            return
        self._troubles.worked("ListShards")
        self._adopt(shard_map)
        for record in self._elsewhere.adopt(shard_map.ranges):
            self._judge(record, now)
        self._refresher.responded(now, satisfied=not self._elsewhere)

    def _adopt(self, shard_map: ShardMap) -> None:
        """Put a new map in force: every queue is redistributed, in put order per key."""
        changed = self._map is None or not self._map.same_shards_open(shard_map)
        self._map = shard_map
        if not changed:
            return
        waiting, self._unmapped = self._unmapped, []
        if self._slots is not None:
            waiting = self._slots.queued()
        self._slots = SlotTable(shard_map, self._slots_per_shard, self._aggregator)
        self._slots.extend(waiting)
        for record in self._outstanding():
            self._slots.occupy(record)
        shard_ids = {shard.shard_id for shard in shard_map.open}
        self._departures.begin_anew(shard_ids)
        self._troubles.keep_shards(shard_ids)
        self._departures.consider_all(self._slots)
        logger.info("new shard map", extra={"open_shards": len(shard_map.open)})

    def _map_failed(self, failure: Failure, now: float) -> None:
        self._refresher.responded(now, satisfied=False)
        if self._closed:
            return
        self._troubles.failed("ListShards", failure, now)
        if failure.retryable:
            return
        reason = f"the shards cannot be listed, {failure}"
        unmapped, self._unmapped = self._unmapped, []
        self._give_up(unmapped, (), reason, now)
        for record in self._elsewhere.take_all():
            self._give_up(record.user_records, self._release(record), reason, now)

    def _outstanding(self) -> Iterable[KinesisRecord]:
        for entries in self._requests.values():
            yield from entries
        yield from self._elsewhere

    # --- deadlines ---

    def _expire(self, now: float) -> None:
        """Give up what has waited for too long; what is under way is looked at when it comes back."""
        put_before = self._deadlines.put_before(now)
        if put_before is None:
            return
        expired = [record for record in self._unmapped if record.arrival.put_at <= put_before]
        self._unmapped = [record for record in self._unmapped if record.arrival.put_at > put_before]
        for slot in self._slots or ():
            expired += slot.take_out(lambda record: record.arrival.put_at <= put_before)
        reason = self._troubles.named_in(f"not acknowledged within {self._config.delivery_timeout} s")
        self._outcomes.reject(expired, reason, now, expired=True)
        for record in self._elsewhere.take_expired(put_before):
            self._release(record)
            self._outcomes.reject(record.user_records, reason, now, expired=True)
        self._deadlines.looked(now, self._oldest_put())

    def _oldest_put(self) -> float:
        waiting = [self._unmapped, *(slot.user_records() for slot in self._slots or ())]
        puts = [record.arrival.put_at for records in waiting for record in records]
        return min(min(puts, default=inf), self._elsewhere.oldest_put())

    # --- time and the end ---

    def _plan_wake(self) -> None:
        times = [self._departures.next_alarm, self._deadlines.next]
        if self._wants_map() and not self._refresher.reading:
            times.append(self._refresher.not_before)
        first = min(times)
        if first < inf:
            self._commands.append(WakeAt(first))

    def _close(self, now: float) -> None:
        if self._closed:
            return
        self._closed = True
        waiting = [user for record in self._outstanding() for user in record.user_records]
        waiting += self._slots.queued() if self._slots is not None else self._unmapped
        reason = self._troubles.named_in("the producer was closed before Kinesis acknowledged it")
        self._outcomes.reject(waiting, reason, now, unsent=True)
        self._elsewhere.take_all()
        self._requests, self._unmapped, self._slots = {}, [], None
