"""The heaviest keys of a stream in bounded memory, by records and by bytes, with errors that are known.

Space-Saving (Metwally, Agrawal and El Abbadi, 2005), a batch at a time::

    batch ──> table ──over capacity + slack──> the heaviest stay, by records or by bytes ──> table
                                          └──> the heaviest that leave set the floor of later newcomers

A key that comes (back) into the table may have had as much before as the heaviest key that ever left: this
is its over-count. What was counted since is certain.
"""

from collections import defaultdict
from collections.abc import Sequence
from itertools import islice
from typing import Final, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

By = Literal["records", "bytes"]
_ROW: Final[dict[By, int]] = {"records": 0, "bytes": 1}
SLACK: Final = 100_000
"""Keys beyond the capacity that are held before the lightest leave; many leave at once, which is fast."""


class HeavyKey(NamedTuple):
    """One key.

    Attributes:
        key: Its name.
        records: Records counted for certain.
        bytes: Bytes counted for certain.
        error: How many more records, or bytes, it may have.
    """

    key: str
    records: float
    bytes: float
    error: float


class HeavyKeys:
    """Counts keys; beyond its capacity the lightest leave.

    Every key with more than 1/capacity of all records, or bytes, is held, and a key's error is at most that.

    Args:
        capacity: Keys kept by records, and as many by bytes.
        slack: Keys held beyond these until the lightest leave.
    """

    def __init__(self, capacity: int = 20_000, slack: int = SLACK) -> None:
        self._capacity = capacity
        self._slack = slack
        self._ids: defaultdict[str, int] = defaultdict()
        self._ids.default_factory = self._ids.__len__
        self._counts = np.zeros((2, 0))
        self._errors = np.zeros((2, 0))
        self._floor = np.zeros(2)

    @property
    def exact(self) -> bool:
        """Whether every key was held all the time, so that no count has an error."""
        return not self._floor.any()

    def __len__(self) -> int:
        return len(self._ids)

    def floor(self, by: By) -> float:
        """Return the most records, or bytes, that a key has which is not held."""
        return float(self._floor[_ROW[by]])

    def add(self, keys: Sequence[str], sizes: npt.NDArray[np.int64]) -> list[str]:
        """Count records by key and size; return the keys that were not in the table."""
        before = len(self._ids)
        ids = np.fromiter(map(self._ids.__getitem__, keys), dtype=np.int64, count=len(keys))
        held = len(self._ids)
        newcomers = list(islice(self._ids, before, None))
        if newcomers:
            self._counts = np.pad(self._counts, ((0, 0), (0, held - before)))
            floors = np.repeat(self._floor[:, None], held - before, axis=1)
            self._errors = np.concatenate([self._errors, floors], axis=1)
        self._counts[0] += np.bincount(ids, minlength=held)
        self._counts[1] += np.bincount(ids, weights=sizes, minlength=held)
        if held > self._capacity + self._slack:
            self._evict()
        return newcomers

    def top(self, by: By, most: int, error: float = np.inf) -> list[HeavyKey]:
        """Return the heaviest keys, heaviest first; those seen first go first among equals.

        Args:
            by: What counts.
            most: How many at most.
            error: Leave keys out whose error is over this share of their count with the error.
        """
        row = _ROW[by]
        counts, errors = self._counts[row], self._errors[row]
        chosen = np.flatnonzero(errors <= error * (counts + errors))
        order = chosen[np.argsort(-counts[chosen], kind="stable")][:most]
        names = list(self._ids)
        found = (names[i] for i in order.tolist())
        columns = (column.tolist() for column in (*self._counts[:, order], errors[order]))
        return [HeavyKey(*each) for each in zip(found, *columns, strict=True)]

    def _evict(self) -> None:
        most = self._counts + self._errors
        keep = np.zeros(most.shape[1], dtype=np.bool_)
        for row in most:
            keep[np.argpartition(row, -self._capacity)[-self._capacity :]] = True
        self._floor = np.maximum(self._floor, most[:, ~keep].max(axis=1, initial=0.0))
        names = [name for name, kept in zip(self._ids, keep.tolist(), strict=True) if kept]
        self._ids.clear()
        self._ids.update(zip(names, range(len(names)), strict=True))
        self._counts, self._errors = self._counts[:, keep], self._errors[:, keep]
