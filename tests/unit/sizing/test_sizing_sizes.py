"""Sizes of records: large ones, of which few fill a shard's second, are told apart finely."""

from math import log, sqrt
from statistics import NormalDist

import numpy as np
import pytest

from shard_sizing.model.workload.sizes import LARGE, MOST_ATOMS, SizeCounter, lognormal_sizes

MIB = 2**20


@pytest.mark.parametrize(("mean", "cv"), [(2_000, 3.8), (5_000, 2.0), (20_000, 1.0), (300_000, 1.0)])
def test_the_histogram_of_a_lognormal_law_has_its_large_records(mean: float, cv: float) -> None:
    """As many records nearly fill a second as by the law itself: on them the promise depends."""
    sigma = sqrt(log(1 + cv * cv))
    normal = NormalDist(log(mean) - sigma**2 / 2, sigma)
    sizes = lognormal_sizes(mean, cv, 10 * MIB)
    for low, high in ((LARGE * 4, LARGE * 8), (LARGE * 8, MIB)):
        true = normal.cdf(log(high)) - normal.cdf(log(low))
        found = sum(share for size, share in sizes.atoms if low <= size < high)
        assert found == pytest.approx(true, rel=0.02, abs=1e-9)
    assert sizes.mean == pytest.approx(mean, rel=0.01)
    assert sum(share for _, share in sizes.atoms) == pytest.approx(1)


def test_counted_sizes_keep_large_records_apart() -> None:
    """However many small sizes there are, two large ones that differ by a twentieth are two."""
    counter = SizeCounter()
    counter.add(np.arange(1, LARGE, 7))
    counter.add(np.array([880_000, 930_000, 990_000]))
    atoms = counter.sizes().atoms
    large = [size for size, _ in atoms if size >= LARGE]
    assert large == pytest.approx([880_000, 930_000, 990_000])
    assert len(atoms) - len(large) <= MOST_ATOMS
