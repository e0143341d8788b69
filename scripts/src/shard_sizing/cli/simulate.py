"""``shard-sizing simulate``."""

import click
import msgspec
import numpy as np

from shard_sizing.cli.options import Shared, shared_options, workload_options
from shard_sizing.cli.output import show_json, show_table
from shard_sizing.cli.plots import plot_bars
from shard_sizing.model.placement import key_names, positions, uniform_loads
from shard_sizing.model.profile import Profile, shares
from shard_sizing.model.simulate import ENFORCEMENTS, Throttling, burst_factors, shard_capacity
from shard_sizing.model.simulate import simulate as play
from shard_sizing.model.sizing import TARGET


class Simulated(msgspec.Struct, frozen=True):
    """What a simulation says, under both readings of the limit."""

    shards: int
    results: tuple[Throttling, ...]
    schema: str = "shard-sizing/simulate/1"


@click.command()
@workload_options
@shared_options
@click.option("--shards", type=click.IntRange(1, 20_000), required=True)
@click.option("--aggregate", is_flag=True, help="Producers pack records together.")
@click.option(
    "--compress", type=click.FloatRange(0.01, 1), default=1.0, help="Compressed size over plain size."
)
@click.option(
    "--salt", type=click.IntRange(min=1), default=1, show_default=True, help="Sub-keys of every key."
)
@click.option("--seconds", type=click.IntRange(10, 100_000), default=3_000, show_default=True)
def simulate(
    profile: Profile,
    shared: Shared,
    shards: int,
    aggregate: bool,
    compress: float,
    salt: int,
    seconds: int,
) -> int:
    """Play a workload on N equal shards and count the throttled seconds."""
    limits = shared.limits
    profile = msgspec.structs.replace(profile, record_bytes=profile.record_bytes * compress)
    weights = shares(profile)
    names = key_names(profile, weights.size, 0)
    if salt > 1:
        names = [f"{name}#{i}" for name in names for i in range(salt)]
        weights = np.repeat(weights / salt, salt)
    loads = uniform_loads(positions(names), weights, shards)
    capacity, _ = shard_capacity(profile, limits, aggregate)
    results = []
    for enforcement in ENFORCEMENTS:
        rng = np.random.default_rng(shared.seed)
        bursts = burst_factors(profile.burst_cv, seconds, rng)
        results.append(play(loads, profile.rate, capacity, bursts, rng, enforcement))
    if shared.plot:
        used = sorted((100 * loads * profile.rate / capacity).tolist(), reverse=True)
        x, y = "shards, busiest first", "mean load, % of the limit"
        plot_bars(shared.plot, values=used, x=x, y=y, limit=100)
    worst = max(result.throttled_seconds for result in results)
    if shared.as_json:
        show_json(Simulated(shards, tuple(results)))
    else:
        rows = [
            (
                r.enforcement,
                f"{r.throttled_seconds:.2%}",
                f"{r.rejected_records:.3%}",
                f"{r.hottest_p999:.0%}",
            )
            for r in results
        ]
        verdict = "are enough" if worst <= TARGET else "are not enough"
        columns = ("if enforced by", "throttled seconds", "rejected records", "busiest shard at p99.9")
        show_table(f"{shards} shards {verdict}.", columns, rows, f"Limits of {limits.date}: {limits.source}")
    return 0 if worst <= TARGET else 2
