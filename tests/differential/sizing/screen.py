"""One busy shard for a long time: only the moments in which it may refuse a record are played.

How many records come in each twentieth of a second is drawn first. It bounds what a window holds and what a
bucket lacks, so most of the time is known to be safe; there no record gets a time of its own:

    twentieths   . . . . . . . . . . . . . . X . . . . .     X may refuse
    played                 |-- run-in ------>|               from a moment at which the bucket is nearly full

A bucket that is nearly full may lack a little when a stretch begins. It is taken to lack all that it can;
from the first moment at which even so nothing is lacking, the stretch is what it would be in the whole. Where
a record is refused before such a moment, the whole is played.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from differential.sizing.packing import Producers, most_packed, pack_of
from differential.sizing.shard import BYTES, RECORDS
from differential.sizing.stream import Lacking, Played, bucket_stretches, play_windows, replay_stretches
from differential.sizing.traffic import Floats, Ints

Bools = npt.NDArray[np.bool_]

SLOTS: Final = 20
"""Parts of a second."""

_RUN_IN: Final = SLOTS
_PACKED_RUN_IN: Final = 3 * SLOTS  # producers forget within some calls; a bucket then may lack more


@dataclass(frozen=True, slots=True)
class Coming:
    """What comes to a shard, by slot; times are drawn where they are asked for.

    Attributes:
        counts: Records in each slot.
        size: Bytes of each record in the order of slots, or of every one.
        moment: Where in its slot each record comes, 0 to 1; below 0 where it is not drawn yet.
        rng: Draws them.
        producers: Who packs them, if anybody does.
        producer: Which of them each record comes from; below 0 where it is not drawn yet.
    """

    counts: Ints
    size: Ints
    moment: Floats
    rng: np.random.Generator
    producers: Producers | None = None
    producer: Ints | None = None

    def volume(self) -> Floats:
        """Return the bytes in each slot."""
        if self.size.size == 1:
            volume: Floats = self.counts * float(self.size[0])
            return volume
        before = np.concatenate([[0.0], np.cumsum(self.size, dtype=np.float64)])
        after = np.cumsum(self.counts)
        by_slot: Floats = before[after] - before[after - self.counts]
        return by_slot

    def records(self, these: Bools) -> tuple[Ints, Floats, Ints]:
        """Return the stretch, the time in seconds and the size of each record in some slots."""
        stretch = np.repeat(_numbered(these), self.counts[these])
        slot = np.repeat(np.flatnonzero(these), self.counts[these])
        picked = np.flatnonzero(np.repeat(these, self.counts))
        fresh = picked[self.moment[picked] < 0]
        self.moment[fresh] = self.rng.random(fresh.size)
        at = (slot + self.moment[picked]) / SLOTS
        size = np.broadcast_to(self.size, self.moment.shape)[picked]
        if self.producers is None or self.producer is None:
            return stretch, at, size
        fresh = picked[self.producer[picked] < 0]
        self.producer[fresh] = self.rng.integers(0, self.producers.count, fresh.size)
        return pack_of(stretch, self.producer[picked], at, size, self.producers)


def coming(counts: Ints, size: Ints, rng: np.random.Generator, producers: Producers | None = None) -> Coming:
    """Return so many records in each slot, whose times are not drawn yet."""
    moment = np.full(int(counts.sum()), -1.0)
    producer = None if producers is None else np.full(moment.size, -1)
    return Coming(counts, size, moment, rng, producers, producer)


def screened_windows(these: Coming) -> Played:
    """Do as ``play_windows`` with all records."""
    suspect = np.zeros(these.counts.size // SLOTS, dtype=np.bool_)
    for weight, limit in zip(_weights(these), (RECORDS, BYTES), strict=True):
        # What came late belongs to the slots before, whose number is that of the zeros in front.
        sums = np.concatenate([np.zeros(weight.late + 1), np.cumsum(weight.slots)])
        begins = np.arange(0, these.counts.size, SLOTS)
        suspect |= sums[begins + SLOTS + weight.late] - sums[begins] + weight.extra > limit
    flagged = np.repeat(suspect, SLOTS)
    if not flagged.any():
        return Played()
    run_in = _PACKED_RUN_IN if these.producers else 0
    return play_windows(*these.records(_reached(flagged, np.ones(flagged.size, dtype=np.bool_), run_in)))


def screened_buckets(these: Coming, byte_burst: int = BYTES) -> Played:
    """Do as ``play_buckets`` with all records."""
    weights, refills, depths = _weights(these), (RECORDS, BYTES), (RECORDS, byte_burst)
    calm, flagged = np.ones(these.counts.size, dtype=np.bool_), np.zeros(these.counts.size, dtype=np.bool_)
    lacking = []
    for weight, refill, depth in zip(weights, refills, depths, strict=True):
        walk = _walk(weight.slots - refill / SLOTS)
        # All of a slot may come before its refill does, and what is late before that of later slots.
        most = walk + refill / SLOTS * (1 + weight.late) + weight.extra
        flagged |= most + weight.slots > depth
        calm &= walk == 0
        lacking.append(most)
    if not flagged.any():
        return Played()
    these_slots = _reached(flagged, calm, _PACKED_RUN_IN if these.producers else _RUN_IN)
    first = np.flatnonzero(these_slots & ~np.concatenate([[False], these_slots[:-1]]))
    found = bucket_stretches(
        *these.records(these_slots), byte_burst, Lacking(first / SLOTS, *(most[first] for most in lacking))
    )
    if found.uncertain:
        found = bucket_stretches(*these.records(np.ones(calm.size, dtype=np.bool_)), byte_burst)
    return replay_stretches(found, byte_burst)


@dataclass(frozen=True, slots=True)
class _Weight:
    """The most that counts against a limit.

    Attributes:
        slots: By slot of the user records.
        late: Slots by which it may come later.
        extra: So much more may come in any span.
    """

    slots: Floats
    late: int = 0
    extra: float = 0.0


def _weights(these: Coming) -> tuple[_Weight, _Weight]:
    """Return what counts against the limits of records and of bytes."""
    counts, volume = these.counts.astype(np.float64), these.volume()
    if these.producers is None:
        return _Weight(counts), _Weight(volume)
    most = most_packed(these.producers)
    late = int(np.ceil(most.late * SLOTS))
    records = most.rate / SLOTS + volume / most.closing
    framed = volume + counts * most.entry + records * most.frame
    extra = these.producers.count
    return _Weight(records, late, extra), _Weight(framed, late, extra * most.frame)


def _walk(steps: Floats) -> Floats:
    """Return where a walk that never falls below 0 is before each step."""
    before = np.cumsum(steps) - steps
    walk: Floats = before - np.minimum.accumulate(before)
    return walk


def _reached(flagged: Bools, calm: Bools, run_in: int) -> Bools:
    """Return the flagged slots and those that lead to each, from a calm one so many before it, at least."""
    last_calm = np.maximum.accumulate(np.where(calm, np.arange(calm.size), 0))
    these = np.flatnonzero(flagged)
    edges = np.zeros(flagged.size + 1, dtype=np.int64)
    np.add.at(edges, last_calm[np.maximum(these - run_in, 0)], 1)
    np.add.at(edges, these + 1, -1)
    reached: Bools = np.cumsum(edges[:-1]) > 0
    return reached


def _numbered(these: Bools) -> Ints:
    """Return for each chosen slot the number of its stretch of neighbours."""
    begins = these & ~np.concatenate([[False], these[:-1]])
    return (np.cumsum(begins)[these] - 1).astype(np.int64)
