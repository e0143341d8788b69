"""``shard-sizing simulate``."""

from collections.abc import Sequence

import click
import msgspec
import numpy as np

from shard_sizing.cli.numbers import Number
from shard_sizing.cli.options import Shared, shared_options, workload_options
from shard_sizing.cli.output import Sheet, Table, counted, present
from shard_sizing.cli.pictures import Bars
from shard_sizing.live.reshard import kinesis, open_shards
from shard_sizing.model.placement import placed, range_loads, salted
from shard_sizing.model.planner import HASH_SPACE, uniform_starts
from shard_sizing.model.profile import Profile, resized
from shard_sizing.model.simulate import (
    ENFORCEMENTS,
    ShardUse,
    Throttling,
    burst_factors,
    shard_capacity,
    shard_uses,
)
from shard_sizing.model.simulate import simulate as play
from shard_sizing.model.sizing import TARGET

_SHOWN = 10


class Simulated(msgspec.Struct, frozen=True):
    """What a simulation says.

    Attributes:
        shards: How many there are.
        results: Under both readings of the limit.
        uses: Each shard by itself, in the order of their hash ranges.
    """

    shards: int
    results: tuple[Throttling, ...]
    uses: tuple[ShardUse, ...]
    schema: str = "shard-sizing/simulate/1"


@click.command()
@workload_options
@shared_options(without=("prices",))
@click.option("--shards", type=click.IntRange(1, 20_000), help="So many equal shards.")
@click.option("--stream", help="The shards of a live stream, as they are.")
@click.option("--aggregate", is_flag=True, help="Producers pack records together.")
@click.option(
    "--compress",
    type=Number(0.01, 1),
    default=1.0,
    show_default=True,
    help="Compressed size over plain size.",
)
@click.option(
    "--salt", type=click.IntRange(min=1), default=1, show_default=True, help="Sub-keys of every key."
)
@click.option(
    "--seconds",
    type=click.IntRange(10, 100_000),
    default=3_000,
    show_default=True,
    help="How many seconds are played.",
)
def simulate(
    profile: Profile,
    shared: Shared,
    shards: int | None,
    stream: str | None,
    aggregate: bool,
    compress: float,
    salt: int,
    seconds: int,
) -> int:
    """Play a workload on N equal shards, or on a live stream's, and count the throttled seconds."""
    if (shards is None) == (stream is None):
        raise click.UsageError("give either --shards or --stream")
    limits = shared.limits
    starts = tuple(open_shards(kinesis(shared.region), stream)) if stream else uniform_starts(shards or 1)
    profile = resized(profile, compress)
    capacity, binding = shard_capacity(profile, limits, aggregate)
    places, weights = placed(profile, by=binding)
    if salt > 1:
        places, weights = salted(profile, salt)
    loads = range_loads(places, weights, starts)
    results = []
    for enforcement in ENFORCEMENTS:
        rng = np.random.default_rng(shared.seed)
        bursts = burst_factors(profile.burst_cv, seconds, rng)
        results.append(play(loads, profile.rate, capacity, bursts, rng, enforcement))
    rng = np.random.default_rng(shared.seed)
    bursts = burst_factors(profile.burst_cv, seconds, rng)
    uses = shard_uses(starts, loads, profile.rate, capacity, bursts, rng)
    worst = max(result.throttled_seconds for result in results)
    sheet = _sheet(results, uses, fits=worst <= TARGET, source=f"Limits of {limits.date}: {limits.source}")
    present(Simulated(len(starts), tuple(results), uses), sheet, shared)
    return 0 if worst <= TARGET else 2


def _sheet(results: Sequence[Throttling], uses: Sequence[ShardUse], *, fits: bool, source: str) -> Sheet:
    verdict = f"{'is' if len(uses) == 1 else 'are'} {'enough' if fits else 'not enough'}"
    readings = Table(
        ("if enforced by", "throttled seconds", "rejected records", "busiest shard at p99.9"),
        [
            (
                r.enforcement,
                f"{r.throttled_seconds:.2%}",
                f"{r.rejected_records:.3%}",
                f"{r.hottest_p999:.0%}",
            )
            for r in results
        ],
    )
    busiest = sorted(uses, key=lambda use: use.p99, reverse=True)
    shards = Table(
        ("begins at", "share", "used at p50", "p99", "p99.9"),
        [
            (
                f"{int(u.start) / HASH_SPACE:.4%}",
                f"{u.share:.1%}",
                f"{u.p50:.0%}",
                f"{u.p99:.0%}",
                f"{u.p999:.0%}",
            )
            for u in busiest[:_SHOWN]
        ],
        f"The {min(_SHOWN, len(uses))} busiest of them, by where in the hash space they begin:",
    )
    picture = Bars(
        f"{counted(len(uses), 'shard')} {verdict}: load in the second at the 99th percentile.",
        [100 * use.p99 for use in busiest],
        "shards, busiest first",
        "load at p99, % of the limit",
        unit=" %",
        limit=100,
    )
    return Sheet(
        f"{counted(len(uses), 'shard')} {verdict}.", (readings, shards), source=source, picture=picture
    )
