"""``shard-sizing whatif``."""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import click
import msgspec

from shard_sizing.cli.parameters.numbers import Number
from shard_sizing.cli.parameters.options import FILE, Shared, shared_options
from shard_sizing.cli.presentation.output import present
from shard_sizing.cli.presentation.pictures import Stacks
from shard_sizing.cli.presentation.progress import progress
from shard_sizing.cli.presentation.sheet import Sheet, Table
from shard_sizing.errors import InputError, UnknownPriceError
from shard_sizing.model.capacity.demand import Demand, planned_peak
from shard_sizing.model.capacity.readers import Readers
from shard_sizing.model.capacity.sizing import size
from shard_sizing.model.capacity.targeted import MOST_SHARDS
from shard_sizing.model.cost.fargate import VCPUS
from shard_sizing.model.cost.monthly import HOURS
from shard_sizing.model.data_files import Limits, RegionPrices
from shard_sizing.model.percent import percent
from shard_sizing.model.pipeline.bill import NOT_PRICED, PIPELINE_PRICES, Cost, bill, kinesis_floor
from shard_sizing.model.pipeline.load import Load, Pipeline, calls_per_second, containers, loads
from shard_sizing.model.pipeline.order_calls import STOCK, OrderCalls, load_order_calls
from shard_sizing.model.workload.profile import synthetic

_NEAR: Final = 0.8  # of a limit: raise it before it breaks
_POLL_SECONDS: Final = 1.5  # between two reads of a shard, as the engine's default
_SECONDS: Final = {"second": 1, "day": 86_400, "month": int(HOURS * 3600)}
_OPEN_ORDERS: Final = 10_000  # keys at a time, at least; none is heavy
_OPEN_SECONDS: Final = 60  # for which an order has records, at least


class Scale(msgspec.Struct, frozen=True):
    """The pipeline at one scale.

    Attributes:
        x: Times the orders of today.
        orders_per_second: Orders then, on average.
        busiest: Orders per second in the busiest minutes then, against which limits are held.
        shards: Shards of the order stream.
        containers: Containers of all applications.
        limits: Every limit that is leaned on, the most used first.
        calls_per_second: Requests by operation.
        usd: The bill by service, of the first month and of the first year.
    """

    x: float
    orders_per_second: float
    busiest: float
    shards: int
    containers: int
    limits: tuple[Load, ...]
    calls_per_second: dict[str, float]
    usd: dict[str, Cost]

    def total(self, span: str) -> float:
        """USD of all services whose prices are known, over ``first_month`` or ``first_year``."""
        return sum(getattr(cost, span) or 0.0 for cost in self.usd.values())

    @property
    def unknown(self) -> list[str]:
        """The services whose prices are not known in the Region."""
        return [name for name, cost in self.usd.items() if cost.first_month is None]


class WhatIf(msgspec.Struct, frozen=True):
    """The pipeline at each scale.

    Attributes:
        region: Whose prices and quotas these are.
        scales: Each scale asked for.
        counted: When and how an order's calls were counted.
        not_priced: What a real bill has besides.
        kinesis_floor: USD a year of one shard in each stream, without a record; None if the price is not
            known.
        peak_known: Whether the busiest minutes were given; else orders are taken to come evenly.
        lines_of_one_sku: Lines a second of one SKU, at most: its stock is one item. None if the quota is not
            known.
    """

    region: str
    scales: tuple[Scale, ...]
    counted: str
    not_priced: tuple[str, ...]
    kinesis_floor: float | None
    peak_known: bool
    lines_of_one_sku: float | None
    schema: str = "shard-sizing/whatif/3"


@click.command()
@shared_options()
@click.option("--orders", type=Number(min=0, min_open=True), required=True, help="Orders today.")
@click.option(
    "--per",
    type=click.Choice(list(_SECONDS)),
    default="second",
    show_default=True,
    help="The time in which those orders come.",
)
@click.option(
    "--peak",
    type=Number(min=0, min_open=True),
    help="Orders per second in the busiest minutes of today; by default they come evenly.",
)
@click.option(
    "--lines",
    type=Number(min=1),
    help="Lines of an order; by default as in the counted orders.",
)
@click.option("--x", "times", default="1,10,100", show_default=True, help="Scales, separated by commas.")
@click.option(
    "--burst-cv",
    type=Number(min=0),
    default=0.25,
    show_default=True,
    help="Variation of the orders from second to second.",
)
@click.option(
    "--consumers",
    type=click.IntRange(1, 20),
    default=7,
    show_default=True,
    help="Applications that read the order stream.",
)
@click.option(
    "--stock-shards",
    type=click.IntRange(0, 20_000),
    default=1,
    show_default=True,
    help="Shards of the stream that captures the stock's changes; 0 for a pipeline without it.",
)
@click.option(
    "--containers",
    "least_containers",
    type=click.IntRange(min=1),
    default=10,
    show_default=True,
    help="Containers at least, one for each application unless they share some.",
)
@click.option(
    "--payments-per-second",
    type=Number(min=0, min_open=True),
    default=5.0,
    show_default=True,
    help="Charges that the payment provider takes.",
)
@click.option(
    "--vcpus",
    type=click.Choice([f"{each:g}" for each in VCPUS]),
    default="0.25",
    show_default=True,
    help="Virtual CPUs of a container, in the sizes of Fargate.",
)
@click.option("--calls", "calls_file", type=FILE, help="Counts of another run.")
def whatif(
    *,
    shared: Shared,
    orders: float,
    per: str,
    peak: float | None,
    lines: float | None,
    times: str,
    burst_cv: float,
    consumers: int,
    stock_shards: int,
    least_containers: int,
    payments_per_second: float,
    vcpus: str,
    calls_file: Path | None,
) -> int:
    """Find what breaks first at a scale, and the bill of it all.

    Exit 2 if something breaks at one of the scales.
    """
    counted, factors, prices = load_order_calls(calls_file), _factors(times), shared.prices
    counted = counted if lines is None else counted.with_lines(lines)
    if peak is not None and peak < orders / _SECONDS[per]:
        raise InputError("--peak", f"{peak:g} orders a second are below the average")
    scales = []
    with progress("sizing each scale", len(factors), shown=shared.show_progress) as step:
        for x in factors:
            rate = orders * x / _SECONDS[per]
            pipeline = Pipeline(
                orders=rate,
                shards=_shards(counted, max(rate, (peak or 0.0) * x), burst_cv, consumers, shared),
                stock_shards=stock_shards,
                readers=consumers,
                applications=least_containers,
                payments_per_second=payments_per_second,
                utilisation=0.7,
                vcpus=float(vcpus),
                log_bytes=1024,
                metrics=10,
                traced=0.05,
                peak=(peak or 0.0) * x,
            )
            scales.append(
                Scale(
                    x,
                    pipeline.orders,
                    pipeline.busiest,
                    pipeline.shards,
                    containers(counted, pipeline),
                    loads(counted, pipeline, shared.limits, shared.region),
                    calls_per_second(counted, pipeline),
                    bill(counted, pipeline, prices),
                )
            )
            step(1)
    answer = WhatIf(
        shared.region,
        tuple(scales),
        f"{counted.date}: {counted.made_by}",
        NOT_PRICED,
        _floor(pipeline, prices),
        peak is not None,
        _of_one_sku(counted, shared.limits),
    )
    present(answer, _sheet(answer, prices.cited(PIPELINE_PRICES)), shared)
    return 2 if any(scale.limits[0].used > 1 for scale in scales) else 0


def _floor(pipeline: Pipeline, prices: RegionPrices) -> float | None:
    try:
        return kinesis_floor(pipeline, prices)
    except UnknownPriceError:
        return None


def _factors(times: str) -> list[float]:
    try:
        factors = [float(each) for each in times.split(",")]
    except ValueError as error:
        raise InputError("--x", f"{times!r} is no list of numbers such as 1,10,100") from error
    if not all(0 < factor < math.inf for factor in factors):
        raise InputError("--x", "a scale is a number above 0")
    return factors


def _shards(counted: OrderCalls, orders: float, burst_cv: float, consumers: int, shared: Shared) -> int:
    # Records are keyed by order, so no key is heavy, and an aggregate is one record.
    keys = max(_OPEN_ORDERS, math.ceil(orders * _OPEN_SECONDS))
    stream = synthetic(orders * counted.records, counted.record_bytes, 0.0, burst_cv, keys=keys)
    # Polls beyond a shard's five a second are a limit of their own; here they are as far apart as it asks.
    poll_seconds = max(_POLL_SECONDS, consumers / shared.limits.reads_per_second)
    readers = Readers(consumers, poll_seconds=poll_seconds)
    found = size(stream, shared.limits, Demand(at=planned_peak(stream), readers=readers), seed=shared.seed)
    return found.shards or max(found.naive, MOST_SHARDS + 1)


def _of_one_sku(counted: OrderCalls, limits: Limits) -> float | None:
    quota = limits.quotas.get("dynamodb_item_writes_per_second")
    return quota and quota * counted.lines / counted.write_units[STOCK]


def _sheet(answer: WhatIf, cited: str) -> Sheet:
    broken = next((scale for scale in answer.scales if scale.limits[0].used > 1), None)
    sentence = (
        f"At x{broken.x:g} the first to break is {broken.limits[0].name}: {broken.limits[0].asked:,.1f} "
        f"asked, {broken.limits[0].given:,.0f} given; {broken.limits[0].way_out}."
        if broken
        else f"Nothing breaks at these scales{'' if answer.peak_known else ', if orders come evenly'}."
    )
    known = "known prices" if answer.scales[0].unknown else "all"
    scales = answer.scales
    rows = [
        ("orders/s", *(_rate(scale.orders_per_second) for scale in scales)),
        *([("busiest minutes", *(_rate(scale.busiest) for scale in scales))] if answer.peak_known else []),
        ("shards", *(f"{scale.shards:,}" for scale in scales)),
        ("containers", *(f"{scale.containers:,}" for scale in scales)),
        *((name, *(_usd(scale.usd[name].first_month) for scale in scales)) for name in scales[0].usd),
        (f"{known}, first month", *(_usd(scale.total("first_month")) for scale in scales)),
        (f"{known}, twelve months", *(_usd(scale.total("first_year")) for scale in scales)),
    ]
    table = Table(("USD a month", *(f"x{scale.x:g}" for scale in scales)), rows)
    return Sheet(sentence, (table,), list(_notes(answer)), cited, _picture(answer, sentence))


def _notes(answer: WhatIf) -> Iterator[str]:
    for scale in answer.scales:
        for load in scale.limits:
            if load.used >= _NEAR:
                yield (
                    f"x{scale.x:g}: {load.name}: {load.asked:,.1f} of {load.given:,.0f} "
                    f"({percent(load.used)}); {load.way_out}."
                )
        busiest = sorted(scale.calls_per_second.items(), key=lambda item: -item[1])[:5]
        yield f"x{scale.x:g}: most called: {', '.join(f'{name} {each:,.1f}/s' for name, each in busiest)}."
    if not answer.peak_known:
        yield "Orders are taken to come evenly; shops have busy minutes, and limits break in those (--peak)."
    if answer.lines_of_one_sku:
        yield (
            f"Not held against a limit: one SKU's stock is one item of DynamoDB, which takes some "
            f"{answer.lines_of_one_sku:,.0f} lines a second, whatever the scale."
        )
    if unknown := answer.scales[0].unknown:
        yield f"Prices not known in {answer.region}, so not in the sums: {', '.join(unknown)}."
    if answer.kinesis_floor is not None:
        yield (
            f"Kinesis alone is at least {answer.kinesis_floor:,.2f} USD in twelve months: one shard in each "
            "stream, without a record."
        )
    yield f"Not priced: {', '.join(answer.not_priced)}."
    yield "Twelve months keep all that tables and archive are given; provisioned shards."
    yield f"Calls of an order counted {answer.counted}."


def _picture(answer: WhatIf, sentence: str) -> Stacks:
    scales = answer.scales
    services = [name for name, cost in scales[0].usd.items() if cost.first_month is not None]
    stacks = {name: [scale.usd[name].first_month or 0.0 for scale in scales] for name in services}
    labels = [
        f"x{scale.x:g}: {scale.orders_per_second:,.3g} orders/s\n{scale.total('first_month'):,.0f} USD"
        for scale in scales
    ]
    return Stacks(sentence, stacks, labels, "", "share of the first month's bill, %")


def _rate(orders: float) -> str:
    return f"{orders:,.0f}" if orders >= 100 else f"{orders:,.3g}"


def _usd(amount: float | None) -> str:
    return "not known" if amount is None else f"{amount:,.2f}"
