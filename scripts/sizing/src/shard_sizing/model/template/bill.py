"""What a template costs: resource by resource, in a month and in twelve."""

from collections.abc import Iterable
from typing import Final

import msgspec

from shard_sizing.errors import UnknownPriceError
from shard_sizing.model.data_files import RegionPrices
from shard_sizing.model.pipeline.bill import Cost, cost_of
from shard_sizing.model.pipeline.load import Pipeline
from shard_sizing.model.pipeline.order_calls import OrderCalls
from shard_sizing.model.pipeline.usage import Usage
from shard_sizing.model.template.cloudformation import Resource, Templates
from shard_sizing.model.template.compute import SERVICE, task_size
from shard_sizing.model.template.priced import How, Priced
from shard_sizing.model.template.rules import priced
from shard_sizing.model.template.stores import STREAM, is_captured_into, is_on_demand, shards_of
from shard_sizing.model.template.used import used_in_a_month

NOT_IN_A_TEMPLATE: Final = (
    "traces",
    "traffic between zones and to the internet",
    "images in a registry",
    "KMS requests of Kinesis and DynamoDB",
    "the payment provider",
    "support and taxes",
)
"""What a real bill has besides, of which no resource of a template says anything."""


class Line(msgspec.Struct, frozen=True):
    """One line of the bill.

    Attributes:
        service: The service that bills it.
        unit: What is counted.
        amount: How many in a month of 730 hours; of ``kept`` data, what one month adds.
        kept: Whether it is data that stays, and is billed again in each later month.
        price: The name of its price in the price file.
        confirmed: Whether the price was read from AWS' own price list.
        usd: Of the first month and of twelve; None by None where the price is not known.
    """

    service: str
    unit: str
    amount: float
    kept: bool
    price: str
    confirmed: bool
    usd: Cost


class PricedResource(msgspec.Struct, frozen=True):
    """How one resource is priced.

    Attributes:
        stack: The template that declares it.
        logical_id: Its name there.
        type: Its type.
        how: Which lines it is in: by time, by use, both or none, since it is free or nothing prices it.
        standing: USD a month whether orders come or not; None if a price is not known.
        missing: What it costs besides, and why that is in no line.
        why_free: Why it costs nothing, if it does not.
    """

    stack: str
    logical_id: str
    type: str
    how: How
    standing: float | None
    missing: tuple[str, ...]
    why_free: str


class Deployed(msgspec.Struct, frozen=True):
    """How large a template's pipeline is.

    Attributes:
        tasks: Tasks of all services.
        vcpus: vCPUs of all tasks.
        shards: Shards of the streams of orders that are provisioned; 0 if Kinesis chooses.
        stock_shards: Shards of the streams that captured changes go into.
    """

    tasks: int
    vcpus: float
    shards: int
    stock_shards: int


def deployed(templates: Templates) -> Deployed:
    """Return how large a template's pipeline is.

    Raises:
        InputError: The template does not say.
    """
    sizes = [task_size(each) for each in templates if each.type == SERVICE]
    streams = [each for each in templates if each.type == STREAM]
    shards = [(is_captured_into(each), 0 if is_on_demand(each) else shards_of(each)) for each in streams]
    return Deployed(
        tasks=int(sum(tasks for tasks, _, _ in sizes)),
        vcpus=sum(tasks * vcpus for tasks, vcpus, _ in sizes),
        shards=sum(number for captured, number in shards if not captured),
        stock_shards=sum(number for captured, number in shards if captured),
    )


class Bill(msgspec.Struct, frozen=True):
    """The bill of a template.

    Attributes:
        standing: What is paid for whether orders come or not, requests that are made without them included.
        by_orders: What the orders add.
        resources: How each resource is priced, every one of the templates.
    """

    standing: tuple[Line, ...]
    by_orders: tuple[Line, ...]
    resources: tuple[PricedResource, ...]

    def usd(self, lines: Iterable[Line], span: str) -> float:
        """Return USD of the lines whose prices are known, over ``first_month`` or ``first_year``."""
        return sum(getattr(line.usd, span) or 0.0 for line in lines)


def bill_of(templates: Templates, counted: OrderCalls, pipeline: Pipeline, prices: RegionPrices) -> Bill:
    """Return what a template costs.

    Args:
        templates: The templates.
        counted: What one order makes the pipeline do.
        pipeline: Orders, and what ``deployed`` says.
        prices: One Region's prices.

    Raises:
        InputError: A price depends on what the templates do not say.
    """
    found = [(resource, priced(resource)) for resource in templates]
    rules = [each for _, each in found]
    idle = used_in_a_month(counted, msgspec.structs.replace(pipeline, orders=0.0, peak=0.0), rules)
    together = used_in_a_month(counted, pipeline, rules)
    ordered = [
        msgspec.structs.replace(each, amount=each.amount - without.amount)
        for each, without in zip(together, idle, strict=True)
    ]
    return Bill(
        _lines((*(used for each in rules for used in each.standing), *idle), prices),
        _lines(ordered, prices),
        tuple(_resource(resource, each, prices) for resource, each in found),
    )


def _lines(used: Iterable[Usage], prices: RegionPrices) -> tuple[Line, ...]:
    together: dict[tuple[str, str, str, bool], float] = {}
    for each in used:
        name = (each.service, each.unit, each.price, each.kept)
        together[name] = together.get(name, 0.0) + each.amount
    return tuple(
        Line(
            service,
            unit,
            amount,
            kept,
            price,
            prices.is_confirmed(price),
            cost_of([Usage(service, unit, amount, price, kept)], prices),
        )
        for (service, unit, price, kept), amount in sorted(together.items())
        if amount
    )


def _resource(resource: Resource, found: Priced, prices: RegionPrices) -> PricedResource:
    usd: float | None
    try:
        usd = sum(each.amount * prices[each.price] for each in found.standing)
    except UnknownPriceError:
        usd = None
    return PricedResource(
        resource.stack.name,
        resource.logical_id,
        resource.type,
        found.how,
        usd,
        found.missing,
        found.free,
    )
