"""``shard-sizing compare``."""

from collections.abc import Sequence
from typing import Final

import click
import msgspec

from shard_sizing.cli.parameters.demand_options import aggregation, stream_options, with_producers
from shard_sizing.cli.parameters.help_pages import Command
from shard_sizing.cli.parameters.numbers import Number
from shard_sizing.cli.parameters.options import Shared, shared_options, workload_options
from shard_sizing.cli.presentation.output import counted, present
from shard_sizing.cli.presentation.pictures import Lines
from shard_sizing.cli.presentation.progress import progress
from shard_sizing.cli.presentation.sheet import Sheet, Table
from shard_sizing.model.capacity.demand import Demand
from shard_sizing.model.capacity.modes import Bill, Stored, bill
from shard_sizing.model.capacity.sizing import STEPS
from shard_sizing.model.cost.break_even import MODES, Mode, ShardsAt, mode_warnings, scaled
from shard_sizing.model.cost.monthly import KINESIS_PRICES, Workload, monthly
from shard_sizing.model.data_files import RegionPrices
from shard_sizing.model.law.aggregation import Aggregation
from shard_sizing.model.workload.profile import Profile, rate_at

_TITLES: Final[dict[Mode, str]] = {
    "provisioned": "provisioned",
    "standard": "on-demand Standard",
    "advantage": "on-demand Advantage",
}
_WAYS: Final = ("record by record", "aggregated")
_NOT_PRICED: Final = (
    "KMS requests of encrypted streams, VPC endpoints, NAT gateways, traffic between Availability Zones, "
    "CloudWatch's shard-level metrics, producers and consumers themselves"
)

_PRODUCERS: Final = "the more producers (--producers), the smaller their aggregates."


class Comparison(msgspec.Struct, frozen=True):
    """Every mode's bill, with records one by one and packed into aggregates.

    Attributes:
        region: Whose prices these are.
        plain: The bill of records one by one.
        aggregated: The bill of aggregates.
        aggregation: Who aggregates, in words.
        warnings: What a bill does not say.
        not_priced: What a real bill has besides.
    """

    region: str
    plain: Bill
    aggregated: Bill
    aggregation: str
    warnings: tuple[str, ...]
    not_priced: str = _NOT_PRICED
    schema: str = "shard-sizing/compare/4"


@click.command(
    cls=Command, examples=("--rate 20000 --bytes 500 --producers 40", "profile.json --consumers 3 --efo")
)
@workload_options
@stream_options
@shared_options()
@click.option(
    "--retention-hours",
    type=click.IntRange(24, 8_760),
    default=24,
    show_default=True,
    help="Hours for which the stream keeps records.",
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
    help="Streams that share the keys, and so the load, evenly.",
)
@with_producers
def compare(
    *,
    profile: Profile,
    demand: Demand,
    shared: Shared,
    producers: int | None,
    linger: float | None,
    latency: float | None,
    retention_hours: int,
    long_term_read_gb: float,
    streams: int,
) -> int:
    """Compare the monthly cost of a stream's modes.

    They are provisioned, on-demand Standard and on-demand Advantage, each with records sent one by one and
    aggregated. Exit 3 if no mode carries the load either way, as where one key is too heavy for a shard.
    """
    prices, limits = shared.prices, shared.limits
    if (producers, linger, latency) != (None, None, None):  # what is asked about, and not what was measured
        profile = msgspec.structs.replace(profile, kinesis=None)
    packing = aggregation(producers or 1, linger, latency)
    stored = Stored(retention_hours, streams, long_term_read_gb)
    with progress("sizing both ways", 4 * STEPS, shown=shared.show_progress) as step:
        found = [
            bill(profile, limits, prices, demand, way, stored, seed=shared.seed, progress=lambda: step(1))
            for way in (None, packing)
        ]
    plain, aggregated = (each[0] for each in found)
    planned = rate_at(profile, demand.at)
    answer = Comparison(
        shared.region,
        plain,
        aggregated,
        _aggregated(profile, packing, assumed=producers is None),
        mode_warnings(profile, planned, streams, limits, plain.shards, shared.region),
    )
    loads = [(load, shards_at) for _, load, shards_at in found]
    committed = limits.advantage_minimum_mib_per_second
    present(answer, _sheet(answer, loads, profile.rate, prices, committed), shared)
    return 0 if any(bill.cheapest for bill in (plain, aggregated)) else 3


def _aggregated(profile: Profile, packing: Aggregation, *, assumed: bool) -> str:
    if profile.kinesis is not None and profile.aggregated:
        return "as measured"
    by = "by 1 producer (assumed)" if assumed else f"by {counted(int(packing.producers), 'producer')}"
    return by if packing.linger == 0 else f"{by} with a linger of {packing.linger:g} s"


def _sheet(
    answer: Comparison,
    loads: Sequence[tuple[Workload, ShardsAt]],
    rate: float,
    prices: RegionPrices,
    committed: float,
) -> Sheet:
    bills = dict(zip(_WAYS, (answer.plain, answer.aggregated), strict=True))
    columns = ("USD a month", *bills)
    rows = [(_TITLES[mode], *(_cell(bill, mode) for bill in bills.values())) for mode in MODES]
    rows.append(("shards, if provisioned", *(_shards(bill) for bill in bills.values())))
    sentence = _sentence(answer)
    notes = [line for way, bill in bills.items() for line in _notes(way, bill, sentence)]
    notes.append(f"Aggregated {answer.aggregation}: {_PRODUCERS}")
    notes += [*answer.warnings, f"Not priced: {answer.not_priced}."]
    picture = _picture(sentence, loads, rate, prices, committed, bills)
    return Sheet(sentence, (Table(columns, rows),), notes, prices.cited(KINESIS_PRICES), picture)


def _sentence(answer: Comparison) -> str:
    plain, aggregated = answer.plain.cheapest, answer.aggregated.cheapest
    if plain is None and aggregated is None:
        return f"No mode carries this load: {_obstacle(answer.aggregated)}."
    if plain is None and aggregated is not None:
        return (
            f"Only aggregated records can be carried: cheapest is {_TITLES[aggregated[0]]}, "
            f"{aggregated[1]:,.0f} USD a month, aggregated {answer.aggregation}."
        )
    if aggregated is None or plain is None:
        mode, usd = plain or ("provisioned", 0.0)
        return f"Cheapest is {_TITLES[mode]}, {usd:,.0f} USD a month, record by record."
    (mode, usd), (packed_mode, packed_usd) = plain, aggregated
    return (
        f"Cheapest is {_TITLES[packed_mode]} with records aggregated {answer.aggregation}, "
        f"{packed_usd:,.0f} USD a month; record by record it is {_TITLES[mode]}, {usd:,.0f} USD."
    )


def _obstacle(bill: Bill) -> str:
    return bill.way_out or next(iter(bill.unusable.values()), "the prices of those that do are not known")


def _notes(way: str, bill: Bill, sentence: str) -> list[str]:
    if bill.way_out:
        return [] if bill.way_out in sentence else [f"{way.capitalize()}: {bill.way_out}."]
    told = [f"{way.capitalize()}, {_TITLES[mode]}: {why}." for mode, why in bill.unusable.items()]
    crossings = [
        f"Break-even {way}: up to {at.records_per_second:,.0f} records/s {_TITLES[at.below]} is "
        f"cheaper than {_TITLES[at.above]}."
        for at in bill.break_evens
        if bill.carries(at.below) and bill.carries(at.above)
    ]
    none = f"Break-even {way}: none between modes that carry the load and whose prices are known."
    return told + (crossings or [none])


def _cell(bill: Bill, mode: Mode) -> str:
    usd = getattr(bill.costs, mode)
    if not bill.carries(mode):
        return "cannot carry it"
    return "price not known" if usd is None else f"{usd:,.0f}"


def _shards(bill: Bill) -> str:
    return f"{bill.shards:,}" if bill.shards else "no count is enough"


def _picture(
    sentence: str,
    loads: Sequence[tuple[Workload, ShardsAt]],
    rate: float,
    prices: RegionPrices,
    committed_mib: float,
    bills: dict[str, Bill],
) -> Lines:
    factors = [10 ** (step / 10) for step in range(-20, 21)]
    at = [rate * factor for factor in factors]
    lines: dict[str, list[float | None]] = {}
    marks = {f"today, {rate:,.0f}/s": rate}
    for (load, shards_at), way in zip(loads, _WAYS, strict=True):
        costs = [
            monthly(scaled(load, factor, shards_at(rate * factor)), prices, committed_mib)
            for factor in factors
        ]
        for mode in MODES:
            lines[f"{_TITLES[mode]}, {way}"] = [getattr(cost, mode) for cost in costs]
        for crossing in bills[way].break_evens:
            if at[0] < crossing.records_per_second < at[-1]:
                both = f"{crossing.below.capitalize()} = {crossing.above.capitalize()}"
                words = f"{both}, {way}: {crossing.records_per_second:,.0f}/s"
                marks[words] = crossing.records_per_second
    return Lines(sentence, at, lines, "records per second", "USD a month", log=True, marks=marks)
