"""What both sizes cost at a load that is often quoted; ``make yearly-cost`` writes it into the pages.

The figures follow from the templates in ``infra/billed``, the counted orders and the price file, so whatever
changes one of these changes the pages; ``test_yearly_cost.py`` says so.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from shard_sizing.model.cost.monthly import HOURS
from shard_sizing.model.data_files import load_prices
from shard_sizing.model.pipeline.load import Pipeline
from shard_sizing.model.pipeline.order_calls import load_order_calls
from shard_sizing.model.template.bill import Bill, bill_of, deployed
from shard_sizing.model.template.cloudformation import Templates, load_templates

ROOT: Final = Path(__file__).parents[2]
SIZES: Final[Mapping[str, tuple[str, str | None]]] = {
    "`small`": ("small", None),
    "`standard`": ("standard", None),
    "`standard`, `shards=1`": ("standard", "1"),
}
"""The folder of a size's templates, and the shards of the stream of orders unless as many as by default."""

LOADS: Final = ((1_000_000, 1.0), (182_000, 5.5))
"""Orders a month, and lines of each: a million units."""

PUBLISHED: Final = 222.84
"""USD in twelve months: the published figure of a comparable pipeline without a stream."""

_SHARDS: Final = re.compile(r'(?<="ShardCount": )[0-9]+')
_KINDS: Final[Mapping[str, tuple[str, ...]]] = {
    "Kinesis": ("shard_hour", "extended_shard_hour", "put_million"),
    "tasks (Fargate)": ("fargate_arm_vcpu_hour", "fargate_arm_gb_hour"),
    "database": ("aurora_acu_hour", "rds_postgres_t4g_micro_hour", "rds_gp3_gb_month", "secret_month"),
    "firewall, NAT gateway, endpoints, addresses": (
        "firewall_endpoint_hour",
        "nat_gateway_hour",
        "endpoint_hour",
        "endpoint_gb",
        "public_ipv4_hour",
    ),
    "custom metrics, at most": ("cloudwatch_metric_month",),
    "alarms, dashboards": ("alarm_standard_month", "alarm_high_resolution_month", "dashboard_month"),
    "DynamoDB": (
        "dynamodb_write_million",
        "dynamodb_read_million",
        "dynamodb_gb_month",
        "dynamodb_capture_million",
        "dynamodb_pitr_gb_month",
    ),
    "mails (SES)": ("ses_million",),
}
"""What a bill consists of, by the names of the prices."""


@cache
def bill(size: str, orders: int, lines: float) -> Bill:
    """The bill of a size at a load."""
    counted, prices = load_order_calls().with_lines(lines), load_prices().region("us-east-1")
    templates = _templates(*SIZES[size])
    has = deployed(templates)
    pipeline = Pipeline(
        orders=orders / (HOURS * 3600),
        shards=has.shards,
        stock_shards=has.stock_shards,
        readers=counted.readers,
        applications=has.tasks,
        payments_per_second=1.0,
        utilisation=0.7,
        vcpus=has.vcpus / has.tasks,
        metrics=0,
        traced=0.0,
    )
    return bill_of(templates, counted, pipeline, prices)


def _templates(folder: str, shards: str | None) -> Templates:
    with TemporaryDirectory() as deployed_in:
        for file in (ROOT / "infra" / "billed" / folder).iterdir():
            text = file.read_text(encoding="utf-8")
            if shards is not None:
                text = _SHARDS.sub(shards, text)
            (Path(deployed_in) / file.name).write_text(text, encoding="utf-8")
        return load_templates(Path(deployed_in), "us-east-1")


def usd(size: str, orders: int, lines: float, span: str, prices: tuple[str, ...] = ()) -> float:
    """USD of the lines with these prices, all by default."""
    found = bill(size, orders, lines)
    every = (*found.standing, *found.by_orders)
    return found.usd((line for line in every if not prices or line.price in prices), span)


def yearly() -> Iterator[str]:
    """The table of the sizing guide: every size at both loads."""
    yield "| size | orders a month | lines of each | first month, USD | twelve months, USD | times 222.84 |"
    yield "|---|--:|--:|--:|--:|--:|"
    for size in SIZES:
        for load in LOADS:
            month, year = (usd(size, *load, span) for span in ("first_month", "first_year"))
            cells = (
                f"{load[0]:,}",
                f"{load[1]:g}",
                f"{month:,.2f}",
                f"{year:,.2f}",
                f"{year / PUBLISHED:.1f}",
            )
            yield f"| {size} | {' | '.join(cells)} |"


def monthly() -> Iterator[str]:
    """The table of the guide to deployment: what the first month of each size consists of."""
    load = LOADS[1]
    yield f"| USD, first month | {' | '.join(SIZES)} |"
    yield f"|---|{'--:|' * len(SIZES)}"
    rest = whole = [usd(size, *load, "first_month") for size in SIZES]
    for name, prices in _KINDS.items():
        amounts = [usd(size, *load, "first_month", prices) for size in SIZES]
        rest = [left - amount for left, amount in zip(rest, amounts, strict=True)]
        if any(amounts):
            yield _row(name, amounts)
    yield _row("all else", rest)
    yield _row("together", whole)


def _row(name: str, amounts: list[float]) -> str:
    return f"| {name} | {' | '.join(f'{amount:,.2f}' for amount in amounts)} |"


def sentence() -> Iterator[str]:
    """The sentence of the README."""
    orders, lines = LOADS[1]
    small, _, standard = (usd(size, orders, lines, "first_month") for size in SIZES)
    yield (
        f"At {orders:,} orders of {lines} lines a month the small deployment costs {small:,.0f} USD a month, "
        f"the standard one {standard:,.0f} with one shard."
    )


PAGES: Final[Mapping[str, Callable[[], Iterator[str]]]] = {
    "docs/sizing.md": yearly,
    "docs/deployment.md": monthly,
    "README.md": sentence,
}
_BEGIN: Final = "<!-- Generated by `make yearly-cost`; do not edit. -->"
_END: Final = "<!-- End of what is generated. -->"
_BLOCK: Final = re.compile(f"(?<={re.escape(_BEGIN)}\n).*?(?={re.escape(_END)})", re.DOTALL)


def rendered(page: str) -> str:
    """A page with its figures as they are now."""
    text = (ROOT / page).read_text(encoding="utf-8")
    figures = "\n".join(PAGES[page]()) + "\n"
    found, times = _BLOCK.subn(lambda _: figures, text)
    assert times == 1, f"{page} has no place for its figures: {_BEGIN}"
    return found


def main() -> None:
    """Write the pages anew."""
    for page in PAGES:
        (ROOT / page).write_text(rendered(page), encoding="utf-8")


if __name__ == "__main__":
    main()
