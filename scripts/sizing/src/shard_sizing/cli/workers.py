"""``shard-sizing workers``."""

import dataclasses
from collections.abc import Sequence
from typing import Final

import click
import msgspec

from shard_sizing.cli.parameters.demand_options import reader_options, salt_options
from shard_sizing.cli.parameters.help_pages import Command
from shard_sizing.cli.parameters.numbers import Number
from shard_sizing.cli.parameters.options import Shared, shared_options, workload_options
from shard_sizing.cli.presentation.output import counted, present
from shard_sizing.cli.presentation.peak_words import peak_words
from shard_sizing.cli.presentation.pictures import Lines
from shard_sizing.cli.presentation.sheet import Sheet, Table
from shard_sizing.errors import UnknownPriceError
from shard_sizing.model.capacity.demand import planned_peak
from shard_sizing.model.capacity.readers import Readers
from shard_sizing.model.capacity.workers import (
    Architecture,
    Fleet,
    Work,
    containers_needed,
    fleet,
    lease_shares,
    monthly_cost,
)
from shard_sizing.model.data_files import Limits, RegionPrices
from shard_sizing.model.percent import percent
from shard_sizing.model.workload.clumps import Clump
from shard_sizing.model.workload.keys import Salt, keys_of
from shard_sizing.model.workload.peaks import PEAK_NAMES
from shard_sizing.model.workload.profile import Profile, planned_clumps, rate_at

_DRAWN: Final = 200  # containers in a plot, at most
_MODEL: Final = (
    "Waiting by Erlang's C with batches as jobs (Kleinrock 1975; Allen and Cunneen in Allen 1990). "
    "Catch-up is outage x u / (1 - u), u being the busy share of the work or of a shard's read limit, "
    "whichever is slower."
)


class Workers(msgspec.Struct, frozen=True):
    """The containers that an application needs.

    Attributes:
        needed: Containers that keep the planned utilisation in nine of ten placements of the keys; None
            where one lease or key alone exceeds it.
        leases: Leases there are: more containers than these are idle.
        fleet: How the containers needed, or those there are, fare.
        fits: Whether the fleet keeps up, recovers in time and has a lease for each container.
        way_out: Why no fleet can read the stream so, and what to do; empty where one may.
        usd_a_month: Their cost by architecture, None where the price is not known; ARM needs as many if it is
            as fast.
    """

    needed: int | None
    leases: int
    fleet: Fleet
    fits: bool
    way_out: str
    usd_a_month: dict[str, float | None]
    schema: str = "shard-sizing/workers/4"


@click.command(
    cls=Command,
    examples=(
        "--rate 4000 --milliseconds 2 --shards 16 --cores 2",
        "profile.json --milliseconds 2 --shards 16 --containers 6",
    ),
)
@workload_options
@salt_options
@reader_options
@shared_options(without=("seed",))
@click.option(
    "--milliseconds",
    type=Number(min=0, min_open=True),
    required=True,
    help="Milliseconds of one core for one record, as measured.",
)
@click.option(
    "--shards",
    type=click.IntRange(1, 20_000),
    required=True,
    help="Open shards of the stream, each of which is a lease.",
)
@click.option(
    "--at",
    metavar="PEAK",
    help=f"The rate planned for: {', '.join(PEAK_NAMES)}; by default the 99.9 % hour: minutes may wait.",
)
@click.option(
    "--lanes",
    type=click.IntRange(1, 1_000),
    default=1,
    show_default=True,
    help="Keys of a lease that are worked on side by side.",
)
@click.option(
    "--cores", type=click.IntRange(1, 16), default=1, show_default=True, help="Cores of a container."
)
@click.option(
    "--memory-gb", type=Number(0.5, 120), help="GB of memory of a container; by default 2 for each core."
)
@click.option(
    "--batch",
    type=click.IntRange(1, 10_000),
    default=100,
    show_default=True,
    help="Records that are handed to the application at once.",
)
@click.option(
    "--utilisation",
    type=Number(0.05, 0.95),
    default=0.7,
    show_default=True,
    help="Share of a container's time that it may be busy.",
)
@click.option(
    "--outage-seconds",
    type=Number(min=0),
    default=3600.0,
    show_default=True,
    help="Seconds of an outage that is to be caught up.",
)
@click.option(
    "--containers",
    type=click.IntRange(min=1),
    help="How many containers there are: exit 2 if they are too few.",
)
@click.option(
    "--arm-milliseconds",
    type=Number(min=0, min_open=True),
    help="Milliseconds of one core for one record on ARM, as measured.",
)
def workers(
    *,
    profile: Profile,
    salt: Salt,
    readers: Readers,
    shared: Shared,
    milliseconds: float,
    shards: int,
    at: str | None,
    lanes: int,
    cores: int,
    memory_gb: float | None,
    batch: int,
    utilisation: float,
    outage_seconds: float,
    containers: int | None,
    arm_milliseconds: float | None,
) -> int:
    """Find the containers that an application needs.

    They keep up with the stream and catch up after an outage. Exit 2 if the containers there are do not, or
    no number of containers would.
    """
    name = at or ("p99.9-hour" if profile.peaks.hour else planned_peak(profile))
    rate = rate_at(profile, name)
    clumps = [clump.lasting for clump in planned_clumps(profile, name)]
    keys = keys_of(profile, salt, clumps, rate)
    work = Work(
        rate=rate,
        record_bytes=profile.record_bytes,
        milliseconds=milliseconds,
        cores=cores,
        batch=batch,
        leases=shards,
        readers=readers.sharing,
        utilisation=utilisation,
        memory_gb=memory_gb or 2.0 * cores,
        lanes=lanes,
        heaviest_key=_heaviest_key(profile, salt, clumps, rate),
    )
    shares = lease_shares(keys, shards, shared.seed)
    needed = containers_needed(work, shares)
    running = containers or needed or shards
    on_arm = msgspec.structs.replace(work, milliseconds=arm_milliseconds or milliseconds)
    costs = {
        "x86": _known(work, running, shared.known_prices, "x86"),
        "arm": _known(
            on_arm, containers or containers_needed(on_arm, shares) or shards, shared.known_prices, "arm"
        ),
    }
    found = fleet(work, running, outage_seconds, shared.limits, shares)
    way_out = readers.refused(shared.limits)
    fits = (
        not way_out
        and needed is not None
        and needed <= min(running, shards)
        and found.catch_up is not None
        and found.catch_up <= readers.catch_up * outage_seconds * (1 + 1e-9)
    )
    answer = Workers(needed, shards, found, fits, way_out, costs)
    counts = list(range(1, min(shards, 2 * running, _DRAWN) + 1))
    used = [fleet(work, count, outage_seconds, shared.limits, shares).utilisation for count in counts]
    planned = peak_words(name, rate, profile.rate)
    sheet = _sheet(answer, planned, outage_seconds, arm_milliseconds is not None, shared.known_prices)
    if said := _overloaded(found.hottest_records, profile.record_bytes, shared.limits):
        sheet = dataclasses.replace(sheet, notes=[said, *sheet.notes])
    picture = Lines(
        sheet.sentence,
        [float(count) for count in counts],
        {
            "the fullest container": [100 * each for each in used],
            "planned for, at most": [100 * utilisation for _ in counts],
        },
        "containers",
        "busy, % of its time",
        log=True,
        marks={} if needed is None else {f"needed: {needed}": float(needed)},
    )
    present(answer, dataclasses.replace(sheet, picture=picture), shared)
    return 0 if answer.fits else 2


def _heaviest_key(profile: Profile, salt: Salt, clumps: Sequence[Clump], rate: float) -> float:
    """Return the heaviest key's share of the records; of a measured load, a part is more than one key."""
    by_key = msgspec.structs.replace(profile, hash_load=None)
    return float(keys_of(by_key, salt, clumps, rate).apart().records.max())


def _overloaded(records: float, record_bytes: float, limits: Limits) -> str:
    """Say where a shard's producers are throttled before its consumers have anything to do."""
    if records * record_bytes > limits.bytes_per_second:
        return (
            f"The busiest shard would get {records * record_bytes / 1e6:,.2f} MB/s, and a shard takes "
            f"{limits.bytes_per_second / 1e6:g}: it throttles its producers first; shard-sizing size says "
            "how many shards it takes."
        )
    if records > limits.records_per_second:
        return (
            f"The busiest shard gets {records:,.0f} records/s: more than {limits.records_per_second:,} reach "
            "one only in aggregates."
        )
    return ""


def _known(work: Work, containers: int, prices: RegionPrices, architecture: Architecture) -> float | None:
    try:
        return monthly_cost(work, containers, prices, architecture)
    except UnknownPriceError:
        return None


def _usd(cost: float | None) -> str:
    return "price not known" if cost is None else f"{cost:,.2f}"


def sentence(answer: Workers, planned: str) -> str:
    """Return the result as one plain sentence that includes the planned rate."""
    found = answer.fleet
    if answer.way_out:
        return f"For {planned}, no fleet can read the stream so: {answer.way_out}."
    if answer.needed is None:
        return f"For {planned}, no fleet keeps the planned utilisation: {_too_hot(found)}."
    if max(found.utilisation, found.hottest_lease) >= 1:
        running = counted(found.containers, "container")
        return f"For {planned}, {running} will fall further and further behind; {answer.needed:,} are needed."
    needed, leases = counted(answer.needed, "container"), counted(answer.leases, "lease")
    if not answer.fits and answer.needed <= found.containers:
        back = "take too long to catch up" if found.catch_up else "never catch up"
        return (
            f"For {planned}, {needed} would do the work of {leases}, but {back} after an outage: readers use "
            f"{percent(found.read_limit_used)} of the busiest shard's read limit, and the work "
            f"{percent(max(found.utilisation, found.hottest_lease, found.hottest_key))} of its cores; add "
            "shards or containers, read by fan-out (--efo), or accept a longer catch-up (--catch-up)."
        )
    return f"For {planned}, you need {needed} for {leases}."


def _too_hot(found: Fleet) -> str:
    if found.hottest_key > found.hottest_lease:
        return (
            f"the heaviest key alone keeps {percent(found.hottest_key)} of a core busy, and one core at a "
            "time works on a key; spend less time on a record, or spread the key (--salt)"
        )
    return (
        f"the hottest lease alone keeps {percent(found.hottest_lease)} of its cores busy; spend less time on "
        "a record, give a lease more lanes and cores, add shards, or spread the heaviest key (--salt)"
    )


def _sheet(answer: Workers, planned: str, outage: float, arm_measured: bool, prices: RegionPrices) -> Sheet:
    found = answer.fleet
    waits = "without end" if found.wait_p99 is None else f"{found.wait_p99:,.3f} s"
    back = (
        "never"
        if found.catch_up is None
        else f"{found.catch_up / 60:,.1f} min, bound by {found.catch_up_bound}"
    )
    arm = "ARM, as measured" if arm_measured else "ARM, if as fast"
    rows = [
        ("containers", f"{found.containers:,}"),
        ("idle for want of a lease", f"{found.idle:,}"),
        ("utilisation of the fullest", percent(found.utilisation)),
        ("utilisation of the hottest lease", percent(found.hottest_lease)),
        ("one core, by the heaviest key", percent(found.hottest_key)),
        ("read limit of the busiest shard", percent(found.read_limit_used)),
        ("waiting, 99 % of batches at most", waits),
        (f"catch-up after {outage / 60:,.0f} min of outage", back),
        ("Fargate x86, USD a month", _usd(answer.usd_a_month["x86"])),
        (f"Fargate {arm}, USD a month", _usd(answer.usd_a_month["arm"])),
    ]
    notes = [_MODEL]
    if found.idle:
        idle = f"Idle: {found.idle:,} of {found.containers:,} containers hold no lease and only cost money."
        notes.insert(0, idle)
    source = prices.cited(("fargate_",)) if prices.figures else ""
    return Sheet(sentence(answer, planned), (Table(("", "this fleet"), rows),), notes, source)
