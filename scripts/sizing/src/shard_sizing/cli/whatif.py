"""``shard-sizing whatif``."""

import math
from pathlib import Path
from typing import Final

import click

from shard_sizing.cli.parameters.given import refuse_unused
from shard_sizing.cli.parameters.help_pages import Command
from shard_sizing.cli.parameters.numbers import Number
from shard_sizing.cli.parameters.options import FILE, Shared, shared_options
from shard_sizing.cli.presentation.output import present
from shard_sizing.cli.presentation.progress import progress
from shard_sizing.cli.template_words import PricedTemplate, template_sheet
from shard_sizing.cli.whatif_words import Scale, WhatIf, whatif_sheet
from shard_sizing.errors import InputError, UnknownPriceError
from shard_sizing.model.capacity.demand import Demand, planned_peak
from shard_sizing.model.capacity.readers import Readers
from shard_sizing.model.capacity.sizing import size
from shard_sizing.model.capacity.targeted import MOST_SHARDS
from shard_sizing.model.cost.fargate import VCPUS
from shard_sizing.model.cost.monthly import HOURS
from shard_sizing.model.data_files import Limits, RegionPrices
from shard_sizing.model.law.bursts import MOST_CV
from shard_sizing.model.pipeline.bill import NOT_PRICED, PIPELINE_PRICES, bill, kinesis_floor
from shard_sizing.model.pipeline.load import Pipeline, calls_per_second, containers, loads
from shard_sizing.model.pipeline.order_calls import STOCK, OrderCalls, load_order_calls
from shard_sizing.model.pipeline.usage import usage
from shard_sizing.model.template.bill import NOT_IN_A_TEMPLATE, bill_of, deployed
from shard_sizing.model.template.cloudformation import load_templates
from shard_sizing.model.workload.profile import synthetic

_POLL_SECONDS: Final = 1.5  # between two reads of a shard, as the engine's default
_UTILISATION: Final = 0.7  # planned share of a container's time
_LEAST_VCPUS: Final = VCPUS[0]
_SCALED: Final = ("times", "consumers", "stock_shards", "least_containers", "vcpus", "payments_per_second")
"""Parameters of a pipeline that is scaled."""
_SECONDS: Final = {"second": 1, "day": 86_400, "month": int(HOURS * 3600)}
_OPEN_ORDERS: Final = 10_000  # keys at a time, at least; none is heavy
_OPEN_SECONDS: Final = 60  # for which an order has records, at least


@click.command(
    cls=Command,
    examples=(
        "--orders 1 --peak 4 --x 1,10,100",
        "--orders 182000 --per month --lines 5.5 --x 1",
        "--orders 182000 --per month --lines 5.5 --template cdk.out",
    ),
)
@shared_options()
@click.option(
    "--orders", type=Number(min=0, min_open=True), required=True, help="Orders today, in the time of --per."
)
@click.option(
    "--per",
    type=click.Choice(list(_SECONDS)),
    default="second",
    show_default=True,
    help="The time in which so many orders come.",
)
@click.option(
    "--peak",
    type=Number(min=0, min_open=True),
    help="Orders per second in the busiest minutes of today; by default they come evenly.",
)
@click.option(
    "--lines",
    type=Number(min=1),
    help="Lines of an order; by default those of the counted orders.",
)
@click.option(
    "--template",
    "template",
    type=click.Path(path_type=Path),
    help="Price a template of CloudFormation (JSON), or all of the folder cdk.out: tasks, shards, databases "
    "and endpoints are as many and as large as it says.",
)
@click.option(
    "--x",
    "times",
    default="1,10,100",
    show_default=True,
    help="Multiples of today's orders, separated by commas.",
)
@click.option(
    "--burst-cv",
    type=Number(min=0, max=MOST_CV),
    default=0.25,
    show_default=True,
    help="Variation of the orders from second to second (standard deviation over mean).",
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
    help="Least number of containers: one for each application, unless some share one.",
)
@click.option(
    "--payments-per-second",
    type=Number(min=0, min_open=True),
    default=5.0,
    show_default=True,
    help="Charges per second that the payment provider takes.",
)
@click.option(
    "--vcpus",
    type=click.Choice([f"{each:g}" for each in VCPUS]),
    default="0.25",
    show_default=True,
    help="vCPUs of a container, in the sizes of Fargate.",
)
@click.option(
    "--calls",
    "calls_file",
    type=FILE,
    help="Counts of a run of your own (made by make calls-per-order), in place of the bundled ones.",
)
def whatif(
    *,
    shared: Shared,
    orders: float,
    per: str,
    peak: float | None,
    lines: float | None,
    template: Path | None,
    times: str,
    burst_cv: float,
    consumers: int,
    stock_shards: int,
    least_containers: int,
    payments_per_second: float,
    vcpus: str,
    calls_file: Path | None,
) -> int:
    """Find what breaks first in the pipeline, and its bill.

    At each scale of the order pipeline: shards, containers, how much of each limit is used, what a month
    uses, and what that costs where the Region's prices are on file. Exit 2 if a limit breaks at one of them.

    With --template: what a synthesized deployment costs a month, resource by resource, and which of them
    nothing prices. Exit 2 if it has fewer shards or vCPUs than the orders need.
    """
    counted, factors, prices = load_order_calls(calls_file), _factors(times), shared.known_prices
    counted = counted if lines is None else counted.with_lines(lines)
    if peak is not None and peak < orders / _SECONDS[per]:
        raise InputError("--peak", f"{peak:g} orders a second are below the average")
    if template is not None:
        refuse_unused("makes no difference to a template: it says how much of everything there is", *_SCALED)
        return _template(template, counted, orders / _SECONDS[per], peak or 0.0, burst_cv, shared)
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
                utilisation=_UTILISATION,
                vcpus=float(vcpus),
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
                    usage(counted, pipeline),
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
        priced=bool(prices.figures),
    )
    present(answer, whatif_sheet(answer, _source(shared.limits, prices)), shared)
    return 2 if any(scale.limits[0].used > 1 for scale in scales) else 0


def _template(
    path: Path, counted: OrderCalls, rate: float, peak: float, burst_cv: float, shared: Shared
) -> int:
    """Price a template at one load."""
    templates, prices = load_templates(path, shared.region), shared.prices
    has = deployed(templates)
    pipeline = Pipeline(
        orders=rate,
        shards=has.shards,
        stock_shards=has.stock_shards,
        readers=counted.readers,
        applications=max(has.tasks, 1),
        payments_per_second=rate,
        utilisation=_UTILISATION,
        vcpus=has.vcpus / has.tasks if has.vcpus else _LEAST_VCPUS,
        metrics=0,
        traced=0.0,
        peak=peak,
    )
    answer = PricedTemplate(
        shared.region,
        rate * _SECONDS["month"],
        counted.lines,
        has,
        _shards(counted, pipeline.busiest, burst_cv, counted.readers, shared),
        pipeline.busiest * counted.milliseconds_per_order / 1000 / _UTILISATION,
        bill_of(templates, counted, pipeline, prices),
        NOT_IN_A_TEMPLATE,
        f"{counted.date}: {counted.made_by}",
        peak > 0,
    )
    present(answer, template_sheet(answer, prices), shared)
    return 0 if answer.carries else 2


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


def _source(limits: Limits, prices: RegionPrices) -> str:
    read = f"Limits of {limits.date}: {limits.source}; those of other services are defaults, to be checked"
    return f"{read} in Service Quotas. {prices.cited(PIPELINE_PRICES)}" if prices.figures else f"{read}."
