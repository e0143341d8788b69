"""The bundled month of real orders, played record by record: each has all of its lines in one minute."""

import csv
import gzip
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final, Literal

import numpy as np

from differential.sizing.shard import hash_key
from differential.sizing.stream import Played, play_buckets, play_windows
from differential.sizing.traffic import Floats, Ints, shards_of

Reading = Literal["fixed-window", "token-bucket"]

FILE: Final = Path(__file__).parents[3] / "data/online-retail-2010-12.csv.gz"
_MINUTE: Final = 60


@dataclass(frozen=True, slots=True)
class Orders:
    """The lines of the month, in the order of their times.

    Attributes:
        key: The number of each line's order, or of what else it is keyed by.
        at: Its time in seconds, as told: in whole steps.
        size: Its bytes: the order's number and the line itself.
        step: Seconds in whose steps the times are told.
    """

    key: Ints
    at: Ints
    size: Ints
    step: int

    def write(self, path: Path) -> Path:
        """Write them as a file that ``shard-sizing sample`` reads."""
        rows = zip(self.key.tolist(), self.at.tolist(), self.size.tolist(), strict=True)
        path.write_text("key,at,size\n" + "".join(f"order-{k},{at},{size}\n" for k, at, size in rows))
        return path


def orders(column: str = "InvoiceNo", pace: int = 1) -> Orders:
    """Read the month.

    Args:
        column: What the lines are keyed by.
        pace: How many times as fast the shop is: at 60, its minutes are seconds.
    """
    with gzip.open(FILE, "rt", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    at = np.array([int(datetime.fromisoformat(f"{row['InvoiceDate']}+00:00").timestamp()) for row in rows])
    _, key = np.unique([row[column] for row in rows], return_inverse=True)
    size = np.array([len(",".join(row.values())) for row in rows])
    order = np.argsort(at, kind="stable")
    return Orders(key[order], (at[order] - at.min()) // pace, size[order], _MINUTE // pace)


def minutes_below(found: Orders, beyond: float, count: int) -> Ints:
    """Return the busiest minutes but for the share of all minutes that is beyond what is planned for."""
    records = np.bincount(found.at // _MINUTE)
    most = np.zeros(records.size)
    heaviest = np.unique(np.stack([found.at // found.step, found.key]), axis=1, return_counts=True)
    np.maximum.at(most, heaviest[0][0] * found.step // _MINUTE, heaviest[1])
    skipped = int(beyond * records.size)
    # A peak is planned for by a minute's records and by its heaviest key's: what exceeds either is beyond.
    within = np.isin(np.arange(records.size), np.argsort(-records, kind="stable")[:skipped], invert=True)
    within &= np.isin(np.arange(records.size), np.argsort(-most, kind="stable")[:skipped], invert=True)
    ranked = np.argsort(-np.where(within, records, 0), kind="stable")
    return ranked[:count]


def play_minute(
    found: Orders, minute: int, growth: int, shards: int | None, reading: Reading, rng: np.random.Generator
) -> Played:
    """Play one minute with every record sent so many times, at random within the step that is told.

    Args:
        found: The lines.
        minute: The number of the minute.
        growth: How many times as many records each key has.
        shards: Equal shards; None gives each key one of its own.
        reading: How a shard counts its second.
        rng: Draws times, and names that no other minute has.
    """
    these = np.repeat(np.flatnonzero(found.at // _MINUTE == minute), growth)
    at: Floats = found.at[these] - minute * _MINUTE + rng.random(these.size) * found.step
    keys, index = np.unique(found.key[these], return_inverse=True)
    salt = int(rng.integers(2**62))
    positions = np.array([hash_key(f"{salt}/{key}") >> 64 for key in keys.tolist()], dtype=np.uint64)
    shard = index if shards is None else shards_of(positions, shards)[index]
    return (play_windows if reading == "fixed-window" else play_buckets)(shard, at, found.size[these])
