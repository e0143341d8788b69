"""The output of ``whatif``, as JSON and in words."""

from collections.abc import Iterator
from typing import Final

import msgspec

from shard_sizing.cli.presentation.pictures import Bars, Picture, Stacks
from shard_sizing.cli.presentation.sheet import Sheet, Table
from shard_sizing.model.percent import percent
from shard_sizing.model.pipeline.bill import Cost
from shard_sizing.model.pipeline.load import Load
from shard_sizing.model.pipeline.usage import Usage

_NEAR: Final = 0.8  # of a limit: raise it before it breaks


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
        usage: What a month uses, in the units that AWS bills.
        usd: The bill by service, of the first month and of the first year; None by None where the Region's
            prices are not known.
    """

    x: float
    orders_per_second: float
    busiest: float
    shards: int
    containers: int
    limits: tuple[Load, ...]
    calls_per_second: dict[str, float]
    usage: tuple[Usage, ...]
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
        priced: Whether the price file covers the Region; without, there are units and limits and no bill.
    """

    region: str
    scales: tuple[Scale, ...]
    counted: str
    not_priced: tuple[str, ...]
    kinesis_floor: float | None
    peak_known: bool
    lines_of_one_sku: float | None
    priced: bool
    schema: str = "shard-sizing/whatif/4"


def whatif_sheet(answer: WhatIf, source: str) -> Sheet:
    """Return what breaks first, the limits, the bill as far as prices are known, and the units behind it.

    Args:
        answer: The scales.
        source: Where limits and prices were read.
    """
    scales, names = answer.scales, [f"x{scale.x:g}" for scale in answer.scales]
    broken = next((scale for scale in scales if scale.limits[0].used > 1), None)
    even = "" if answer.peak_known else ", if orders come evenly"
    sentence = (
        f"At x{broken.x:g} the first limit to break is {_asked(broken.limits[0])}."
        if broken
        else f"Nothing breaks at {'this scale' if len(scales) == 1 else 'these scales'}{even}."
    )
    if not answer.priced:
        sentence += f" {_no_prices(answer)}"
    tables = [
        Table(("", *names), _size_rows(answer), "The pipeline at each scale:"),
        Table(("limit", *names), _limit_rows(answer), "How much of each limit is used:"),
        Table(("a month", *names), _usage_rows(answer), "What a month of 730 hours uses:"),
    ]
    if answer.priced:
        tables.insert(1, Table(("USD, first month", *names), _bill_rows(answer), "The bill:"))
    return Sheet(sentence, tables, list(_notes(answer)), source, _picture(answer, sentence))


def _no_prices(answer: WhatIf) -> str:
    return (
        f"No prices of {answer.region} are on file, so there is no bill: multiply what a month uses by that "
        "Region's prices, or give them (--prices FILE)."
    )


def _size_rows(answer: WhatIf) -> list[tuple[str, ...]]:
    scales = answer.scales
    return [
        ("orders/s, mean", *(_rate(scale.orders_per_second) for scale in scales)),
        *(
            [("orders/s, busiest minutes", *(_rate(scale.busiest) for scale in scales))]
            if answer.peak_known
            else []
        ),
        ("shards of the order stream", *(f"{scale.shards:,}" for scale in scales)),
        ("containers", *(f"{scale.containers:,}" for scale in scales)),
    ]


def _limit_rows(answer: WhatIf) -> list[tuple[str, ...]]:
    used = [{load.name: load.used for load in scale.limits} for scale in answer.scales]
    return [(name, *(percent(each[name]) for each in used)) for name in used[-1]]


def _bill_rows(answer: WhatIf) -> list[tuple[str, ...]]:
    scales, some = answer.scales, "known prices" if answer.scales[0].unknown else "total"
    return [
        *((name, *(_usd(scale.usd[name].first_month) for scale in scales)) for name in scales[0].usd),
        (f"{some}, first month", *(_usd(scale.total("first_month")) for scale in scales)),
        (f"{some}, twelve months", *(_usd(scale.total("first_year")) for scale in scales)),
    ]


def _usage_rows(answer: WhatIf) -> list[tuple[str, ...]]:
    return [
        (f"{first.service}: {first.unit}", *(_rate(scale.usage[row].amount) for scale in answer.scales))
        for row, first in enumerate(answer.scales[0].usage)
    ]


def _asked(load: Load) -> str:
    return f"{load.name}: {load.asked:,.1f} asked for, {load.given:,.0f} given. Way out: {load.way_out}"


def _notes(answer: WhatIf) -> Iterator[str]:
    for scale in answer.scales:
        for load in scale.limits:
            if load.used >= _NEAR:
                yield f"x{scale.x:g}: {_asked(load)}."
        busiest = sorted(scale.calls_per_second.items(), key=lambda item: -item[1])[:5]
        yield f"x{scale.x:g}: most requests: {', '.join(f'{name} {each:,.1f}/s' for name, each in busiest)}."
    if not answer.peak_known:
        yield "Orders are taken to come evenly; shops have busy minutes, and limits break in those (--peak)."
    if answer.lines_of_one_sku:
        yield (
            f"Not held against a limit: one SKU's stock is one item of DynamoDB, which takes some "
            f"{answer.lines_of_one_sku:,.0f} lines a second, whatever the scale."
        )
    if answer.priced and (unknown := answer.scales[0].unknown):
        yield f"Prices not known in {answer.region}, so not in the sums: {', '.join(unknown)}."
    if answer.kinesis_floor is not None:
        yield (
            f"Kinesis alone is at least {answer.kinesis_floor:,.2f} USD in twelve months: one shard in each "
            "stream, without a record."
        )
    yield f"Not priced: {', '.join(answer.not_priced)}."
    yield "--template FOLDER prices what a synthesized deployment has of it, network and retention included."
    if answer.priced:
        yield "In twelve months nothing is deleted from tables and archive. Shards are provisioned."
    yield f"Calls of an order counted {answer.counted}."


def _picture(answer: WhatIf, sentence: str) -> Picture:
    scales = answer.scales
    if not answer.priced:
        last = scales[-1]
        return Bars(
            f"{sentence} Limits at x{last.x:g}:",
            [100 * load.used for load in last.limits],
            "",
            "used, % of the limit",
            labels=[load.name for load in last.limits],
            unit=" %",
            limit=100,
        )
    services = [name for name, cost in scales[0].usd.items() if cost.first_month is not None]
    stacks = {name: [scale.usd[name].first_month or 0.0 for scale in scales] for name in services}
    labels = [
        f"x{scale.x:g}: {scale.orders_per_second:,.3g} orders/s\n{scale.total('first_month'):,.0f} USD"
        for scale in scales
    ]
    return Stacks(sentence, stacks, labels, "", "share of the first month's bill, %")


def _rate(number: float) -> str:
    return f"{number:,.0f}" if number >= 100 else f"{number:,.3g}"


def _usd(amount: float | None) -> str:
    return "not known" if amount is None else f"{amount:,.2f}"
