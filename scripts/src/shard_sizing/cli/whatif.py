"""``shard-sizing whatif``."""

from math import inf
from pathlib import Path
from typing import Final

import click
import msgspec

from shard_sizing.cli.numbers import Number
from shard_sizing.cli.options import FILE, Shared, shared_options
from shard_sizing.cli.output import show_json, show_table
from shard_sizing.cli.plots import plot_stacks
from shard_sizing.cli.progress import progress
from shard_sizing.errors import InputError
from shard_sizing.model.pipeline import (
    Load,
    OrderCalls,
    Pipeline,
    calls_per_second,
    containers,
    load_order_calls,
    loads,
    monthly_bill,
)
from shard_sizing.model.profile import synthetic
from shard_sizing.model.sizing import size

_NEAR: Final = 0.8  # of a limit: raise it before it breaks
_NAME_SETS: Final = 3
_OPEN_ORDERS: Final = 10_000  # keys at a time; none is heavy


class Scale(msgspec.Struct, frozen=True):
    """The pipeline at one scale.

    Attributes:
        x: Times the orders of today.
        orders_per_second: Orders then.
        shards: Shards of the order stream.
        containers: Containers of all applications.
        limits: Every limit that is leaned on, the most used first.
        calls_per_second: Requests by operation.
        usd_a_month: The bill by service.
    """

    x: float
    orders_per_second: float
    shards: int
    containers: int
    limits: tuple[Load, ...]
    calls_per_second: dict[str, float]
    usd_a_month: dict[str, float]


class WhatIf(msgspec.Struct, frozen=True):
    """The pipeline at each scale, and how an order's calls were counted."""

    region: str
    scales: tuple[Scale, ...]
    counted: str
    schema: str = "shard-sizing/whatif/1"


@click.command()
@shared_options
@click.option("--orders", type=Number(min=0, min_open=True), required=True, help="Orders a second today.")
@click.option("--x", "times", default="1,10,100", show_default=True, help="Scales, separated by commas.")
@click.option("--burst-cv", type=Number(min=0), default=0.25, show_default=True)
@click.option("--consumers", type=click.IntRange(1, 20), default=7, show_default=True, help="Of the stream.")
@click.option("--applications", type=click.IntRange(min=1), default=10, show_default=True)
@click.option(
    "--payments-per-second",
    type=Number(min=0, min_open=True),
    default=5.0,
    show_default=True,
    help="The provider's limit.",
)
@click.option("--vcpus", type=Number(0.25, 16), default=0.25, show_default=True, help="Of a container.")
@click.option("--calls", "calls_file", type=FILE, help="Counts of another run.")
def whatif(
    *,
    shared: Shared,
    orders: float,
    times: str,
    burst_cv: float,
    consumers: int,
    applications: int,
    payments_per_second: float,
    vcpus: float,
    calls_file: Path | None,
) -> int:
    """Find what breaks first at each scale, and what the whole pipeline costs; exit 2 if something breaks."""
    counted, factors, prices = load_order_calls(calls_file), _factors(times), shared.prices
    scales = []
    with progress("sizing each scale", len(factors)) as step:
        for x in factors:
            pipeline = Pipeline(
                orders=orders * x,
                shards=_shards(counted, orders * x, burst_cv, consumers, shared),
                applications=applications,
                payments_per_second=payments_per_second,
                utilisation=0.7,
                vcpus=vcpus,
                log_bytes=1024,
                metrics=10,
                traced=0.05,
            )
            scales.append(
                Scale(
                    x,
                    pipeline.orders,
                    pipeline.shards,
                    containers(counted, pipeline),
                    loads(counted, pipeline, shared.limits, shared.region),
                    calls_per_second(counted, pipeline),
                    monthly_bill(counted, pipeline, prices),
                )
            )
            step(1)
    answer = WhatIf(shared.region, tuple(scales), f"{counted.date}: {counted.made_by}")
    if shared.plot:
        services = scales[0].usd_a_month
        stacks = {name: [scale.usd_a_month[name] for scale in scales] for name in services}
        labels = [f"x{scale.x:g}: {sum(scale.usd_a_month.values()):,.0f} USD" for scale in scales]
        plot_stacks(shared.plot, stacks=stacks, labels=labels, x="", y="share of the monthly bill, %")
    if shared.as_json:
        show_json(answer)
    else:
        _show(answer, prices.cited())
    return 2 if any(scale.limits[0].used > 1 for scale in scales) else 0


def _factors(times: str) -> list[float]:
    try:
        factors = [float(each) for each in times.split(",")]
    except ValueError as error:
        raise InputError("--x", f"{times!r} is no list of numbers such as 1,10,100") from error
    if not all(0 < factor < inf for factor in factors):
        raise InputError("--x", "a scale is a number above 0")
    return factors


def _shards(counted: OrderCalls, orders: float, burst_cv: float, consumers: int, shared: Shared) -> int:
    # Records are keyed by order, so no key is heavy, and an aggregate is one record.
    stream = synthetic(orders * counted.records, counted.record_bytes, 0.0, burst_cv, keys=_OPEN_ORDERS)
    found = size(
        stream, shared.limits, seed=shared.seed, name_sets=_NAME_SETS, consumers=consumers, seconds=1_000
    )
    return found.shards or found.naive


def _show(answer: WhatIf, cited: str) -> None:
    broken = next((scale for scale in answer.scales if scale.limits[0].used > 1), None)
    sentence = (
        f"At x{broken.x:g} the first to break is {broken.limits[0].name}: {broken.limits[0].asked:,.1f} "
        f"asked, {broken.limits[0].given:,.0f} given; {broken.limits[0].way_out}."
        if broken
        else "Nothing breaks at these scales."
    )
    scales = answer.scales
    rows = [
        ("orders/s", *(f"{scale.orders_per_second:,.1f}" for scale in scales)),
        ("shards", *(str(scale.shards) for scale in scales)),
        ("containers", *(str(scale.containers) for scale in scales)),
        *(
            (f"{name}, USD a month", *(f"{scale.usd_a_month[name]:,.2f}" for scale in scales))
            for name in scales[0].usd_a_month
        ),
        ("all, USD a month", *(f"{sum(scale.usd_a_month.values()):,.2f}" for scale in scales)),
    ]
    show_table(sentence, ("", *(f"x{scale.x:g}" for scale in scales)), rows, cited)
    for scale in answer.scales:
        for load in scale.limits:
            if load.used >= _NEAR:
                click.echo(
                    f"x{scale.x:g}: {load.name}: {load.asked:,.1f} of {load.given:,.0f} ({load.used:.0%}); "
                    f"{load.way_out}."
                )
        busiest = sorted(scale.calls_per_second.items(), key=lambda item: -item[1])[:5]
        click.echo(
            f"x{scale.x:g}: most called: {', '.join(f'{name} {each:,.1f}/s' for name, each in busiest)}."
        )
    click.echo(f"Calls of an order counted {answer.counted}. Mails are not priced; provisioned shards are.")
