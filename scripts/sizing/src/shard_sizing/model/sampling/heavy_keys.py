"""The heaviest keys of a stream in bounded memory, by records and by bytes, with errors that are known.

Space-Saving (Metwally, Agrawal and El Abbadi, 2005), a batch at a time::

    batch ──> table ──over six times the capacity──> the heaviest stay, by records or by bytes ──> table
                                                └──> the heaviest that leave set the errors of newcomers

A key that comes (back) into the table may have had as much before as the heaviest key that ever left: this
is its error. What was counted since is certain.

Keys whose hash is low stay too, at any weight (distinct sampling: Gibbons, 2001). They are a random
sample of all keys, counted exactly, and show how many keys there are.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from hashlib import blake2b
from itertools import islice
from typing import Final, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from shard_sizing.model.workload.peaks import Floats

By = Literal["records", "bytes"]
_ROW: Final[dict[By, int]] = {"records": 0, "bytes": 1}
_ROOM: Final = 6  # times the capacity are held before the lightest leave: many at once, which is fast


class HeavyKey(NamedTuple):
    """One key.

    Attributes:
        key: Its name.
        records: Records counted for certain.
        bytes: Bytes counted for certain.
        error: How many more records, or bytes, it may have.
        first: When it was first seen, in seconds; later than it truly was if it had left the table.
        last: When it was last seen.
    """

    key: str
    records: float
    bytes: float
    error: float
    first: float
    last: float


class CertainCounts(NamedTuple):
    """Records of keys, each of them certain.

    Attributes:
        counts: Of all keys that have ``least`` or more, or of one key in ``one_in``.
        least: The least that a key was asked to have.
        one_in: 1 where they are all.
    """

    counts: Floats
    least: float
    one_in: float


class HeavyKeys:
    """Counts keys; beyond its capacity the lightest leave.

    Every key with more than 1/capacity of all records, or bytes, is held, and a key's error is at most that.

    Args:
        capacity: Keys kept by records, and as many by bytes; up to six times as many are held between.
    """

    def __init__(self, capacity: int = 20_000) -> None:
        self._capacity = capacity
        self._ids: defaultdict[str, int] = defaultdict()
        self._ids.default_factory = self._ids.__len__
        self._counts = np.zeros((2, 0))
        self._errors = np.zeros((2, 0))
        self._seen = np.zeros((2, 0))  # first and last time
        self._floor = np.zeros(2)
        self._records = 0
        self._hashes = np.zeros(0, dtype=np.uint64)
        self._scale = 1  # one key of so many has a low hash

    @property
    def exact(self) -> bool:
        """Whether every key was held all the time, so that no count has an error."""
        return not self._floor.any()

    def __len__(self) -> int:
        return len(self._ids)

    def add(self, keys: Sequence[str], times: Floats, sizes: npt.NDArray[np.int64]) -> None:
        """Count records by key, time in seconds, and size."""
        before = len(self._ids)
        ids = np.fromiter(map(self._ids.__getitem__, keys), dtype=np.int64, count=len(keys))
        held = len(self._ids)
        if held > before:
            self._hashes = np.append(self._hashes, _hashes(islice(self._ids, before, None)))
            self._counts = np.pad(self._counts, ((0, 0), (0, held - before)))
            floors = np.repeat(self._floor[:, None], held - before, axis=1)
            self._errors = np.concatenate([self._errors, floors], axis=1)
            unseen = np.repeat([[np.inf], [-np.inf]], held - before, axis=1)
            self._seen = np.concatenate([self._seen, unseen], axis=1)
        np.minimum.at(self._seen[0], ids, times)
        np.maximum.at(self._seen[1], ids, times)
        self._records += ids.size
        self._counts[0] += np.bincount(ids, minlength=held)
        self._counts[1] += np.bincount(ids, weights=sizes, minlength=held)
        if held > _ROOM * self._capacity:
            self._evict()

    def top(self, by: By, most: int, error: float = np.inf) -> list[HeavyKey]:
        """Return the heaviest keys, heaviest first; those seen first go first among equals.

        Args:
            by: What counts.
            most: How many at most.
            error: Leave keys out whose error is over this share of their count with the error, and all that
                may be lighter than one of these: ranks are then certain too.
        """
        counts, errors = self._counts[_ROW[by]], self._errors[_ROW[by]]
        chosen = np.arange(counts.size) if np.isinf(error) else self._certain(by, error)[0]
        order = chosen[np.argsort(-counts[chosen], kind="stable")][:most]
        names = list(self._ids)
        found = (names[i] for i in order.tolist())
        columns = (
            column.tolist() for column in (*self._counts[:, order], errors[order], *self._seen[:, order])
        )
        return [HeavyKey(*each) for each in zip(found, *columns, strict=True)]

    def record_shares(self, keys: Iterable[str]) -> Floats:
        """Return the share of all records that was counted for each of some keys, 0 for those not held."""
        ids = [self._ids.get(key, -1) for key in keys]
        return np.append(self._counts[0], 0.0)[ids] / max(1, self._records)

    def moments(self) -> tuple[float, float]:
        """Return the sums of the squares and of the cubes of the shares of records."""
        shares = self._counts[0] / max(1, self._records)
        return float((shares**2).sum()), float((shares**3).sum())

    def certain_counts(self, enough: int, error: float) -> CertainCounts:
        """Return the records of all heavy keys, or of a random sample of keys where too few are certain.

        Args:
            enough: How many keys are enough.
            error: As in ``top``.
        """
        heavy, most = self._certain("records", error)
        counts = self._counts[0]
        if self.exact or heavy.size >= enough:
            return CertainCounts(counts[heavy], most + 1, 1.0)
        sampled = counts[self._sampled]
        return CertainCounts(sampled, 1.0, self.distinct() / sampled.size)

    def _certain(self, by: By, error: float) -> tuple[npt.NDArray[np.int64], float]:
        """Return the keys of small error that are heavier than all others can be, and how heavy those are."""
        counts, errors = self._counts[_ROW[by]], self._errors[_ROW[by]]
        good = errors <= error * (counts + errors)
        most = max(float(self._floor[_ROW[by]]), float((counts + errors)[~good].max(initial=0.0)))
        return np.flatnonzero(good & (counts > most)), most

    def distinct(self) -> int:
        """Return how many keys were seen: exactly while all are held, then within about a per cent."""
        return min(self._records, self._scale * int(self._sampled.sum()))

    @property
    def _sampled(self) -> npt.NDArray[np.bool_]:
        """Keys that are held from their first record on, regardless of weight, as their hash is low."""
        sampled: npt.NDArray[np.bool_] = self._hashes < 2**64 // self._scale
        return sampled

    def _evict(self) -> None:
        while self._sampled.sum() > self._capacity:
            self._scale *= 2
        most = self._counts + self._errors
        keep = self._sampled
        for row in most:
            keep[np.argpartition(row, -self._capacity)[-self._capacity :]] = True
        self._floor = np.maximum(self._floor, most[:, ~keep].max(axis=1, initial=0.0))
        names = [name for name, kept in zip(self._ids, keep.tolist(), strict=True) if kept]
        self._ids.clear()
        self._ids.update(zip(names, range(len(names)), strict=True))
        self._counts, self._errors = self._counts[:, keep], self._errors[:, keep]
        self._seen, self._hashes = self._seen[:, keep], self._hashes[keep]


def _hashes(keys: Iterable[str]) -> npt.NDArray[np.uint64]:
    digests = b"".join(blake2b(key.encode(), digest_size=8).digest() for key in keys)
    return np.frombuffer(digests, dtype="<u8").astype(np.uint64)
