"""What a month uses of a template's resources, in the units that AWS bills."""

import math
from collections.abc import Iterable, Iterator
from typing import Final

import msgspec

from shard_sizing.model.cost.monthly import HOURS
from shard_sizing.model.pipeline.load import Pipeline, calls_per_second
from shard_sizing.model.pipeline.order_calls import OrderCalls
from shard_sizing.model.pipeline.usage import Usage, usage
from shard_sizing.model.template.priced import Priced
from shard_sizing.model.workload.sizes import KIB

CUSTOM_METRICS: Final = 244
"""Custom metrics that all processes write together at most, however many containers there are.

It is the sum of the table of custom metrics in the operations guide, which is generated.
"""

REQUESTS_OF_AN_ORDER: Final = 1.0
"""Requests to the orders API for one order, at least: the one that makes it."""

_MONTH: Final = HOURS * 3600
_GB: Final = float(2**30)
_EACH: Final = frozenset({"efo_gb", "sns_email_million", "standard_extended_gb_month"})
"""Prices that each resource pays for all orders; of others the resources of a kind share the orders."""


def used_in_a_month(counted: OrderCalls, pipeline: Pipeline, found: Iterable[Priced]) -> tuple[Usage, ...]:
    """Return what a month uses, of all that the rules of a template name a price of.

    Args:
        counted: What one order makes the pipeline do.
        pipeline: Orders, shards and tasks.
        found: What the rules say of each resource.
    """
    times: dict[str, float] = {}
    carries: set[str] = set()
    for priced in found:
        carries.update(priced.carries)
        for price, often in priced.by_use:
            times[price] = (
                times.get(price, 0.0) + often if price in _EACH else max(times.get(price, 0.0), often)
            )
    lines = (*_counted(counted, pipeline), *_besides(counted, pipeline, carries))
    return tuple(
        msgspec.structs.replace(each, amount=each.amount * times[each.price])
        for each in lines
        if each.price in times
    )


def _counted(counted: OrderCalls, pipeline: Pipeline) -> Iterator[Usage]:
    """What the pipeline uses of each service, without what a template says: how many there are of a thing."""
    for each in usage(counted, pipeline):
        if each.price == "put_million":
            yield msgspec.structs.replace(each, amount=_put_units(counted, pipeline, each.amount))
        elif each.price == "cloudwatch_metric_month":
            yield Usage(each.service, "custom metrics, at most", CUSTOM_METRICS, each.price)
        else:
            yield each


def _put_units(counted: OrderCalls, pipeline: Pipeline, together: float) -> float:
    # The stream of orders pays otherwise on demand; what is captured goes into the other one.
    if pipeline.shards:
        return together
    return counted.captured_changes * pipeline.orders * _MONTH / 1e6


def _besides(counted: OrderCalls, pipeline: Pipeline, carries: set[str]) -> Iterator[Usage]:
    """What the pipeline's own bill has no line for."""
    orders = pipeline.orders * _MONTH
    written = counted.records * counted.record_bytes * orders
    yield Usage("API Gateway", "million requests", orders * REQUESTS_OF_AN_ORDER / 1e6, "api_http_million")
    kib = counted.records * math.ceil(counted.record_bytes / KIB) * KIB * orders
    yield Usage("Kinesis", "GB in, each record in whole KB", kib / _GB, "standard_in_gb")
    yield Usage("Kinesis", "GB out", written * counted.readers / _GB, "standard_out_gb")
    yield Usage("Kinesis", "GB out by enhanced fan-out", written / _GB, "efo_gb")
    yield Usage(
        "Kinesis", "GB that are kept for days", written / _MONTH * 86_400 / _GB, "standard_extended_gb_month"
    )
    kept = counted.stored_bytes * orders / _GB
    yield Usage("DynamoDB", "GB that can be restored", kept, "dynamodb_pitr_gb_month", kept=True)
    published = calls_per_second(counted, pipeline).get("sns.Publish", 0.0) * _MONTH
    yield Usage("SNS", "million mails to operators", published / 1e6, "sns_email_million")
    logs = next(each.amount for each in usage(counted, pipeline) if each.price == "cloudwatch_logs_gb")
    yield Usage("CloudWatch", "GB of logs that are kept", logs, "cloudwatch_logs_gb_month")
    yield Usage(
        "VPC", "GB through endpoints", _through_endpoints(counted, pipeline, carries, logs), "endpoint_gb"
    )


def _through_endpoints(counted: OrderCalls, pipeline: Pipeline, carries: set[str], logs_gb: float) -> float:
    """Return GB of bodies of requests, of records that are read, and of logs."""
    orders = pipeline.orders * _MONTH
    sent = sum(size for name, size in counted.bytes.items() if name.split(".")[0] in carries) * orders / _GB
    read = counted.bytes["kinesis.PutRecords"] * counted.readers * orders / _GB
    return sent + (read if "kinesis" in carries else 0.0) + (logs_gb if "logs" in carries else 0.0)
