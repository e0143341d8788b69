"""What was put, what was done with it, and the rules that no history may break."""

from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass

from fakes.engine_world.lease_rows import Row
from fakes.engine_world.stream import EPOCH, SimulatedShard, SimulatedStream
from orderstream_consumer.engines.embedded.leases.items import lease_from_item
from orderstream_consumer.engines.embedded.leases.lease import Lease
from orderstream_consumer.processing.record import DeliveredRecord, Position


class BrokenRuleError(AssertionError):
    """A history broke a rule."""


@dataclass(slots=True, eq=False)
class PutRecord:
    """A user record in a shard.

    Attributes:
        completed: Its effect is there, or it is parked.
        handled: Its effect is there.
        excused: Nobody promised to deliver it: retention took it, or it is in the wrong shard.
        wrong_shard: It is part of an aggregate in the wrong shard, which must not be delivered.
        generation: Of the stream that it was put into.
        unordered: It was put when the leases were those of a former stream. Until a worker notices that, it
            may read with them: in no order, and by the hash keys of another shard.
    """

    key: str
    body: bytes
    shard_id: str
    position: Position
    at: float
    completed: bool = False
    handled: bool = False
    excused: bool = False
    wrong_shard: bool = False
    generation: int = 0
    unordered: bool = False


class Ledger:
    """Knows what must be delivered, and watches the leases.

    Args:
        stream: The stream.
        clock: Seconds.
        failover_time: Seconds for which an owner may believe in a lease after it sent a write.
        initial_position: Where the application begins.
        begins_at: For AT_TIMESTAMP, that moment.
        fail: Called with a broken rule; an engine would swallow an exception.
    """

    def __init__(
        self,
        stream: SimulatedStream,
        clock: Callable[[], float],
        *,
        failover_time: float,
        initial_position: str,
        begins_at: float,
        fail: Callable[[BaseException], None],
    ) -> None:
        self._stream = stream
        self._clock = clock
        self._failover_time = failover_time
        self._initial_position = initial_position
        self._begins_at = begins_at
        self._fail = fail
        self.puts: dict[str, list[PutRecord]] = {}
        """By key, in the order of their puts."""
        self.by_shard: dict[str, list[PutRecord]] = {}
        self.effects: dict[str, list[bytes]] = {}
        """First occurrences, by key."""
        self._by_position: dict[tuple[str, Position], PutRecord] = {}
        self._believes_until: dict[tuple[str, str], float] = {}
        self._ended_shards: set[str] = set()
        self._lost: dict[str, list[Position]] = {}
        self._started_at: float | None = None
        self._latest_until: dict[str, float | None] = {}
        self.leases: dict[str, Lease] = {}
        self.strays: set[str] = set()
        """Keys of rows that were made for a former stream and came after the new one was adopted."""
        self.stream_replaced = False
        """Whether the leases are those of a former stream: nobody may go on with them for long."""

    # What was put

    def put(self, record: PutRecord) -> None:
        record.generation = self._stream.generation
        record.unordered = self.stream_replaced
        self._by_position[record.shard_id, record.position] = record
        self.by_shard.setdefault(record.shard_id, []).append(record)
        if record.wrong_shard:
            record.excused = True
        else:
            self.puts.setdefault(record.key, []).append(record)

    def made_anew(self) -> None:
        """The stream was deleted with all that was in it, and another one has its name."""
        for records in self.by_shard.values():
            for record in records:
                record.excused = record.excused or not record.completed
        self.stream_replaced = True
        self.by_shard = {}
        self._ended_shards.clear()
        self._lost.clear()
        self._started_at = None
        self._latest_until.clear()

    def noted(self, created_at: str) -> None:
        """The leases are said to belong to the stream that was created then."""
        if not self.stream_replaced or created_at != self._stream.created_at:
            return
        if begun := [lease for lease in self.leases.values() if lease.has_begun]:
            self.break_rule(f"the new stream is adopted with leases of the former one: {begun}")
        self.stream_replaced = False

    def trimmed(self, shard_id: str, numbers: set[int], *, in_hand: bool) -> None:
        """Retention took Kinesis records; from the hands of a worker that stood still for a day, untold."""
        for record in self.by_shard.get(shard_id, ()):
            if record.position.sequence_number in numbers and not record.completed:
                if self.must_come(record) and not in_hand:
                    self._lost.setdefault(shard_id, []).append(record.position)
                record.excused = True

    def has_lost(self, shard_id: str, after: Position, before: Position) -> bool:
        """Whether retention took, between two positions, what should have come."""
        return any(after < position < before for position in self._lost.get(shard_id, ()))

    def must_come(self, record: PutRecord) -> bool:
        """Whether the application has to deliver it."""
        if record.excused:
            return False
        if self._initial_position == "TRIM_HORIZON":
            return True
        if self._initial_position == "AT_TIMESTAMP":
            return record.at >= self._begins_at
        if self._started_at is None or record.at < self._started_at:
            return False
        if record.shard_id in self._latest_until:
            until = self._latest_until[record.shard_id]
            return until is None or record.at > until
        return True

    def outstanding(self) -> list[PutRecord]:
        """What must be delivered and is not completed."""
        return [
            record
            for records in self.by_shard.values()
            for record in records
            if not record.completed and self.must_come(record)
        ]

    # What processors do

    def believes(self, worker_id: str, shard_id: str) -> None:
        """A worker goes on with a shard now: its last write must not be older than the failover time.

        Others count from when they saw that write, which is no sooner than it was done.
        """
        until = self._believes_until.get((worker_id, shard_id), 0.0)
        if self._clock() > until + 1e-6:
            self.break_rule(
                f"{worker_id} works on {shard_id} at {self._clock():.3f}, its lease ended {until:.3f}"
            )

    def delivered(self, record: DeliveredRecord) -> None:
        """A record reached a processor."""
        put = self._find(record)
        if put is None:
            return
        if put.unordered or put.generation != self._stream.generation:
            return
        if put.wrong_shard:
            self.break_rule(f"{put} was delivered")
        for parent in self._stream.shards[put.shard_id].parents:
            if not self._is_through(parent):
                self.break_rule(f"{put} was delivered before the end of its parent {parent}")

    def done(self, record: DeliveredRecord) -> None:
        """The effect of a record is there."""
        put = self._find(record)
        if put is None:
            return
        put.completed = True
        if not put.handled:
            put.handled = True
            self.effects.setdefault(put.key, []).append(put.body)

    def parked(self, partition_key: str, position: Position) -> None:
        """A record is parked, for good until somebody redrives it.

        Who still works with the ranges of a former stream may park what another shard should have got.
        """
        for (_, at), put in self._by_position.items():
            if at == position and put.key == partition_key and (put.unordered or not put.wrong_shard):
                put.completed = True
                return
        self.break_rule(f"nobody put what is parked at {position} under {partition_key}")

    def _find(self, record: DeliveredRecord) -> PutRecord | None:
        put = self._by_position.get((record.shard_id, record.position))
        if put is None or (put.body, put.key) != (record.data, record.partition_key):
            self.break_rule(f"nobody put {record}")
            return None
        return put

    def _is_through(self, shard_id: str) -> bool:
        if shard_id in self._ended_shards:
            return True
        through = not any(
            not record.completed and self.must_come(record) for record in self.by_shard.get(shard_id, ())
        ) and all(self._is_through(parent) for parent in self._stream.shards[shard_id].parents)
        if through and self._stream.shards[shard_id].closed_at is not None:
            self._ended_shards.add(shard_id)
        return through

    # What happens to the leases

    def watch(self, row_before: Row | None, row: Row, *, late: bool = False) -> None:
        """A lease's row was written, late where the call had been given up."""
        lease = lease_from_item(row)
        if lease is None:
            return
        if self._is_stray(lease, created=row_before is None, late=late):
            return
        before = self.leases.get(lease.lease_key) if row_before is not None else None
        self.leases[lease.lease_key] = lease
        if lease.lease_owner is not None:
            held = (lease.lease_owner, lease.lease_key)
            self._believes_until[held] = self._clock() + self._failover_time
        if before is None:
            if lease.checkpoint == "LATEST" and self._started_at is None:
                begins = lease.done_until
                self._latest_until[lease.lease_key] = begins and (begins - EPOCH).total_seconds()
            self._note_start()
            self._check_progress(None, lease)
            return
        if lease.lease_owner != before.lease_owner and "checkpointOwner" in row:
            self.break_rule(f"{lease} changed hands, and KCL would still wait for its former owner")
        if lease.lease_counter != before.lease_counter + 1:
            self.break_rule(f"{lease} does not follow on {before}")
        if lease.checkpoint != before.checkpoint:
            self._check_progress(before, lease)

    def _is_stray(self, lease: Lease, *, created: bool, late: bool) -> bool:
        """Whether a lease was made for a former stream and came late: only the network is to blame."""
        if created and not self.stream_replaced and lease.stream not in (None, self._stream.identity):
            self.strays.add(lease.lease_key)
        if lease.lease_key not in self.strays:
            return False
        if not created and not late:
            self.break_rule(f"{lease} was made for a former stream, and is worked on")
        return True

    def deleted(self, lease_key: str) -> None:
        """A lease's row was deleted."""
        self.strays.discard(lease_key)
        self.leases.pop(lease_key, None)

    def is_believed(self, shard_id: str) -> bool:
        """Whether a shard's lease has an owner who may still believe in it."""
        lease = self.leases[shard_id]
        return self._clock() <= self._believes_until.get((lease.lease_owner or "", shard_id), 0.0)

    def owners(self) -> dict[str, str | None]:
        """The owners of the leases whose shards have not ended."""
        return {key: lease.lease_owner for key, lease in self.leases.items() if not lease.has_ended}

    def _note_start(self) -> None:
        """From when on LATEST promises everything: each open shard, or one that it came from, has a lease."""
        if self._started_at is not None or self.stream_replaced:
            return
        if all(self._has_lease(shard) for shard in self._stream.open_shards):
            self._started_at = self._stream.seconds()

    def _has_lease(self, shard: SimulatedShard) -> bool:
        return shard.shard_id in self.leases or any(
            self._has_lease(self._stream.shards[parent]) for parent in shard.parents
        )

    def _check_progress(self, before: Lease | None, lease: Lease) -> None:
        """No checkpoint, and no end of a shard, may be ahead of a record that is not completed."""
        if self.stream_replaced:
            return
        if lease.lease_key not in self._stream.shards:
            self.break_rule(f"{lease} is of a former stream")
            return
        before_at = None if before is None else before.position
        records = self.by_shard.get(lease.lease_key, [])
        positions = [record.position for record in records]
        first = bisect_right(positions, before_at) if before_at else 0
        if lease.has_ended:
            last = len(records)
            if self._stream.shards[lease.lease_key].closed_at is None:
                self.break_rule(f"{lease} has ended, and its shard is open")
        elif lease.position is None:
            return
        else:
            last = bisect_right(positions, lease.position)
            if last < first or (before_at is not None and lease.position < before_at):
                self.break_rule(f"{lease} is behind {before}")
            if lease.position.sequence_number < self._stream.shards[lease.lease_key].lowest:
                self.break_rule(f"{lease} is of a former stream")
        for record in records[first:last]:
            if not record.completed and self.must_come(record):
                self.break_rule(f"{lease} is ahead of {record}")

    def break_rule(self, rule: str) -> None:
        """End the history: this must not happen."""
        self._fail(BrokenRuleError(rule))

    # At the end

    def check_order(self) -> None:
        """The first effects of each key came in the order of its puts."""
        for key, records in self.puts.items():
            wanted = [
                record.body
                for record in records
                if record.handled and self.must_come(record) and not record.unordered
            ]
            promised = set(wanted)
            seen = [body for body in self.effects.get(key, ()) if body in promised]
            if seen != wanted:
                raise BrokenRuleError(f"{key} in the order {seen} instead of {wanted}")
