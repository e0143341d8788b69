"""The points of the property grid."""

from collections.abc import Iterator

from differential.sizing.grid import Point
from differential.sizing.packing import Producers
from differential.sizing.shard import MIB
from differential.sizing.traffic import Traffic


def points() -> Iterator[Point]:
    """Yield each workload: skews, few keys, bursts, sizes, and producers that aggregate."""
    for zipf, rate in ((0, 3_000), (0.5, 3_000), (0.8, 3_000), (1.0, 3_000), (1.1, 2_000), (1.2, 1_500)):
        yield Point(Traffic(rate, zipf=zipf))
    yield Point(Traffic(1_000, zipf=1.4))
    for cv in (0.25, 0.5, 1.0):
        yield Point(Traffic(2_000, burst_cv=cv))
        yield Point(Traffic(1_000, zipf=0.8, burst_cv=cv))
    yield Point(Traffic(2_000, zipf=1.1, burst_cv=0.25))
    for keys, rate in ((3, 2_000), (20, 5_000)):
        yield Point(Traffic(rate, keys))
        yield Point(Traffic(rate / 2, keys, burst_cv=0.25))
    yield Point(Traffic(3_000, bytes=20))
    for size in (5_000, 20_000, 50_000, 200_000):
        yield Point(Traffic(3e6 / size, bytes=size))
    for size in (MIB, 4 * MIB, 10 * MIB):
        yield Point(Traffic(2e5 / size, bytes=size))
    for size, cv in ((2_000, 1.0), (5_000, 2.0), (20_000, 1.0), (2_000, 3.8)):
        yield Point(Traffic(2.5e6 / size, bytes=size, bytes_cv=cv))
    yield Point(Traffic(1_000, zipf=0.8, bytes=2_000, bytes_cv=1.0, burst_cv=0.25))
    yield Point(Traffic(3_000, bytes=106), Producers(12, 0.0, 0.015))
    yield Point(Traffic(3_000, bytes=106), Producers(40, 0.1, 0.015))
    yield Point(Traffic(4_000, zipf=0.8), Producers(20, 0.1, 0.015))
    yield Point(Traffic(2_000, zipf=1.1, burst_cv=0.25), Producers(20, 0.1, 0.015))
