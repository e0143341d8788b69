"""``shard-sizing compare``."""

from pathlib import Path
from typing import Final

import click
import msgspec

from shard_sizing.cli.options import Shared, shared_options, workload_options
from shard_sizing.cli.output import counted, show_json, show_table
from shard_sizing.cli.plots import plot_lines
from shard_sizing.cli.progress import progress
from shard_sizing.model.break_even import MODES, BreakEven, break_evens, mode_warnings, scaled
from shard_sizing.model.cost import Costs, Workload, monthly, packed
from shard_sizing.model.data_files import RegionPrices
from shard_sizing.model.profile import Profile
from shard_sizing.model.sizing import size

_NAME_SETS: Final = 3
_PACK: Final = 25_000  # bytes: one PUT payload unit
_TITLES: Final = {
    "provisioned": "provisioned",
    "standard": "on-demand Standard",
    "advantage": "on-demand Advantage",
}


class Bill(msgspec.Struct, frozen=True):
    """One way to produce.

    Attributes:
        costs: Monthly USD in each mode; where no shard count is enough, provisioned is that of the usual
            formula.
        shards: Shards needed; None where no count is enough.
        break_evens: The rates at which modes cross.
    """

    costs: Costs
    shards: int | None
    break_evens: tuple[BreakEven, ...]

    @property
    def cheapest(self) -> tuple[str, float]:
        """The mode that costs least of those that work, and what it costs."""
        usable = {
            mode: cost
            for mode in MODES
            if (cost := getattr(self.costs, mode)) is not None
            and (mode != "provisioned" or self.shards is not None)
        }
        mode = min(usable, key=lambda name: usable[name])
        return mode, usable[mode]


class Comparison(msgspec.Struct, frozen=True):
    """Every mode's bill, with records one by one and packed into aggregates of 25,000 bytes."""

    region: str
    plain: Bill
    aggregated: Bill
    warnings: tuple[str, ...]
    schema: str = "shard-sizing/compare/2"


@click.command()
@workload_options
@shared_options
@click.option("--consumers", type=click.IntRange(min=0), default=1, show_default=True)
@click.option("--efo", is_flag=True, help="They read by enhanced fan-out.")
@click.option("--retention", type=click.IntRange(24, 8_760), default=24, show_default=True, help="Hours.")
def compare(profile: Profile, shared: Shared, consumers: int, efo: bool, retention: int) -> int:
    """Compare the monthly cost of provisioned, on-demand Standard and on-demand Advantage."""
    prices, limits = shared.prices, shared.limits
    committed = limits.advantage_minimum_mib_per_second
    loads, bills = [], []
    with progress("sizing both ways", 2 * _NAME_SETS) as step:
        for aggregate in (False, True):
            found = size(
                profile,
                limits,
                seed=shared.seed,
                consumers=consumers,
                efo=efo,
                aggregate=aggregate,
                name_sets=_NAME_SETS,
                progress=lambda: step(1),
            )
            shards = found.shards or found.naive
            load = (
                packed(profile, shards, _PACK)
                if aggregate
                else Workload(profile.rate, profile.record_bytes, shards)
            )
            load = msgspec.structs.replace(load, consumers=consumers, efo=efo, retention_hours=retention)
            crossings = break_evens(load, profile.rate, prices, committed)
            loads.append(load)
            bills.append(Bill(monthly(load, prices, committed), found.shards, crossings))
    answer = Comparison(shared.region, bills[0], bills[1], mode_warnings(profile, limits, prices))
    if shared.plot:
        _draw(shared.plot, loads, profile.rate, prices, committed)
    if shared.as_json:
        show_json(answer)
    else:
        _show(answer, prices)
    return 0


def _show(answer: Comparison, prices: RegionPrices) -> None:
    bills = {"record by record": answer.plain, "aggregated": answer.aggregated}
    (mode, usd), (packed_mode, packed_usd) = answer.plain.cheapest, answer.aggregated.cheapest
    sentence = (
        f"Cheapest is {_TITLES[packed_mode]} with aggregation, {packed_usd:,.0f} USD a month; record by "
        f"record it is {_TITLES[mode]}, {usd:,.0f} USD."
    )
    rows = [(name, *(_cell(bill, mode) for mode in MODES)) for name, bill in bills.items()]
    columns = ("producers", *(f"{_TITLES[mode]} USD" for mode in MODES))
    show_table(sentence, columns, rows, prices.cited())
    for name, bill in bills.items():
        if not bill.break_evens:
            click.echo(f"Break-even {name}: none; one mode is the cheapest at every rate.")
        for at in bill.break_evens:
            click.echo(
                f"Break-even {name}: up to {at.records_per_second:,.0f} records/s {_TITLES[at.below]} is "
                f"cheaper than {_TITLES[at.above]}."
            )
    for warning in answer.warnings:
        click.echo(f"- {warning}")


def _cell(bill: Bill, mode: str) -> str:
    usd = getattr(bill.costs, mode)
    if usd is None:
        return "price not known"
    if mode != "provisioned":
        return f"{usd:,.0f}"
    return f"{usd:,.0f} ({counted(bill.shards, 'shard')})" if bill.shards else "no shard count is enough"


def _draw(path: Path, loads: list[Workload], rate: float, prices: RegionPrices, committed_mib: float) -> None:
    factors = [10 ** (step / 10) for step in range(-20, 21)]
    lines: dict[str, list[float | None]] = {}
    for load, way in zip(loads, ("record by record", "aggregated"), strict=True):
        costs = [monthly(scaled(load, factor), prices, committed_mib) for factor in factors]
        for mode in MODES:
            lines[f"{_TITLES[mode]}, {way}"] = [getattr(cost, mode) for cost in costs]
    at = [rate * factor for factor in factors]
    plot_lines(path, at=at, lines=lines, x="records per second", y="USD a month", log=True)
