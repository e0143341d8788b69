"""A workload's keys as they fall on shards: known names where MD5 puts them, unknown ones anywhere.

The name of a key decides its shard. MD5 spreads names not chosen for it evenly over the hash space, so
a key whose name is not known falls on a shard with a chance that is the shard's part of the space. So does a
key that does not come again, such as an order's number, and the key of a clump, which is another one at each
peak. A *placement* is one such fall of all unknown keys; where every key is known, or the load was measured
by its position, there is one.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np

from orderstream.producer.salting import sub_key
from shard_sizing.model.workload.clumps import Clump
from shard_sizing.model.workload.peaks import Floats
from shard_sizing.model.workload.placement import placed, positions
from shard_sizing.model.workload.profile import Profile
from shard_sizing.model.workload.shares import Counts, byte_shares, key_counts, record_shares

_SINGLE: Final = 128  # unknown keys, the heaviest, that are placed one by one with their own weight
_ALIKE: Final = 1.2  # the heaviest of a group over the lightest
_ALL: Final = 4  # columns of shares
_MANY, _FEW_EACH = 2_000, 30  # shards, and keys for each, where drawing key by key is the faster way
_BLOCK: Final = 100_000  # unknown keys times placements that are drawn at once
_SAME_SIZES: Final = 1.25  # key by key, that far from the mean, sizes are taken as of one law


@dataclass(frozen=True, slots=True)
class Loads:
    """Each shard's share of the stream, by placement: arrays of placements x shards.

    Attributes:
        records: Of the records.
        bytes: Of the bytes.
        scale: The size of a shard's records over the stream's, as its bytes see them; None where alike.
        times: How many shards of such a load there are, if not one.
        read: Of the bytes over a whole interval of the peak, which readers have time for; None where no key
            comes in clumps that are shorter, and it is as ``bytes``.
    """

    records: Floats
    bytes: Floats
    scale: Floats | None
    times: Floats | None = None
    read: Floats | None = None

    def placement(self, number: int) -> "Loads":
        """Return one of the placements by itself."""
        rows = slice(number, number + 1)
        scale, read = (None if column is None else column[rows] for column in (self.scale, self.read))
        return Loads(self.records[rows], self.bytes[rows], scale, read=read)


@dataclass(frozen=True)
class Keys:
    """The keys, or groups of keys that weigh the same.

    Attributes:
        locate: Finds where those lie whose position is known; see ``positions``.
        placed: Their shares, in columns: records, bytes, bytes times the mean size, and bytes to be read.
        counts: How many keys each group of unknown ones holds.
        each: The shares of one key of each group, in the same columns.
    """

    locate: Callable[[], Floats]
    placed: Floats
    counts: Sequence[int]
    each: Floats

    @cached_property
    def positions(self) -> Floats:
        """Where those lie whose position is known, 0 to 1; their names, up to a million, are hashed here."""
        return self.locate()

    @property
    def exact(self) -> bool:
        """Whether every position is known, so that there is one placement."""
        return not self.counts

    @property
    def known(self) -> float:
        """The share of the records whose position is known, 0 to 1."""
        placed = float(self.placed[:, 0].sum())
        return placed / (placed + float(np.array(self.counts, dtype=np.float64) @ self.each[:, 0]))

    @cached_property
    def numbers(self) -> Floats:
        """How many keys each entry of ``apart`` stands for; whole numbers."""
        return np.concatenate([np.ones(self.placed.shape[0]), np.array(self.counts, dtype=np.float64)])

    @property
    def number(self) -> int:
        """How many keys there are."""
        return int(self.numbers.sum())

    def apart(self) -> Loads:
        """Return the loads if each key had a shard of its own: the least that any number of shards can do."""
        shares = np.concatenate([self.placed, self.each])
        read = shares[None, :, 3] if self.columns == _ALL else None
        return Loads(
            shares[None, :, 0],
            shares[None, :, 1],
            scales_of(shares, self.lump)[None, :],
            self.numbers[None, :],
            read,
        )

    @cached_property
    def scales(self) -> tuple[float, float]:
        """Return the least and the largest mean size of a key's records, over the stream's."""
        scales = scales_of(np.concatenate([self.placed, self.each]), self.lump)
        low, high = float(scales.min()), float(scales.max())
        return (1.0, 1.0) if low >= 1 / _SAME_SIZES and high <= _SAME_SIZES else (low, high)

    @cached_property
    def columns(self) -> int:
        """How many columns differ: one if records and bytes weigh the same, two if sizes are of one law.

        All of them do where a key's clump is shorter than the interval that is planned for.
        """
        shares = np.concatenate([self.placed, self.each])
        if not np.array_equal(shares[:, 1], shares[:, 3]):
            return _ALL
        if np.allclose(shares[:, 0], shares[:, 1], rtol=1e-9):
            return 1
        return 2 if self.scales == (1.0, 1.0) else 3

    @property
    def lump(self) -> float:
        """The size of the record that a mean byte is in, over the mean size."""
        totals = self.placed.sum(axis=0) + np.array(self.counts, dtype=np.float64) @ self.each
        return float(totals[2] / totals[1])


@dataclass(frozen=True, slots=True)
class Salt:
    """Which keys are spread, and over how many sub-keys each.

    Attributes:
        ways: Sub-keys of a key, 1 to 1,000; 1 spreads none.
        names: The keys; where empty, the ``heaviest`` are meant.
        heaviest: So many of the heaviest keys.
    """

    ways: int = 1
    names: tuple[str, ...] = ()
    heaviest: int = 1


def keys_of(profile: Profile, salt: Salt = Salt(), clumps: Sequence[Clump] = (), rate: float = 1.0) -> Keys:
    """Return the keys of a workload.

    Args:
        profile: The workload.
        salt: Which of them are spread.
        clumps: What its heaviest keys bring at the peak that is planned for, beyond their shares of it.
        rate: Records a second of that peak.
    """
    own, rest = _clump_columns(profile, clumps, rate)
    growth = profile.key_growth
    if profile.hash_load is not None and salt.ways == 1:
        known_positions, records = placed(profile, profile.hash_load, "records")
        _, volume = placed(profile, profile.hash_load, "bytes")
        known = _columns(records, volume, profile) * rest
        others = _columns(record_shares(profile), byte_shares(profile), profile) * rest
        groups = [
            *_groups(own, _ones(own)),
            *(_newcomers(others, key_counts(profile), growth) if growth > 1 else ()),
        ]
        return Keys(lambda: known_positions, known / growth, *_grouped(groups))
    shares = _columns(record_shares(profile), byte_shares(profile), profile) * rest
    counts = key_counts(profile)
    newcomers = _newcomers(shares, counts, growth) if growth > 1 else []
    shares, counts = np.concatenate([shares / growth, own]), np.concatenate([counts, _ones(own)])
    names = [known.key if known.recurs else None for known in profile.known_keys()]
    names += [None] * (shares.shape[0] - len(names))
    chosen = _salted(names, shares, salt)
    named = np.array([name is not None for name in names])
    times = np.array([salt.ways if i in chosen else 1 for i in np.flatnonzero(named)], dtype=np.int64)
    unnamed = np.array(sorted(i for i in chosen if not named[i]), dtype=np.int64)
    spread = _groups(shares[unnamed], counts[unnamed])
    groups = [(count * salt.ways, each / salt.ways) for count, each in spread]
    others = ~named
    others[unnamed] = False
    groups += _groups(shares[others], counts[others]) + newcomers
    return Keys(
        lambda: positions(_sub_names(names, chosen, salt.ways)),
        np.repeat(shares[named] / times[:, None], times, axis=0),
        *_grouped(groups),
    )


def fall(keys: Keys, shards: int | Floats, placements: int, rng: np.random.Generator) -> Loads:
    """Let the keys fall on shards.

    Args:
        keys: The keys.
        shards: How many equal ranges, or the edges of the ranges from 0 to 1.
        placements: How often.
        rng: Seeded randomness.
    """
    edges = np.arange(shards + 1) / shards if isinstance(shards, int) else shards
    count = edges.size - 1
    columns = keys.columns
    at = np.clip(np.searchsorted(edges, keys.positions, side="right") - 1, 0, count - 1)
    fixed = np.stack([np.bincount(at, keys.placed[:, column], count) for column in range(columns)])
    loads = np.repeat(fixed.astype(np.float64)[:, None, :], placements, axis=1)
    counts = np.array(keys.counts, dtype=np.int64)
    large = counts > 3 * count
    width = np.diff(edges) / edges[-1]
    for number, each in zip(counts[large].tolist(), keys.each[large], strict=True):
        if isinstance(shards, int) and count >= _MANY and number < _FEW_EACH * count:
            held = np.stack(
                [np.bincount(rng.integers(0, count, number), minlength=count) for _ in range(placements)]
            )
        else:
            held = rng.multinomial(number, width, size=placements)
        loads += held[None, :, :] * each[:columns, None, None]
    single = np.repeat(keys.each[~large, :columns].T, counts[~large], axis=1)
    number = single.shape[1]
    # In blocks that a cache holds: 100,000 keys on 200 placements are 20 million draws.
    rows = max(1, _BLOCK // max(1, number))
    for first in range(0, placements if number else 0, rows):
        block = slice(first, min(first + rows, placements))
        drawn = rng.random((block.stop - first, number))
        index = (drawn * shards).astype(np.int64) if isinstance(shards, int) else _shard_of(drawn, edges)
        flat = (index + np.arange(block.stop - first)[:, None] * count).ravel()
        for column in range(columns):
            weights = np.tile(single[column], block.stop - first)
            drawn_loads = np.bincount(flat, weights, (block.stop - first) * count)
            loads[column, block] += drawn_loads.reshape(-1, count)
    scale = scales_of(np.moveaxis(loads, 0, -1), keys.lump) if columns >= 3 else None
    read = loads[3] if columns == _ALL else None
    records = loads[0]
    # Where both weigh the same they are one array, which is then counted once.
    return Loads(records, records if columns == 1 else loads[1], scale, read=read)


def _shard_of(drawn: Floats, edges: Floats) -> Counts:
    """Return in which range each position lies, as a search says; where ranges are equal none is made."""
    count = edges.size - 1
    if np.abs(edges * count - np.arange(count + 1)).max() > 1e-6:
        return np.searchsorted(edges, drawn, side="right").astype(np.int64) - 1
    near = np.minimum((drawn * count).astype(np.int64), count - 1)
    # Rounding may put a position next to an edge on its other side.
    found: Counts = near - (drawn < edges[near]) + (drawn >= edges[near + 1])
    return found


def scales_of(shares: Floats, lump: float) -> Floats:
    """Return the size that a byte's record has, over the stream's; 1 where there is nothing."""
    volume = shares[..., 1]
    scales: Floats = np.divide(shares[..., 2], volume * lump, out=np.ones(volume.shape), where=volume > 0)
    return scales


def _columns(records: Floats, volume: Floats, profile: Profile) -> Floats:
    sizes = [size for size, _ in profile.sizes]
    least, most = min(sizes) / profile.record_bytes, max(sizes) / profile.record_bytes
    size = np.clip(np.divide(volume, records, out=np.ones(volume.size), where=records > 0), least, most)
    return np.stack([records, volume, volume * size, volume], axis=1)


def _clump_columns(profile: Profile, clumps: Sequence[Clump], rate: float) -> tuple[Floats, Floats]:
    """Return the shares that clumps have, and the part of each column that is left to all other records."""
    found = np.array([(c.records, c.bytes, c.lasting_records, c.lasting_bytes) for c in clumps]).reshape(
        -1, 4
    )
    found = np.repeat(found, [clump.keys for clump in clumps], axis=0)
    records, volume, lasting, read = (found / rate / np.array([1.0, profile.record_bytes] * 2)).T
    own = _columns(records, volume, profile)
    own[:, 3] = read
    left, unread = (max(0.0, 1.0 - float(part.sum())) for part in (lasting, read))
    return own, np.array([left, unread, unread, unread])


def _ones(shares: Floats) -> Counts:
    return np.ones(shares.shape[0], dtype=np.int64)


def _newcomers(shares: Floats, counts: Counts, growth: float) -> list[tuple[int, Floats]]:
    """Return the keys that have come to those with these shares: there are ``growth`` times as many."""
    copies = math.ceil(growth - 1)
    return [(count * copies, each * (1 - 1 / growth) / copies) for count, each in _groups(shares, counts)]


def _salted(names: Sequence[str | None], shares: Floats, salt: Salt) -> set[int]:
    if salt.ways == 1:
        return set()
    if salt.names:
        return {i for i, name in enumerate(names) if name in salt.names}
    return set(np.argsort(-shares[:, :2].max(axis=1))[: salt.heaviest].tolist())


def _sub_names(names: Sequence[str | None], chosen: set[int], ways: int) -> Iterator[str]:
    """Yield the names of known keys, and in place of a chosen one those of its sub-keys."""
    for i, name in enumerate(names):
        if name is not None and i in chosen:
            yield from (sub_key(name, number, ways) for number in range(ways))
        elif name is not None:
            yield name


def _grouped(groups: Sequence[tuple[int, Floats]]) -> tuple[tuple[int, ...], Floats]:
    return tuple(count for count, _ in groups), np.array([each for _, each in groups]).reshape(-1, _ALL)


def _groups(shares: Floats, counts: Counts) -> list[tuple[int, Floats]]:
    """Group unknown keys of nearly the same weights; the heaviest stay by themselves."""
    heaviest = shares[:, :2].max(axis=1)
    order = np.argsort(-heaviest, kind="stable")
    shares, counts, falling = shares[order], counts[order], -heaviest[order]
    lightest = falling * _ALIKE
    groups: list[tuple[int, Floats]] = []
    first = 0
    while first < shares.shape[0]:
        if first < _SINGLE and not np.array_equal(shares[first], shares[-1]):
            after = first + 1
        else:
            within = int(np.searchsorted(lightest, falling[first], side="right"))
            near = (shares[first:within, :2] * _ALIKE >= shares[first, :2]).all(axis=1)
            after = first + (int(near.argmin()) if not near.all() else near.size)
        many = counts[first:after]
        groups.append((int(many.sum()), many @ shares[first:after] / many.sum()))
        first = after
    return groups
