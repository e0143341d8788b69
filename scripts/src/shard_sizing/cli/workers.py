"""``shard-sizing workers``."""

from typing import Final

import click
import msgspec

from shard_sizing.cli.numbers import Number
from shard_sizing.cli.options import Shared, shared_options, workload_options
from shard_sizing.cli.output import counted, show_json, show_table
from shard_sizing.cli.plots import plot_lines
from shard_sizing.model.profile import Profile
from shard_sizing.model.workers import Fleet, Work, containers_needed, fleet, monthly_cost

_MODEL: Final = (
    "Waiting by Erlang's C with batches as jobs (Kleinrock 1975; Allen and Cunneen in Allen 1990). "
    "Catch-up is outage x u / (1 - u), u being the busy share of the work or of a shard's read limit, "
    "whichever is slower."
)


class Workers(msgspec.Struct, frozen=True):
    """The containers that an application needs.

    Attributes:
        needed: Containers that keep the planned utilisation, by their work alone.
        leases: Leases there are: more containers than these are idle.
        fleet: How the containers needed, or those there are, fare.
        usd_a_month: Their cost by architecture; ARM needs as many if it is as fast.
    """

    needed: int
    leases: int
    fleet: Fleet
    usd_a_month: dict[str, float]
    schema: str = "shard-sizing/workers/1"

    @property
    def fits(self) -> bool:
        """Whether the fleet keeps up, recovers and has a lease for each container."""
        return self.fleet.catch_up is not None and self.needed <= min(self.fleet.containers, self.leases)


@click.command()
@workload_options
@shared_options
@click.option(
    "--milliseconds",
    type=Number(min=0, min_open=True),
    required=True,
    help="Measured milliseconds of one core for one record.",
)
@click.option("--leases", type=click.IntRange(1, 20_000), required=True, help="Open shards of the stream.")
@click.option("--cores", type=click.IntRange(1, 16), default=1, show_default=True, help="Of a container.")
@click.option("--memory-gb", type=Number(0.5, 120), default=2.0, show_default=True)
@click.option("--batch", type=click.IntRange(1, 10_000), default=100, show_default=True)
@click.option("--readers", type=click.IntRange(1, 20), default=1, show_default=True, help="Sharing a shard.")
@click.option("--utilisation", type=Number(0.05, 0.95), default=0.7, show_default=True)
@click.option("--outage", type=Number(min=0), default=3600.0, show_default=True, help="Seconds.")
@click.option("--containers", type=click.IntRange(min=1), help="Containers there are: exit 2 if too few.")
@click.option("--arm-milliseconds", type=Number(min=0, min_open=True), help="The same measured on ARM.")
def workers(
    *,
    profile: Profile,
    shared: Shared,
    milliseconds: float,
    leases: int,
    cores: int,
    memory_gb: float,
    batch: int,
    readers: int,
    utilisation: float,
    outage: float,
    containers: int | None,
    arm_milliseconds: float | None,
) -> int:
    """Find the containers that keep up, how long records wait, and how long an outage is felt."""
    work = Work(
        rate=profile.rate,
        record_bytes=profile.record_bytes,
        milliseconds=milliseconds,
        cores=cores,
        batch=batch,
        leases=leases,
        readers=readers,
        utilisation=utilisation,
        memory_gb=memory_gb,
    )
    needed = containers_needed(work)
    on_arm = msgspec.structs.replace(work, milliseconds=arm_milliseconds or milliseconds)
    costs = {
        "x86": monthly_cost(work, containers or needed, shared.prices, "x86"),
        "arm": monthly_cost(on_arm, containers or containers_needed(on_arm), shared.prices, "arm"),
    }
    answer = Workers(needed, leases, fleet(work, containers or needed, outage, shared.limits), costs)
    if shared.plot:
        counts = list(range(1, max(needed, min(leases, 2 * needed)) + 1))
        waits = [fleet(work, count, outage, shared.limits).wait_p99 for count in counts]
        lines = {"waiting, p99": waits}
        plot_lines(shared.plot, at=[float(n) for n in counts], lines=lines, x="containers", y="seconds")
    if shared.as_json:
        show_json(answer)
    else:
        _show(answer, outage, arm_milliseconds is not None, shared.prices.cited())
    return 0 if answer.fits else 2


def _show(answer: Workers, outage: float, arm_measured: bool, cited: str) -> None:
    found = answer.fleet
    if answer.needed > answer.leases:
        sentence = (
            f"No fleet keeps up: the work fills {answer.needed} containers, and only {answer.leases} can "
            "hold a lease; give each more cores, spend less time on a record, or add shards."
        )
    elif found.utilisation >= 1:
        sentence = f"{found.containers} containers fall behind for ever; {answer.needed} are needed."
    else:
        sentence = f"You need {counted(answer.needed, 'container')} for {counted(answer.leases, 'lease')}."
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
        ("utilisation of the fullest", f"{found.utilisation:.0%}"),
        ("waiting, 99 % of batches at most", waits),
        (f"catch-up after {outage / 60:,.0f} min of outage", back),
        ("Fargate x86, USD a month", f"{answer.usd_a_month['x86']:,.2f}"),
        (f"Fargate {arm}, USD a month", f"{answer.usd_a_month['arm']:,.2f}"),
    ]
    show_table(sentence, ("", "this fleet"), rows, cited)
    if found.idle:
        click.echo(f"Idle: {found.idle} of {found.containers} containers hold no lease and only cost money.")
    click.echo(_MODEL)
