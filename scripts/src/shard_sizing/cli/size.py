"""``shard-sizing size``."""

import click

from shard_sizing.cli.options import Shared, shared_options, workload_options
from shard_sizing.cli.output import Sheet, Table, counted, present
from shard_sizing.cli.pictures import Bars
from shard_sizing.cli.progress import progress
from shard_sizing.model import sizing
from shard_sizing.model.profile import Profile

_NAME_SETS = 5


@click.command()
@workload_options
@shared_options(without=("prices",))
@click.option(
    "--consumers",
    type=click.IntRange(min=0),
    default=1,
    show_default=True,
    help="Applications that read the stream.",
)
@click.option("--efo", is_flag=True, help="They read by enhanced fan-out.")
@click.option("--aggregate", is_flag=True, help="Producers pack records together.")
@click.option("--shards", type=click.IntRange(min=1), help="Shards there are: exit 2 if more are needed.")
def size(
    profile: Profile, shared: Shared, consumers: int, efo: bool, aggregate: bool, shards: int | None
) -> int:
    """Find the shards a workload needs."""
    limits = shared.limits
    with progress("placing and playing sets of key names", _NAME_SETS) as step:
        found = sizing.size(
            profile,
            limits,
            seed=shared.seed,
            name_sets=_NAME_SETS,
            consumers=consumers,
            efo=efo,
            aggregate=aggregate,
            progress=lambda: step(1),
        )
    rows = [(n.enforcement, _count(n.low), _count(n.median), _count(n.high)) for n in found.needs]
    usual = f"Usual formula: {found.naive}. Binding limit: {found.binding}."
    notes = [f"{usual} The heaviest key allows {found.ceiling:,.0f} records/s on the whole stream."]
    if found.at_advised and found.shards:
        at = found.at_advised
        load = f"{at.hottest_p99:.0%} of its limit at p99, {at.hottest_p999:.0%} at p99.9"
        notes.append(f"Busiest shard at {counted(found.shards, 'shard')}: {load}.")
    source = f"Limits of {limits.date}: {limits.source}. AWS does not say how they are enforced: a range."
    table = Table(("if enforced by", "least", "median", "most"), rows)
    present(found, Sheet(sentence(found), (table,), notes, source, _picture(found)), shared)
    if found.shards is None:
        return 3
    return 2 if shards is not None and shards < found.shards else 0


def sentence(found: sizing.Sizing) -> str:
    """Return the answer as one plain sentence."""
    throttled = f"{found.at_naive.throttled_seconds:.0%} of seconds"
    if found.shards is None:
        return f"No number of shards is enough: {found.way_out}."
    if found.shards == found.naive:
        return f"You need {counted(found.shards, 'shard')}, as the usual formula says."
    if found.shards < found.naive:
        return f"You need {counted(found.shards, 'shard')}."
    return (
        f"You need {found.shards} shards; {found.naive} by the usual formula would throttle in {throttled} "
        "because keys do not spread evenly and arrivals come in bursts."
    )


def _picture(found: sizing.Sizing) -> Bars:
    counts = {"usual formula": found.naive}
    for need in found.needs:
        named = {"least": need.low, "median": need.median, "most": need.high}
        counts |= {f"{need.enforcement}, {name}": count for name, count in named.items() if count}
    return Bars(sentence(found), list(counts.values()), "", "shards", labels=tuple(counts))


def _count(shards: int | None) -> str:
    return "never enough" if shards is None else str(shards)
