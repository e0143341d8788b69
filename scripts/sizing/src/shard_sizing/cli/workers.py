"""``shard-sizing workers``."""

import dataclasses
from typing import Final

import click
import msgspec

from shard_sizing.cli.parameters.numbers import Number
from shard_sizing.cli.parameters.options import Shared, shared_options, workload_options
from shard_sizing.cli.presentation.output import counted, present
from shard_sizing.cli.presentation.peak_words import peak_words
from shard_sizing.cli.presentation.pictures import Lines
from shard_sizing.cli.presentation.sheet import Sheet, Table
from shard_sizing.errors import UnknownPriceError
from shard_sizing.model.capacity.demand import planned_peak
from shard_sizing.model.capacity.workers import (
    Architecture,
    Fleet,
    Work,
    containers_needed,
    fleet,
    lease_shares,
    monthly_cost,
)
from shard_sizing.model.data_files import RegionPrices
from shard_sizing.model.percent import percent
from shard_sizing.model.workload.keys import keys_of
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
            where one lease alone exceeds it.
        leases: Leases there are: more containers than these are idle.
        fleet: How the containers needed, or those there are, fare.
        usd_a_month: Their cost by architecture, None where the price is not known; ARM needs as many if it is
            as fast.
    """

    needed: int | None
    leases: int
    fleet: Fleet
    usd_a_month: dict[str, float | None]
    schema: str = "shard-sizing/workers/3"

    @property
    def fits(self) -> bool:
        """Whether the fleet keeps up, recovers and has a lease for each container."""
        return (
            self.needed is not None
            and self.fleet.catch_up is not None
            and self.needed <= min(self.fleet.containers, self.leases)
        )


@click.command()
@workload_options
@shared_options(without=("seed",))
@click.option(
    "--milliseconds",
    type=Number(min=0, min_open=True),
    required=True,
    help="Measured milliseconds of one core for one record.",
)
@click.option(
    "--shards", type=click.IntRange(1, 20_000), required=True, help="Open shards of the stream: its leases."
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
    "--memory-gb", type=Number(0.5, 120), default=2.0, show_default=True, help="Memory of a container."
)
@click.option(
    "--batch",
    type=click.IntRange(1, 10_000),
    default=100,
    show_default=True,
    help="Records handed over at once.",
)
@click.option(
    "--consumers",
    type=click.IntRange(1, 20),
    default=1,
    show_default=True,
    help="Applications that share the read limit of a shard; 1 with enhanced fan-out.",
)
@click.option(
    "--utilisation",
    type=Number(0.05, 0.95),
    default=0.7,
    show_default=True,
    help="Share of a container's time that is planned for.",
)
@click.option(
    "--outage-seconds",
    type=Number(min=0),
    default=3600.0,
    show_default=True,
    help="Length of an outage that is to be caught up.",
)
@click.option("--containers", type=click.IntRange(min=1), help="Containers there are: exit 2 if too few.")
@click.option("--arm-milliseconds", type=Number(min=0, min_open=True), help="The same measured on ARM.")
def workers(
    *,
    profile: Profile,
    shared: Shared,
    milliseconds: float,
    shards: int,
    at: str | None,
    lanes: int,
    cores: int,
    memory_gb: float,
    batch: int,
    consumers: int,
    utilisation: float,
    outage_seconds: float,
    containers: int | None,
    arm_milliseconds: float | None,
) -> int:
    """Find the containers that keep up, how long records wait, and how long an outage is felt."""
    name = at or ("p99.9-hour" if profile.peaks.hour else planned_peak(profile))
    rate = rate_at(profile, name)
    work = Work(
        rate=rate,
        record_bytes=profile.record_bytes,
        milliseconds=milliseconds,
        cores=cores,
        batch=batch,
        leases=shards,
        readers=consumers,
        utilisation=utilisation,
        memory_gb=memory_gb,
        lanes=lanes,
    )
    keys = keys_of(profile, clumps=[clump.lasting for clump in planned_clumps(profile, name)], rate=rate)
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
    answer = Workers(needed, shards, fleet(work, running, outage_seconds, shared.limits, shares), costs)
    counts = list(range(1, min(shards, 2 * running, _DRAWN) + 1))
    waits = [fleet(work, count, outage_seconds, shared.limits, shares).wait_p99 for count in counts]
    planned = peak_words(name, rate, profile.rate)
    sheet = _sheet(answer, planned, outage_seconds, arm_milliseconds is not None, shared.known_prices)
    picture = Lines(
        sheet.sentence,
        [float(count) for count in counts],
        {"waiting, 99 % of batches at most": waits},
        "containers",
        "seconds",
        marks={} if needed is None else {f"needed: {needed}": float(needed)},
    )
    present(answer, dataclasses.replace(sheet, picture=picture), shared)
    return 0 if answer.fits else 2


def _known(work: Work, containers: int, prices: RegionPrices, architecture: Architecture) -> float | None:
    try:
        return monthly_cost(work, containers, prices, architecture)
    except UnknownPriceError:
        return None


def _usd(cost: float | None) -> str:
    return "price not known" if cost is None else f"{cost:,.2f}"


def sentence(answer: Workers, planned: str) -> str:
    """Return the answer as one plain sentence, the planned rate in it."""
    found = answer.fleet
    if answer.needed is None:
        return (
            f"For {planned}, no fleet keeps the planned utilisation: the hottest lease alone keeps "
            f"{percent(found.hottest_lease)} of its cores busy; spend less time on a record, give a lease "
            "more lanes and cores, add shards, or spread the heaviest key."
        )
    if max(found.utilisation, found.hottest_lease) >= 1:
        running = counted(found.containers, "container")
        return f"For {planned}, {running} will fall further and further behind; {answer.needed} are needed."
    needed, leases = counted(answer.needed, "container"), counted(answer.leases, "lease")
    return f"For {planned}, you need {needed} for {leases}."


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
        ("containers", str(found.containers)),
        ("idle for want of a lease", str(found.idle)),
        ("utilisation of the fullest", percent(found.utilisation)),
        ("utilisation of the hottest lease", percent(found.hottest_lease)),
        ("waiting, 99 % of batches at most", waits),
        (f"catch-up after {outage / 60:,.0f} min of outage", back),
        ("Fargate x86, USD a month", _usd(answer.usd_a_month["x86"])),
        (f"Fargate {arm}, USD a month", _usd(answer.usd_a_month["arm"])),
    ]
    notes = [_MODEL]
    if found.idle:
        idle = f"Idle: {found.idle} of {found.containers} containers hold no lease and only cost money."
        notes.insert(0, idle)
    source = prices.cited(("fargate_",)) if prices.figures else ""
    return Sheet(sentence(answer, planned), (Table(("", "this fleet"), rows),), notes, source)
