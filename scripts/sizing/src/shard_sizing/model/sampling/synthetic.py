"""Events of a made-up workload: keys by the Zipf law, Poisson arrivals, one burst factor a second."""

from collections.abc import Iterator

import msgspec
import numpy as np

from shard_sizing.errors import InputError
from shard_sizing.model.law.bursts import burst_factors
from shard_sizing.model.sampling.sampler import Event
from shard_sizing.model.workload.zipf import zipf_shares


class Synthetic(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is made up.

    Attributes:
        rate: Mean events per second.
        seconds: How many seconds.
        keys: Distinct keys, named ``key-<i>``.
        bytes: Mean bytes of an event.
        zipf: Skew of the keys; 0 is even.
        burst_cv: Coefficient of variation of the rate from second to second.
        bytes_cv: The same of the sizes; 0 makes all equal.
    """

    rate: float
    seconds: int
    keys: int = 100_000
    bytes: float = 500.0
    zipf: float = 0.0
    burst_cv: float = 0.0
    bytes_cv: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what no workload can be."""
        if min(self.rate, self.seconds, self.keys, self.bytes) <= 0:
            raise InputError("synthetic workload", "rate, seconds, keys and bytes must be above 0")
        if min(self.zipf, self.burst_cv, self.bytes_cv) < 0:
            raise InputError("synthetic workload", "zipf, burst_cv and bytes_cv must not be negative")


def events(spec: Synthetic, seed: int) -> Iterator[Event]:
    """Yield a made-up workload's events, second by second."""
    rng = np.random.default_rng(seed)
    edges = np.cumsum(zipf_shares(spec.keys, spec.zipf))
    names = [f"key-{i}" for i in range(spec.keys)]
    for second, burst in enumerate(burst_factors(spec.burst_cv, spec.seconds, rng)):
        count = int(rng.poisson(spec.rate * burst))
        drawn = np.minimum(np.searchsorted(edges, rng.random(count), side="right"), spec.keys - 1)
        times = second + np.sort(rng.random(count))
        sizes = np.rint(spec.bytes * burst_factors(spec.bytes_cv, count, rng)).astype(np.int64)
        for key, at, size in zip(drawn.tolist(), times.tolist(), sizes.tolist(), strict=True):
            yield names[key], at, size
