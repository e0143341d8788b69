"""``shard-sizing compare``."""

from pathlib import Path
from typing import Any

import click
import msgspec

from shard_sizing.cli.options import FILE, workload, workload_options
from shard_sizing.cli.output import show_json, show_table
from shard_sizing.model.cost import Costs, Workload, monthly, packed
from shard_sizing.model.data_files import load_limits, load_prices
from shard_sizing.model.sizing import size


class Comparison(msgspec.Struct, frozen=True):
    """Monthly USD in each mode, with records one by one and packed into aggregates of 25,000 bytes.

    Where no shard count is enough the shards are null, and the provisioned cost is that of the usual formula.
    """

    region: str
    plain: Costs
    plain_shards: int | None
    aggregated: Costs
    aggregated_shards: int | None
    schema: str = "shard-sizing/compare/1"


@click.command()
@workload_options
@click.option("--consumers", type=click.IntRange(min=0), default=1, show_default=True)
@click.option("--efo", is_flag=True)
@click.option("--retention", type=click.IntRange(24, 8_760), default=24, show_default=True, help="Hours.")
@click.option("--region", default="us-east-1", show_default=True)
@click.option("--prices", "prices_file", type=FILE, help="A price file in place of the bundled one.")
@click.option("--seed", type=int, default=1, show_default=True)
def compare(
    limits_file: Path | None,
    as_json: bool,
    consumers: int,
    efo: bool,
    retention: int,
    region: str,
    prices_file: Path | None,
    seed: int,
    **figures: Any,
) -> int:
    """Compare the monthly cost of provisioned, on-demand Standard and on-demand Advantage."""
    prices = load_prices(prices_file)
    regional = prices.region(region)
    profile, limits = workload(**figures), load_limits(limits_file)

    def cost(aggregate: bool) -> tuple[Costs, int | None]:
        found = size(
            profile, limits, seed=seed, consumers=consumers, efo=efo, aggregate=aggregate, name_sets=3
        )
        shards = found.shards or found.naive
        load = (
            packed(profile, shards, 25_000)
            if aggregate
            else Workload(profile.rate, profile.record_bytes, shards)
        )
        load = msgspec.structs.replace(load, consumers=consumers, efo=efo, retention_hours=retention)
        return monthly(load, regional), found.shards

    answer = Comparison(region, *cost(aggregate=False), *cost(aggregate=True))
    if as_json:
        show_json(answer)
        return 0
    rows = []
    for name, costs, shards in (
        ("record by record", answer.plain, answer.plain_shards),
        ("aggregated", answer.aggregated, answer.aggregated_shards),
    ):
        provisioned = f"{costs.provisioned:,.0f} ({shards} shards)" if shards else "no shard count is enough"
        rows.append((name, provisioned, f"{costs.standard:,.0f}", f"{costs.advantage:,.0f}"))
    plain = _cheapest(answer.plain, answer.plain_shards)
    saved = 1 - _cheapest(answer.aggregated, answer.aggregated_shards) / plain
    show_table(
        f"Aggregation saves {saved:.0%} of the cheapest mode's monthly cost.",
        ("producers", "provisioned USD", "on-demand Standard USD", "on-demand Advantage USD"),
        rows,
        f"Prices of {prices.date}, {region}: {prices.source}",
    )
    click.echo(
        "Advantage is bought for a whole account and Region and has a minimum. A stream changes its mode "
        "at most twice in 24 hours; Standard throttles if traffic more than doubles within 15 minutes."
    )
    return 0


def _cheapest(costs: Costs, shards: int | None) -> float:
    on_demand = min(costs.standard, costs.advantage)
    return on_demand if shards is None else min(on_demand, costs.provisioned)
