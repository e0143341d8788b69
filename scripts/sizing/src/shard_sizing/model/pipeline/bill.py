"""What the whole pipeline costs in a month and in its first year, service by service."""

import math
from collections.abc import Callable
from typing import Final

import msgspec

from shard_sizing.errors import UnknownPriceError
from shard_sizing.model.cost.monthly import HOURS
from shard_sizing.model.data_files import RegionPrices
from shard_sizing.model.pipeline.load import Pipeline, calls_per_second, containers, idle_calls
from shard_sizing.model.pipeline.order_calls import OrderCalls
from shard_sizing.model.workload.sizes import PUT_UNIT_BYTES

MONTHS: Final = 12
NOT_PRICED: Final = (
    "the load balancer",
    "NAT gateways or interface endpoints",
    "public IPv4 addresses",
    "traffic between Availability Zones and to the internet",
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

_GB: Final = float(2**30)
_MONTH: Final = HOURS * 3600
_READS: Final = frozenset({"GetItem", "Query", "Scan", "BatchGetItem", "TransactGetItems"})
_S3_READS: Final = frozenset({"GetObject", "HeadObject"})


class Cost(msgspec.Struct, frozen=True):
    """USD of one service; None where the Region's price is not known.

    Attributes:
        first_month: The first month of 730 hours.
        first_year: Twelve months, in which nothing is deleted from tables and archive.
    """

    first_month: float | None
    first_year: float | None


class _Running(msgspec.Struct, frozen=True):
    """USD a month that is the same each month, and USD for keeping one month's data for one month."""

    each_month: float
    kept: float = 0.0

    def cost(self) -> Cost:
        # Data arrives evenly, so what a month brings is there for half of it, and wholly in each later one.
        return Cost(
            self.each_month + self.kept * 0.5,
            self.each_month * MONTHS + self.kept * sum(month + 0.5 for month in range(MONTHS)),
        )


def bill(counted: OrderCalls, pipeline: Pipeline, prices: RegionPrices) -> dict[str, Cost]:
    """Return what each service costs."""
    services: dict[str, Callable[[], _Running]] = {
        "Kinesis": lambda: _kinesis(counted, pipeline, prices),
        "DynamoDB": lambda: _dynamodb(counted, pipeline, prices),
        "SQS": lambda: _requests(counted, pipeline, "sqs", prices["sqs_million"]),
        "SNS": lambda: _requests(counted, pipeline, "sns", prices["sns_million"], "Publish"),
        "SES": lambda: _requests(counted, pipeline, "ses", prices["ses_million"], "Send"),
        "S3": lambda: _s3(counted, pipeline, prices),
        "Fargate": lambda: _fargate(counted, pipeline, prices),
        "KMS": lambda: _kms(counted, pipeline, prices),
        "CloudWatch": lambda: _cloudwatch(counted, pipeline, prices),
    }
    return {name: _known(running) for name, running in services.items()}


def kinesis_floor(pipeline: Pipeline, prices: RegionPrices) -> float:
    """Return USD a year for one provisioned shard in each of the two streams, without a single record.

    Raises:
        UnknownPriceError: The Region's price of a shard is not known.
    """
    streams = 1 + (pipeline.stock_shards > 0)
    return streams * prices["shard_hour"] * HOURS * MONTHS


def _known(running: Callable[[], _Running]) -> Cost:
    try:
        return running().cost()
    except UnknownPriceError:
        return Cost(None, None)


def _a_month(counted: OrderCalls, pipeline: Pipeline, service: str) -> dict[str, float]:
    calls = calls_per_second(counted, pipeline)
    return {
        name.split(".")[1]: each * _MONTH for name, each in calls.items() if name.startswith(f"{service}.")
    }


def _requests(
    counted: OrderCalls, pipeline: Pipeline, service: str, million: float, operations: str = ""
) -> _Running:
    calls = _a_month(counted, pipeline, service)
    billed = sum(each for operation, each in calls.items() if operation.startswith(operations))
    return _Running(billed / 1e6 * million)


def _kinesis(counted: OrderCalls, pipeline: Pipeline, prices: RegionPrices) -> _Running:
    # Records and captured changes are far smaller than a PUT unit, so the mean rounds as each of them does.
    units = counted.records * math.ceil(counted.record_bytes / PUT_UNIT_BYTES) + counted.captured_changes
    shards = pipeline.shards + pipeline.stock_shards
    return _Running(
        shards * prices["shard_hour"] * HOURS + units * pipeline.orders * _MONTH / 1e6 * prices["put_million"]
    )


def _dynamodb(counted: OrderCalls, pipeline: Pipeline, prices: RegionPrices) -> _Running:
    idle = {
        name.split(".")[1]: each
        for name, each in idle_calls(counted, pipeline).items()
        if name.startswith("dynamodb.")
    }
    idle_reads = sum(each for operation, each in idle.items() if operation in _READS)
    orders = pipeline.orders * _MONTH
    # Heartbeats, leases and rate limits are items far below a KiB: a call is a unit.
    writes = sum(counted.write_units.values()) * orders + (sum(idle.values()) - idle_reads) * _MONTH
    reads = sum(counted.read_units.values()) * orders + idle_reads * _MONTH
    captured = counted.captured_changes * orders * bool(pipeline.stock_shards)
    return _Running(
        writes / 1e6 * prices["dynamodb_write_million"]
        + reads / 1e6 * prices["dynamodb_read_million"]
        + (captured / 1e6 * prices["dynamodb_capture_million"] if captured else 0.0),
        kept=counted.stored_bytes * orders / _GB * prices["dynamodb_gb_month"],
    )


def _s3(counted: OrderCalls, pipeline: Pipeline, prices: RegionPrices) -> _Running:
    calls = _a_month(counted, pipeline, "s3")
    gets = sum(each for operation, each in calls.items() if operation in _S3_READS)
    archived = counted.bytes.get("s3.PutObject", 0.0) * pipeline.orders * _MONTH / _GB
    return _Running(
        (sum(calls.values()) - gets) / 1e3 * prices["s3_put_thousand"]
        + gets / 1e3 * prices["s3_get_thousand"],
        kept=archived * prices["s3_gb_month"],
    )


def _fargate(counted: OrderCalls, pipeline: Pipeline, prices: RegionPrices) -> _Running:
    vcpu, memory = prices["fargate_arm_vcpu_hour"], prices["fargate_arm_gb_hour"]
    return _Running(containers(counted, pipeline) * pipeline.vcpus * (vcpu + 2 * memory) * HOURS)


def _kms(counted: OrderCalls, pipeline: Pipeline, prices: RegionPrices) -> _Running:
    # One key; S3 asks it for each object, the other services keep data keys for minutes.
    asked = sum(_a_month(counted, pipeline, "s3").values())
    return _Running(prices["kms_key_month"] + asked / 1e4 * prices["kms_ten_thousand"])


def _cloudwatch(counted: OrderCalls, pipeline: Pipeline, prices: RegionPrices) -> _Running:
    orders = pipeline.orders * _MONTH
    logged = pipeline.log_bytes * orders / _GB
    return _Running(
        containers(counted, pipeline) * pipeline.metrics * prices["cloudwatch_metric_month"]
        + logged * prices["cloudwatch_logs_gb"]
        + pipeline.traced * orders / 1e6 * prices["xray_million"]
    )
