"""``shard-sizing simulate``."""

import click

from shard_sizing.cli.parameters.demand_options import PERCENT, demand_options
from shard_sizing.cli.parameters.given import refuse_unused
from shard_sizing.cli.parameters.help_pages import Command
from shard_sizing.cli.parameters.options import Shared, shared_options, workload_options
from shard_sizing.cli.presentation.output import counted, present
from shard_sizing.cli.presentation.peak_words import peak_words
from shard_sizing.cli.presentation.pictures import Bars
from shard_sizing.cli.presentation.progress import progress
from shard_sizing.cli.presentation.sheet import Sheet, Table
from shard_sizing.live.reshard import kinesis, open_shards
from shard_sizing.model.capacity import simulate as model
from shard_sizing.model.capacity.demand import Demand, Question
from shard_sizing.model.capacity.targeted import MOST_SHARDS
from shard_sizing.model.percent import percent
from shard_sizing.model.resharding.planner import HASH_SPACE, uniform_starts
from shard_sizing.model.workload.profile import Profile

_SHOWN = 10


@click.command(
    cls=Command, examples=("--rate 2000 --zipf 1.1 --shards 4", "live.json --stream orders --growth 2")
)
@workload_options
@demand_options
@shared_options(without=("prices",))
@click.option(
    "--shards", type=click.IntRange(1, MOST_SHARDS), help="How many shards there are, in equal ranges."
)
@click.option("--stream", help="The live stream whose shards these are.")
@PERCENT
def simulate(
    profile: Profile,
    demand: Demand,
    shared: Shared,
    shards: int | None,
    stream: str | None,
    percent: float,
) -> int:
    """Say how often given shards would throttle.

    They are equal ranges (--shards) or those of a live stream (--stream). Exit 2 if they are not enough, 3 if
    no number of shards is.
    """
    if (shards is None) == (stream is None):
        raise click.UsageError("give either --shards or --stream")
    if stream is None:
        refuse_unused("is for --stream", "region")
    limits = shared.limits
    starts = tuple(open_shards(kinesis(shared.region), stream)) if stream else uniform_starts(shards or 1)
    question = Question(profile, limits, demand)
    with progress("holding the load against the shards", model.STEPS, shown=shared.show_progress) as step:
        found = model.simulate(question, starts, percent, shared.seed, lambda: step(1))
    present(found, _sheet(found, profile.rate, f"Limits of {limits.date}: {limits.source}"), shared)
    if found.way_out:
        return 3
    return 0 if found.enough else 2


def sentence(found: model.Simulated, mean_rate: float) -> str:
    """Return the result as one plain sentence that includes the planned rate."""
    verdict = f"{'is' if found.shards == 1 else 'are'} {'enough' if found.enough else 'not enough'}"
    sure = (
        "it is known where the load lies"
        if found.exact
        else f"{'it fits' if found.shards == 1 else 'they fit'} in {percent(found.fits_in)} of "
        f"{found.placements} placements"
    )
    planned = peak_words(found.at, found.rate, mean_rate)
    if found.way_out:
        return f"For {planned}, no number of shards is enough: {found.way_out}."
    return f"For {planned}, {counted(found.shards, 'shard')} {verdict}: {sure}."


def _sheet(found: model.Simulated, mean_rate: float, source: str) -> Sheet:
    readings = Table(
        ("if enforced by", "throttled seconds", "rejected load", "busiest shard at p99.9"),
        [
            (
                r.enforcement,
                percent(r.throttled_seconds, 2),
                percent(r.rejected_records, 3),
                percent(r.hottest_p999) if r.hottest_p999 < 4 else "400 % or more",
            )
            for r in found.results
        ],
    )
    busiest = sorted(found.uses, key=lambda use: (use.p99, use.share), reverse=True)
    of = "" if found.exact else f", in a placement that is worse than {found.percent:g} % of them"
    shards = Table(
        ("begins at", "share", "used at p50", "p99", "p99.9", "read limit"),
        [
            (
                percent(int(use.start) / HASH_SPACE, 4),
                percent(use.share, 1),
                *(percent(each) for each in (use.p50, use.p99, use.p999)),
                percent(use.read_limit_used),
            )
            for use in busiest[:_SHOWN]
        ],
        f"The busiest shards, by where in the hash space they begin{of}:",
    )
    said = sentence(found, mean_rate)
    picture = Bars(
        f"{said} Load in the second at the 99th percentile.",
        [100 * use.p99 for use in busiest],
        "shards, busiest first",
        "load at p99, % of the limit",
        unit=" %",
        limit=100,
    )
    return Sheet(said, (readings, shards), source=source, picture=picture)
