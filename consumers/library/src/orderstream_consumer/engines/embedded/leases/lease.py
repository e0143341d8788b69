"""A lease: who works on a shard, and how far it is done. In KCL's terms, without any I/O.

Each change of a lease is a function from the lease to its successor, whose counter is one higher. A worker
that writes the successor does so on condition that owner, counter and checkpoint are still the predecessor's.
The counter alone would not do: a lease that is deleted and recreated counts from 0 again, and a write that
was under way all the while may come when its owner has it again, and has come as far.
"""

import datetime as dt
from typing import Final, Self

from msgspec import Struct
from msgspec.structs import replace

from orderstream.kinesis.shard import HashRange, Shard
from orderstream_consumer.processing.record import Checkpoint, Position

_ENDED: Final = "SHARD_END"


class Lease(Struct, frozen=True, kw_only=True):
    """The lease of one shard. The attributes bear the names of KCL's lease table.

    Attributes:
        lease_key: The shard's id.
        lease_owner: The worker that holds it, or None.
        lease_counter: Rises by one with each write; an owner whose counter does not move is gone.
        checkpoint: The last position that is done, or where to begin, or SHARD_END.
        owner_switches_since_checkpoint: How often it changed hands without progress.
        parent_shard_ids: The shards whose records come before this one's.
        child_shard_ids: The shards that go on from here, once this one has ended.
        hash_range: The hash keys of the shard, where known: ``startingHashKey`` and ``endingHashKey``.
        throughput_kbps: What KCL's balancing measured, in kilobytes per second; we write 0.
        done_until: Every record that arrived before this moment of Kinesis' clock is done or was not wanted
            (UTC); None where that is not known. Ours alone: KCL leaves it as it is.
        stream: The stream that it was made for; see ``StreamIdentity.text``. None if KCL made it, or a
            version that did not note it. Ours alone, as well.
    """

    lease_key: str
    lease_owner: str | None = None
    lease_counter: int = 0
    checkpoint: Checkpoint = "TRIM_HORIZON"
    owner_switches_since_checkpoint: int = 0
    parent_shard_ids: frozenset[str] = frozenset()
    child_shard_ids: frozenset[str] = frozenset()
    hash_range: HashRange | None = None
    throughput_kbps: float = 0.0
    done_until: dt.datetime | None = None
    stream: str | None = None

    @classmethod
    def of_shard(cls, shard: Shard, checkpoint: Checkpoint, done_until: dt.datetime | None = None) -> Self:
        """A new lease without an owner."""
        return cls(
            lease_key=shard.shard_id,
            checkpoint=checkpoint,
            parent_shard_ids=shard.parents,
            hash_range=shard.hash_range,
            done_until=done_until,
        )

    @property
    def version(self) -> tuple[str | None, int, Checkpoint]:
        """What a write is conditional on: with the checkpoint, none of another life of it takes it back."""
        return self.lease_owner, self.lease_counter, self.checkpoint

    def is_that_of(self, held: Self) -> bool:
        """Whether a lease, as a table has it, is the one that a worker holds, and of the same stream."""
        return self.version == held.version and self.stream in (None, held.stream)

    @property
    def has_ended(self) -> bool:
        """Whether every record of the shard is done."""
        return self.checkpoint == _ENDED

    @property
    def has_begun(self) -> bool:
        """Whether a record of the shard is done, or all are: so its parents are."""
        return self.has_ended or self.position is not None

    @property
    def position(self) -> Position | None:
        """The last position that is done, if the checkpoint is one."""
        return self.checkpoint if isinstance(self.checkpoint, Position) else None

    def renewed(self) -> Self:
        """Show that the owner is alive."""
        return replace(self, lease_counter=self.lease_counter + 1)

    def renewed_as_done_until(self, moment: dt.datetime) -> Self:
        """Show that the owner is alive, and until when all is done; that never goes back."""
        known = self.done_until
        return replace(self.renewed(), done_until=moment if known is None else max(known, moment))

    def taken_by(self, worker_id: str) -> Self:
        """Give it to a worker."""
        switches = self.owner_switches_since_checkpoint + (self.lease_owner != worker_id)
        return replace(self.renewed(), lease_owner=worker_id, owner_switches_since_checkpoint=switches)

    def released(self) -> Self:
        """Give up the ownership, so that any worker may take it."""
        return replace(self.renewed(), lease_owner=None)

    def checkpointed(self, checkpoint: Checkpoint) -> Self:
        """Note how far the shard is done; that never goes back."""
        if self.has_ended or (
            self.position is not None and isinstance(checkpoint, Position) and checkpoint < self.position
        ):
            checkpoint = self.checkpoint
        return replace(self.renewed(), checkpoint=checkpoint, owner_switches_since_checkpoint=0)

    def with_range_of(self, shard: Shard) -> Self:
        """Note the hash keys of its shard. The counter stays: this is a fact, no sign of the owner's life."""
        return replace(self, hash_range=shard.hash_range)

    def with_children(self, shard_ids: frozenset[str]) -> Self:
        """Note which shards go on from here."""
        return replace(self.renewed(), child_shard_ids=shard_ids)
