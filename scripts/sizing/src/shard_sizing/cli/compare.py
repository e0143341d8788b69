"""``shard-sizing compare``."""

from typing import Final

import click
import msgspec
import numpy as np

from shard_sizing.cli.parameters.numbers import Number
from shard_sizing.cli.parameters.options import CONSUMERS, FAN_OUT, Shared, shared_options, workload_options
from shard_sizing.cli.presentation.output import present
from shard_sizing.cli.presentation.pictures import Lines
from shard_sizing.cli.presentation.progress import progress
from shard_sizing.cli.presentation.sheet import Sheet, Table
from shard_sizing.model.capacity.demand import Demand, planned_peak
from shard_sizing.model.capacity.readers import Readers
from shard_sizing.model.capacity.sizing import STEPS, size
from shard_sizing.model.cost.break_even import MODES, BreakEven, break_evens, mode_warnings, scaled
from shard_sizing.model.cost.monthly import (
    KINESIS_PRICES,
    Costs,
    Workload,
    as_measured,
    as_sent,
    monthly,
    packed,
)
from shard_sizing.model.data_files import RegionPrices
from shard_sizing.model.law.aggregation import Aggregation, aggregated_bytes
from shard_sizing.model.workload.profile import Profile

_TITLES: Final = {
    "provisioned": "provisioned",
    "standard": "on-demand Standard",
    "advantage": "on-demand Advantage",
}
_WAYS: Final = ("record by record", "aggregated")
_NOT_PRICED: Final = (
    "KMS requests of encrypted streams, VPC endpoints, NAT gateways, traffic between Availability Zones, "
    "CloudWatch's shard-level metrics, producers and consumers themselves"
)


class Bill(msgspec.Struct, frozen=True):
    """One way to produce.

    Attributes:
        costs: Monthly USD in each mode; where no shard count is enough, provisioned is that of the usual
            formula.
        shards: Shards needed; None where no count is enough.
        too_heavy: Why no mode carries it, if one key is too heavy for a shard; empty otherwise.
        break_evens: The rates at which modes cross.
    """

    costs: Costs
    shards: int | None
    too_heavy: str
    break_evens: tuple[BreakEven, ...]

    @property
    def cheapest(self) -> tuple[str, float] | None:
        """The mode that costs least of those that work, and what it costs; None where none works."""
        usable = {
            mode: cost
            for mode in MODES
            if (cost := getattr(self.costs, mode)) is not None
            and not self.too_heavy
            and (mode != "provisioned" or self.shards is not None)
        }
        return min(usable.items(), key=lambda item: item[1]) if usable else None


class Comparison(msgspec.Struct, frozen=True):
    """Every mode's bill, with records one by one and packed into aggregates."""

    region: str
    plain: Bill
    aggregated: Bill
    warnings: tuple[str, ...]
    not_priced: str = _NOT_PRICED
    schema: str = "shard-sizing/compare/3"


@click.command()
@workload_options
@shared_options()
@CONSUMERS
@FAN_OUT
@click.option(
    "--retention-hours",
    type=click.IntRange(24, 8_760),
    default=24,
    show_default=True,
    help="How long the stream keeps records.",
)
@click.option(
    "--long-term-read-gb",
    type=Number(min=0),
    default=0.0,
    show_default=True,
    help="GB a month that are read again from beyond seven days.",
)
@click.option(
    "--streams",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Streams that share the load evenly.",
)
@click.option(
    "--producers",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Producers that aggregate side by side: the more, the smaller their aggregates.",
)
@click.option(
    "--linger",
    type=Number(0, 60),
    default=0.0,
    show_default=True,
    help="Their linger, in seconds; 0 as the SDK's.",
)
def compare(
    *,
    profile: Profile,
    shared: Shared,
    producers: int,
    linger: float,
    consumers: int,
    efo: bool,
    retention_hours: int,
    long_term_read_gb: float,
    streams: int,
) -> int:
    """Compare the monthly cost of provisioned, on-demand Standard and on-demand Advantage.

    Exit 3 if one key is too heavy for a shard however its records are sent: then no mode carries the load.
    """
    prices, limits = shared.prices, shared.limits
    committed = limits.advantage_minimum_mib_per_second
    aggregation = Aggregation(producers=producers, linger=linger)
    loads, bills = [], []
    with progress("sizing both ways", 2 * STEPS, shown=shared.show_progress) as step:
        for aggregate in (False, True):
            found = size(
                profile,
                limits,
                Demand(
                    at=planned_peak(profile),
                    aggregation=aggregation if aggregate else None,
                    readers=Readers(
                        consumers, efo, poll_seconds=max(1.0, consumers / limits.reads_per_second)
                    ),
                ),
                seed=shared.seed,
                progress=lambda: step(1),
            )
            shards = found.shards or found.naive
            load = msgspec.structs.replace(
                _workload(profile, max(shards, streams), aggregation if aggregate else None),
                consumers=consumers,
                efo=efo,
                retention_hours=retention_hours,
                streams=streams,
                long_term_read_gb=long_term_read_gb,
            )
            crossings = break_evens(load, profile.rate, prices, committed)
            # A shard takes as much of one key in on-demand mode, where Kinesis splits all but a key.
            too_heavy = found.way_out if found.rate > found.ceiling else ""
            loads.append(load)
            bills.append(Bill(monthly(load, prices, committed), found.shards, too_heavy, crossings))
    answer = Comparison(shared.region, bills[0], bills[1], mode_warnings(profile, limits, prices))
    present(answer, _sheet(answer, loads, profile.rate, prices, committed), shared)
    return 0 if any(bill.cheapest for bill in bills) else 3


def _workload(profile: Profile, shards: int, aggregation: Aggregation | None) -> Workload:
    if aggregation is None:
        return as_sent(profile, shards)
    if profile.aggregated and profile.kinesis is not None:
        return as_measured(profile.kinesis, shards)
    user_records = np.array([profile.rate / shards])
    records = aggregation.kinesis_records(user_records, profile.record_bytes)
    volume = aggregated_bytes(user_records, records, profile.record_bytes)
    return packed(float(records[0]) * shards, float(volume[0] / records[0]), shards)


def _sheet(
    answer: Comparison, loads: list[Workload], rate: float, prices: RegionPrices, committed: float
) -> Sheet:
    bills = dict(zip(_WAYS, (answer.plain, answer.aggregated), strict=True))
    columns = ("USD a month", *bills)
    rows = [(_TITLES[mode], *(_cell(bill, mode) for bill in bills.values())) for mode in MODES]
    rows.append(("shards, if provisioned", *(_shards(bill) for bill in bills.values())))
    sentence = _sentence(answer)
    notes = [
        *(f"{way.capitalize()}: {bill.too_heavy}." for way, bill in bills.items() if bill.too_heavy),
        *(line for way, bill in bills.items() if not bill.too_heavy for line in _crossings(way, bill)),
        *(f"- {warning}" for warning in answer.warnings),
        f"- Not priced: {answer.not_priced}.",
    ]
    picture = _picture(sentence, loads, rate, prices, committed, bills)
    return Sheet(sentence, (Table(columns, rows),), notes, prices.cited(KINESIS_PRICES), picture)


def _sentence(answer: Comparison) -> str:
    plain, aggregated = answer.plain.cheapest, answer.aggregated.cheapest
    if plain is None and aggregated is None:
        return "No mode carries this load: one key is too heavy for a shard, and a shard is the same in all."
    if plain is None and aggregated is not None:
        return (
            f"Only aggregated records can be carried: cheapest is {_TITLES[aggregated[0]]}, "
            f"{aggregated[1]:,.0f} USD a month. One by one, one key is too heavy for a shard in any mode."
        )
    if aggregated is None or plain is None:
        mode, usd = plain or ("", 0.0)
        return f"Cheapest is {_TITLES[mode]}, {usd:,.0f} USD a month, record by record."
    (mode, usd), (packed_mode, packed_usd) = plain, aggregated
    return (
        f"Cheapest is {_TITLES[packed_mode]} with aggregation, {packed_usd:,.0f} USD a month; record by "
        f"record it is {_TITLES[mode]}, {usd:,.0f} USD."
    )


def _crossings(way: str, bill: Bill) -> list[str]:
    if not bill.break_evens:
        return [f"Break-even {way}: none; one mode is the cheapest at every rate."]
    return [
        f"Break-even {way}: up to {at.records_per_second:,.0f} records/s {_TITLES[at.below]} is "
        f"cheaper than {_TITLES[at.above]}."
        for at in bill.break_evens
    ]


def _cell(bill: Bill, mode: str) -> str:
    usd = getattr(bill.costs, mode)
    if bill.too_heavy or (mode == "provisioned" and bill.shards is None):
        return "cannot carry it"
    return "price not known" if usd is None else f"{usd:,.0f}"


def _shards(bill: Bill) -> str:
    return f"{bill.shards:,}" if bill.shards else "no count is enough"


def _picture(
    sentence: str,
    loads: list[Workload],
    rate: float,
    prices: RegionPrices,
    committed_mib: float,
    bills: dict[str, Bill],
) -> Lines:
    factors = [10 ** (step / 10) for step in range(-20, 21)]
    at = [rate * factor for factor in factors]
    lines: dict[str, list[float | None]] = {}
    marks = {f"today, {rate:,.0f}/s": rate}
    for load, way in zip(loads, _WAYS, strict=True):
        costs = [monthly(scaled(load, factor), prices, committed_mib) for factor in factors]
        for mode in MODES:
            lines[f"{_TITLES[mode]}, {way}"] = [getattr(cost, mode) for cost in costs]
        for crossing in bills[way].break_evens:
            if at[0] < crossing.records_per_second < at[-1]:
                words = f"{crossing.below} = {crossing.above}, {way}: {crossing.records_per_second:,.0f}/s"
                marks[words] = crossing.records_per_second
    return Lines(sentence, at, lines, "records per second", "USD a month", log=True, marks=marks)
