"""``shard-sizing size``."""

from pathlib import Path
from typing import Any

import click

from shard_sizing.cli.options import workload, workload_options
from shard_sizing.cli.output import show_json, show_table
from shard_sizing.model import sizing
from shard_sizing.model.data_files import load_limits


@click.command()
@workload_options
@click.option("--consumers", type=click.IntRange(min=0), default=1, show_default=True)
@click.option("--efo", is_flag=True, help="They read by enhanced fan-out.")
@click.option("--aggregate", is_flag=True, help="Producers pack records together.")
@click.option("--shards", type=click.IntRange(min=1), help="Shards there are: exit 2 if more are needed.")
@click.option("--seed", type=int, default=1, show_default=True)
def size(
    limits_file: Path | None,
    as_json: bool,
    consumers: int,
    efo: bool,
    aggregate: bool,
    shards: int | None,
    seed: int,
    **figures: Any,
) -> int:
    """Find the shards a workload needs."""
    limits = load_limits(limits_file)
    found = sizing.size(
        workload(**figures), limits, seed=seed, consumers=consumers, efo=efo, aggregate=aggregate
    )
    if as_json:
        show_json(found)
    else:
        rows = [(n.enforcement, _count(n.low), _count(n.median), _count(n.high)) for n in found.needs]
        source = f"Limits of {limits.date}: {limits.source}. AWS does not say how they are enforced: a range."
        show_table(sentence(found), ("if enforced by", "least", "median", "most"), rows, source)
        click.echo(
            f"Usual formula: {found.naive}. Binding limit: {found.binding}. "
            f"The heaviest key allows {found.ceiling:,.0f} records/s on the whole stream."
        )
        if found.at_advised:
            at = found.at_advised
            load = f"{at.hottest_p99:.0%} of its limit at p99, {at.hottest_p999:.0%} at p99.9"
            click.echo(f"Busiest shard at {found.shards} shards: {load}.")
    if found.shards is None:
        return 3
    return 2 if shards is not None and shards < found.shards else 0


def sentence(found: sizing.Sizing) -> str:
    """Return the answer as one plain sentence."""
    throttled = f"{found.at_naive.throttled_seconds:.0%} of seconds"
    if found.shards is None:
        return f"No number of shards is enough: the heaviest key alone peaks over a shard; {found.way_out}."
    if found.shards == found.naive:
        return f"You need {found.shards} shards, as the usual formula says."
    if found.shards < found.naive:
        return f"You need {found.shards} shards."
    return (
        f"You need {found.shards} shards; {found.naive} by the usual formula would throttle in {throttled} "
        "because keys do not spread evenly and arrivals come in bursts."
    )


def _count(shards: int | None) -> str:
    return "never enough" if shards is None else str(shards)
