"""The output of ``whatif --template``, as JSON and in words."""

from collections.abc import Iterator, Sequence
from typing import Final, get_args

import msgspec

from shard_sizing.cli.presentation.output import counted as shown
from shard_sizing.cli.presentation.pictures import Bars, Picture
from shard_sizing.cli.presentation.sheet import Sheet, Table
from shard_sizing.model.data_files import RegionPrices
from shard_sizing.model.template.bill import Bill, Deployed, Line, PricedResource
from shard_sizing.model.template.priced import How
from shard_sizing.model.template.used import CUSTOM_METRICS

_HOWS: Final[tuple[How, ...]] = get_args(How)
_NOTHING_PRICES: Final[How] = "not priced"


class PricedTemplate(msgspec.Struct, frozen=True):
    """What a template costs at a load.

    Attributes:
        region: Whose prices these are.
        orders_a_month: Orders in a month of 730 hours.
        lines: Lines of each.
        deployed: How large the template's pipeline is.
        shards_needed: Shards of the order stream that the orders need.
        vcpus_needed: vCPUs that they need.
        bill: What it costs.
        not_priced: What a real bill has besides.
        counted: When and how an order's calls were counted.
        peak_known: Whether the busiest minutes were given; else orders are taken to come evenly.
    """

    region: str
    orders_a_month: float
    lines: float
    deployed: Deployed
    shards_needed: int
    vcpus_needed: float
    bill: Bill
    not_priced: tuple[str, ...]
    counted: str
    peak_known: bool
    schema: str = "shard-sizing/whatif-template/1"

    @property
    def carries(self) -> bool:
        """Whether the template has as many shards and vCPUs as the orders need."""
        return not any(self.short_of)

    @property
    def short_of(self) -> Iterator[str]:
        """What the template has less of than the orders need."""
        has = self.deployed
        if has.shards and has.shards < self.shards_needed:
            yield f"{self.shards_needed:,} shards, and it has {has.shards:,}"
        if has.vcpus < self.vcpus_needed:
            yield f"{self.vcpus_needed:,.3g} vCPUs, and it begins with {has.vcpus:g}"

    @property
    def unpriced(self) -> Iterator[PricedResource]:
        """Resources of which something is in no line."""
        return (each for each in self.bill.resources if each.missing or each.standing is None)


def template_sheet(answer: PricedTemplate, prices: RegionPrices) -> Sheet:
    """Return the sum, the lines of the bill, and what nothing prices.

    Args:
        answer: The bill.
        prices: The prices that it was made by.
    """
    bill = answer.bill
    lines = (*bill.standing, *bill.by_orders)
    month, year = (bill.usd(lines, span) for span in ("first_month", "first_year"))
    sentence = (
        f"At {answer.orders_a_month:,.0f} orders a month, of {_lines(answer.lines)} each, the template costs "
        f"{month:,.2f} USD in the first month and {year:,.2f} USD in twelve; "
        f"{bill.usd(bill.standing, 'first_month'):,.2f} USD a month of it whether orders come or not."
    )
    if not answer.carries:
        sentence += f" It does not carry them: they need {' and '.join(answer.short_of)}."
    tables = (
        Table(_COLUMNS, _rows(bill.standing), "Whether orders come or not:"),
        Table(_COLUMNS, _rows(bill.by_orders), "What the orders add:"),
        Table(("resources", "", "types"), _classes(bill), "Every resource of the template:"),
        *_not_priced(answer),
    )
    return Sheet(sentence, tables, list(_notes(answer)), _source(lines, prices), _picture(sentence, lines))


def _lines(number: float) -> str:
    return f"{number:,.3g} line{'' if number == 1 else 's'}"


_COLUMNS: Final = ("", "a month", "USD, 1st month", "USD, 12 months")


def _rows(lines: Sequence[Line]) -> list[tuple[str, ...]]:
    return [
        (
            f"{line.service}: {line.unit}",
            f"{line.amount:,.0f}" if line.amount >= 100 else f"{line.amount:,.3g}",
            _usd(line.usd.first_month, line.confirmed),
            _usd(line.usd.first_year, line.confirmed),
        )
        for line in lines
    ]


def _usd(amount: float | None, confirmed: bool) -> str:
    if amount is None:
        return "not known"
    return f"{amount:,.2f}" if confirmed else f"{amount:,.2f} *"


def _classes(bill: Bill) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for how in _HOWS:
        of_it = [each for each in bill.resources if each.how == how]
        types = sorted({each.type.removeprefix("AWS::") for each in of_it})
        if of_it:
            rows.append((how, f"{len(of_it):,}", ", ".join(types)))
    return rows


def _not_priced(answer: PricedTemplate) -> Iterator[Table]:
    alike: dict[tuple[str, str], list[str]] = {}
    for each in answer.unpriced:
        unknown = ("its price is not on file",) if each.standing is None else ()
        alike.setdefault((each.type, "; ".join((*unknown, *each.missing))), []).append(each.logical_id)
    rows = [(f"{', '.join(names)} ({kind})", missing) for (kind, missing), names in alike.items()]
    if rows:
        yield Table(("resource", "what is in no line"), rows, "Not priced, or not wholly:")


def _notes(answer: PricedTemplate) -> Iterator[str]:
    lines = (*answer.bill.standing, *answer.bill.by_orders)
    if any(not line.confirmed and line.usd.first_month is not None for line in lines):
        yield "*: the price is not confirmed by AWS' own price list (the sources are named below)."
    if unknown := sorted({line.price for line in lines if line.usd.first_month is None}):
        yield f"Not in the sums, as the price is not on file for {answer.region}: {', '.join(unknown)}."
    if answer.deployed.shards:
        needed = shown(answer.shards_needed, "shard")
        yield f"The orders need {needed}; the template has {answer.deployed.shards:,}."
    yield "Free tiers are ignored. Tasks are those that the template begins with; scaling adds more."
    yield "In twelve months nothing is deleted from tables and archive; what is archived stays in Standard."
    yield (
        f"Reckoned with one request to the API an order (look-ups come on top) and at most {CUSTOM_METRICS} "
        "custom metrics."
    )
    if not answer.peak_known:
        yield "Orders are taken to come evenly; shops have busy minutes (--peak)."
    yield f"No resource says anything of: {', '.join(answer.not_priced)}."
    yield f"Calls of an order counted {answer.counted}."


def _source(lines: Sequence[Line], prices: RegionPrices) -> str:
    return prices.cited(tuple(sorted({line.price for line in lines})))


def _picture(sentence: str, lines: Sequence[Line]) -> Picture:
    services: dict[str, float] = {}
    for line in lines:
        services[line.service] = services.get(line.service, 0.0) + (line.usd.first_month or 0.0)
    dearest = sorted(services, key=lambda name: -services[name])
    return Bars(
        sentence,
        [services[name] for name in dearest],
        "",
        "USD, first month",
        labels=dearest,
        unit=" USD",
    )
