"""``shard-sizing size``."""

from collections.abc import Iterator
from typing import Final

import click

from shard_sizing.cli.parameters.demand_options import PERCENT, demand_options
from shard_sizing.cli.parameters.help_pages import Command
from shard_sizing.cli.parameters.options import Shared, shared_options, workload_options
from shard_sizing.cli.presentation.output import counted, present
from shard_sizing.cli.presentation.peak_words import peak_words
from shard_sizing.cli.presentation.pictures import Bars
from shard_sizing.cli.presentation.progress import progress
from shard_sizing.cli.presentation.reader_words import reader_words
from shard_sizing.cli.presentation.sheet import Sheet, Table
from shard_sizing.model.capacity import sizing
from shard_sizing.model.capacity.demand import Demand
from shard_sizing.model.percent import percent
from shard_sizing.model.workload.profile import Profile

_FAR: Final = 10.0  # times the planned rate: a ceiling beyond is not worth reporting


@click.command(
    cls=Command,
    examples=(
        "profile.json",
        "profile.json --growth 10 --growth-by more-keys",
        "--rate 5000 --peak 12000 --zipf 1.1 --burst-cv 0.25",
    ),
)
@workload_options
@demand_options
@shared_options(without=("prices",))
@PERCENT
@click.option(
    "--shards", type=click.IntRange(min=1), help="How many shards there are: exit 2 if more are needed."
)
def size(profile: Profile, demand: Demand, shared: Shared, percent: float, shards: int | None) -> int:
    """Find the number of shards that a workload needs.

    The workload is a PROFILE that sample or measure wrote, or made up (--rate). Exit 2 if there are too few
    (--shards), 3 if no number of shards is enough.
    """
    limits = shared.limits
    with progress("placing keys on shards", sizing.STEPS, shown=shared.show_progress) as step:
        found = sizing.size(
            profile, limits, demand, percent=percent, seed=shared.seed, progress=lambda: step(1)
        )
    source = f"Limits of {limits.date}: {limits.source}. AWS does not say how they are enforced: a range."
    notes = [*_over_quota(found.shards or 0, limits.quota(shared.region), shared.region), *_notes(found)]
    tables = (_table(found),) if any(need.shards for need in found.needs) else ()
    present(found, Sheet(sentence(found), tables, notes, source, _picture(found)), shared)
    if found.shards is None:
        return 3
    return 2 if shards is not None and shards < found.shards else 0


def sentence(found: sizing.Sizing) -> str:
    """Return the result as one plain sentence that includes the planned rate."""
    planned = peak_words(found.at, found.rate, found.mean_rate)
    if found.shards is None:
        return f"For {planned}, no number of shards is enough{_by_one_reading(found)}: {found.way_out}."
    if found.shards == 1:
        return f"For {planned}, you need 1 shard; it takes all keys, wherever they lie."
    sure = (
        "exactly: it is known where the whole load lies"
        if found.exact
        else f"which fit in {found.percent:g} % of placements"
    )
    answer = f"For {planned}, you need {counted(found.shards, 'shard')}, {sure}"
    naive = found.at_naive
    if naive is None or found.shards <= found.naive:
        return f"{answer}."
    return (
        f"{answer}; {found.naive:,} by the usual formula would throttle in "
        f"{percent(naive.throttled_seconds, 1)} of seconds"
        + ("." if found.exact else f" and fit in {percent(naive.fits_in)} of placements.")
    )


def _by_one_reading(found: sizing.Sizing) -> str:
    """Say by which reading of the limits none is, where another one has a number."""
    wanted = [need for need in found.needs if need.percent == found.percent]
    words = {need.enforcement: f"a {need.enforcement.replace('-', ' ')}" for need in wanted}
    never = " or ".join(words[need.enforcement] for need in wanted if need.shards is None)
    enough = ", ".join(f"{words[need.enforcement]} needs {need.shards:,}" for need in wanted if need.shards)
    return f" if limits are enforced by {never} ({enough})" if enough else ""


def _table(found: sizing.Sizing) -> Table:
    percents = sorted({need.percent for need in found.needs})
    readings = list(dict.fromkeys(need.enforcement for need in found.needs))
    cells = {(need.enforcement, need.percent): _count(need.shards) for need in found.needs}
    shown = percents[:1] if found.exact else percents
    named = ("shards",) if found.exact else tuple(f"in {each:g} %" for each in percents)
    rows = [(reading, *(cells[reading, percent] for percent in shown)) for reading in readings]
    title = "" if found.exact else "Shards that fit in so many of the placements of the keys:"
    return Table(("if enforced by", *named), rows, title)


def _over_quota(shards: int, quota: int, region: str) -> Iterator[str]:
    if shards > quota:
        yield (
            f"{shards:,} shards are over the usual quota of {region}, {quota:,} for all streams of an "
            "account: ask AWS for more before you need them (Service Quotas)."
        )


def _notes(found: sizing.Sizing) -> list[str]:
    cut = "" if found.targeted is None else f" With ranges cut by the load: {found.targeted:,} (plan)."
    notes = [f"By the usual formula: {found.naive:,}.{cut} The limit that binds: {found.binding}."]
    if found.ceiling < _FAR * found.rate:
        notes.append(
            f"The heaviest key keeps the whole stream below {found.ceiling:,.0f} records/s, however many "
            "shards there are."
        )
    if found.at_advised:
        notes += reader_words(found.at_advised.read_limit_used)
    return [*notes, *found.notes]


def _picture(found: sizing.Sizing) -> Bars:
    counts = {"usual formula": found.naive}
    for need in found.needs:
        if need.shards and (need.percent == found.percent or not found.exact):
            counts[need.enforcement if found.exact else f"{need.enforcement}, {need.percent:g} %"] = (
                need.shards
            )
    if found.targeted is not None:
        counts["cut by the load"] = found.targeted
    below = "" if found.exact else "by how AWS enforces its limits, and the placements in which so many fit"
    return Bars(sentence(found), list(counts.values()), below, "shards", labels=tuple(counts))


def _count(shards: int | None) -> str:
    return "never enough" if shards is None else f"{shards:,}"
