"""What the whole pipeline costs in a month and in its first year, service by service."""

from collections.abc import Sequence
from typing import Final

import msgspec

from shard_sizing.errors import UnknownPriceError
from shard_sizing.model.cost.monthly import HOURS
from shard_sizing.model.data_files import RegionPrices
from shard_sizing.model.pipeline.load import Pipeline
from shard_sizing.model.pipeline.order_calls import OrderCalls
from shard_sizing.model.pipeline.usage import Usage, usage

MONTHS: Final = 12
NOT_PRICED: Final = (
    "the network (load balancer or API gateway, NAT gateways or interface endpoints, public IPv4 addresses)",
    "traffic between Availability Zones and to the internet",
    "retention of the streams beyond a day",
    "logs that are kept, and a line for each message (ORDERSTREAM_SLOW_SECONDS=0)",
    "the read model's database",
    "backups and point-in-time recovery",
    "alarms and dashboards",
    "KMS requests of Kinesis and DynamoDB",
    "container images",
    "the payment provider",
    "support and taxes",
)
"""What a real bill has besides; no figure here covers it."""

PIPELINE_PRICES: Final = (
    "shard_",
    "put_",
    "dynamodb_",
    "sqs_",
    "sns_",
    "ses_",
    "s3_",
    "fargate_",
    "kms_",
    "cloudwatch_",
    "xray_",
)
"""How the names of the prices that are used here begin."""


class Cost(msgspec.Struct, frozen=True):
    """USD of one service; None where the Region's price is not known.

    Attributes:
        first_month: The first month of 730 hours.
        first_year: Twelve months, in which nothing is deleted from tables and archive.
    """

    first_month: float | None
    first_year: float | None


def bill(counted: OrderCalls, pipeline: Pipeline, prices: RegionPrices) -> dict[str, Cost]:
    """Return what each service costs."""
    services: dict[str, list[Usage]] = {}
    for each in usage(counted, pipeline):
        services.setdefault(each.service, []).append(each)
    return {name: cost_of(used, prices) for name, used in services.items()}


def kinesis_floor(pipeline: Pipeline, prices: RegionPrices) -> float:
    """Return USD a year for one provisioned shard in each of the two streams, without a single record.

    Raises:
        UnknownPriceError: The Region's price of a shard is not known.
    """
    streams = 1 + (pipeline.stock_shards > 0)
    return streams * prices["shard_hour"] * HOURS * MONTHS


def cost_of(used: Sequence[Usage], prices: RegionPrices) -> Cost:
    """Return what is paid for what is used; None by None if one of the prices is not known."""
    try:
        priced = [(each.kept, each.amount * prices[each.price]) for each in used]
    except UnknownPriceError:
        return Cost(None, None)
    each_month = sum(usd for kept, usd in priced if not kept)
    added = sum(usd for kept, usd in priced if kept)
    # Data arrives evenly, so what a month brings is there for half of it, and wholly in each later one.
    return Cost(
        each_month + added * 0.5, each_month * MONTHS + added * sum(month + 0.5 for month in range(MONTHS))
    )
