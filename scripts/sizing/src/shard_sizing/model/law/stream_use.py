"""How full the shards of one placement are, and what they reject."""

from typing import Final

import numpy as np

from shard_sizing.model.law.shard_law import COARSE, POINTS, USED, Enforcement, MeterLaw, lattice_index
from shard_sizing.model.law.stream_law import StreamLaw
from shard_sizing.model.workload.keys import Loads
from shard_sizing.model.workload.peaks import Floats

QUANTILES: Final = (0.5, 0.99, 0.999)


def rejected_share(law: StreamLaw, one: Loads, enforcement: Enforcement) -> float:
    """Return the share of the load that is rejected at the first attempt in one placement."""
    rejected = np.stack(
        [
            np.interp(lattice_index(shares, law.full), np.arange(POINTS), meter.rejected(enforcement))
            for shares, meter in _meters(law, one)
        ]
    ).max(axis=0)
    volume = one.records if law.binding == "records" else one.bytes
    return round(float(rejected @ volume[0]), 6)


def use_of_shards(law: StreamLaw, one: Loads) -> Floats:
    """Return each shard's load over the limit that is nearer, by ``QUANTILES`` of its seconds."""
    uses = []
    for rates, meter in _meters(law, one):
        each = meter.bursts("token-bucket")
        rows = meter.used.shape[0]
        at = np.clip(np.arange(rows)[:, None] + np.array(each.steps) // COARSE, 0, rows - 1)
        chances = np.einsum("k,rku->ru", each.weights, np.exp(meter.used[at]))
        found = np.stack([[_quantile(row, q) for q in QUANTILES] for row in chances])
        index = lattice_index(rates, law.full) / COARSE
        uses.append(np.stack([np.interp(index, np.arange(rows), column) for column in found.T], axis=1))
    most: Floats = np.stack(uses).max(axis=0)
    return most


def use_of_hottest(law: StreamLaw, one: Loads) -> tuple[float, float, float]:
    """Return the busiest shard's load over its limit, by ``QUANTILES`` of the seconds."""
    total: Floats | float = 0.0
    weights = np.ones(1)
    for rates, meter in _meters(law, one):
        each = meter.bursts("token-bucket")
        weights, rows = each.weights, meter.used.shape[0]
        index = lattice_index(rates, law.full) / COARSE
        low = np.minimum(index.astype(np.int64), rows - 2)
        counts = np.bincount(low, 1 - (index - low), rows) + np.bincount(low + 1, index - low, rows)
        at = np.clip(np.arange(rows)[:, None] + np.array(each.steps) // COARSE, 0, rows - 1)
        total = total + np.einsum("r,rku->ku", counts, meter.used[at])
    chances = weights @ np.exp(np.maximum(total, -700.0))
    p50, p99, p999 = (round(_quantile(chances, q), 4) for q in QUANTILES)
    return p50, p99, p999


def _meters(law: StreamLaw, one: Loads) -> list[tuple[Floats, MeterLaw]]:
    """Return each limit with the rates that count against it, by shard."""
    scale = 1.0 if one.scale is None else float((one.scale[0] * one.bytes[0]).sum() / one.bytes[0].sum())
    rate = law.traffic.rate
    return [(one.records[0] * rate, law.records), (one.bytes[0] * rate, law.by_bytes(scale))]


def _quantile(chances: Floats, wanted: float) -> float:
    """Return the use that a share of the seconds does not exceed."""
    return float(np.interp(wanted, np.maximum.accumulate(chances), USED))
