"""What the whole pipeline uses in a month, in the units that AWS bills: the same in every Region."""

from typing import Final

import msgspec

from shard_sizing.model.cost.monthly import HOURS
from shard_sizing.model.pipeline.load import Pipeline, calls_per_second, containers, idle_calls
from shard_sizing.model.pipeline.order_calls import OrderCalls

_GB: Final = float(2**30)
_MONTH: Final = HOURS * 3600
_READS: Final = frozenset({"GetItem", "Query", "Scan", "BatchGetItem", "TransactGetItems"})
_S3_READS: Final = frozenset({"GetObject", "HeadObject"})
_MEMORY_GB: Final = 2.0  # of a container, for each vCPU


class Usage(msgspec.Struct, frozen=True):
    """What is used of one thing that AWS bills.

    Attributes:
        service: The service that bills it.
        unit: What is counted, as the price counts it.
        amount: How many in a month of 730 hours; of ``kept`` data, what one month adds.
        price: The name of its price in the price file.
        kept: Whether it is data that stays, and is billed again in each later month.
    """

    service: str
    unit: str
    amount: float
    price: str
    kept: bool = False


def usage(counted: OrderCalls, pipeline: Pipeline) -> tuple[Usage, ...]:
    """Return what a month of the pipeline uses, in the order of the bill."""
    return (
        *_kinesis(counted, pipeline),
        *_dynamodb(counted, pipeline),
        *_messages(counted, pipeline),
        *_s3(counted, pipeline),
        *_containers(counted, pipeline),
        *_kms(counted, pipeline),
        *_observed(counted, pipeline),
    )


def _a_month(counted: OrderCalls, pipeline: Pipeline, service: str) -> dict[str, float]:
    calls = calls_per_second(counted, pipeline)
    return {
        name.split(".")[1]: each * _MONTH for name, each in calls.items() if name.startswith(f"{service}.")
    }


def _kinesis(counted: OrderCalls, pipeline: Pipeline) -> tuple[Usage, ...]:
    # A captured change is far smaller than a PUT unit.
    units = counted.units["kinesis_put"] + counted.captured_changes
    shards = pipeline.shards + pipeline.stock_shards
    return (
        Usage("Kinesis", "shard-hours", shards * HOURS, "shard_hour"),
        Usage("Kinesis", "million PUT payload units", units * pipeline.orders * _MONTH / 1e6, "put_million"),
    )


def _dynamodb(counted: OrderCalls, pipeline: Pipeline) -> tuple[Usage, ...]:
    idle = {
        name.split(".")[1]: each
        for name, each in idle_calls(counted, pipeline).items()
        if name.startswith("dynamodb.")
    }
    idle_reads = sum(each for operation, each in idle.items() if operation in _READS)
    orders = pipeline.orders * _MONTH
    # Heartbeats, leases and rate limits are items far below a KiB: a call is a unit.
    writes = counted.units["dynamodb_write"] * orders + (sum(idle.values()) - idle_reads) * _MONTH
    reads = counted.units["dynamodb_read"] * orders + idle_reads * _MONTH
    kept = counted.stored_bytes * orders / _GB
    captured = Usage(
        "DynamoDB",
        "million captured changes",
        counted.captured_changes * orders / 1e6,
        "dynamodb_capture_million",
    )
    return (
        Usage("DynamoDB", "million write units", writes / 1e6, "dynamodb_write_million"),
        Usage("DynamoDB", "million read units", reads / 1e6, "dynamodb_read_million"),
        # What is not captured needs no price: a Region may well lack it.
        *([captured] if pipeline.stock_shards else []),
        Usage("DynamoDB", "GB added to tables", kept, "dynamodb_gb_month", kept=True),
    )


def _idle(counted: OrderCalls, pipeline: Pipeline, service: str) -> float:
    """Requests of a month that are made whether orders come or not."""
    calls = idle_calls(counted, pipeline)
    return sum(each for name, each in calls.items() if name.startswith(f"{service}.")) * _MONTH


def _of_orders(counted: OrderCalls, pipeline: Pipeline, unit: str) -> float:
    return counted.units.get(unit, 0.0) * pipeline.orders * _MONTH


def _messages(counted: OrderCalls, pipeline: Pipeline) -> tuple[Usage, ...]:
    requests = _of_orders(counted, pipeline, "sqs_request") + _idle(counted, pipeline, "sqs")
    published = _of_orders(counted, pipeline, "sns_publish")
    mails = _of_orders(counted, pipeline, "ses_mail")
    return (
        Usage("SQS", "million requests", requests / 1e6, "sqs_million"),
        Usage("SNS", "million publishes", published / 1e6, "sns_million"),
        Usage("SES", "million mails", mails / 1e6, "ses_million"),
    )


def _s3(counted: OrderCalls, pipeline: Pipeline) -> tuple[Usage, ...]:
    # What is asked while no order comes is whether the bucket is there: a HEAD, billed as a GET.
    gets = _of_orders(counted, pipeline, "s3_get") + _idle(counted, pipeline, "s3")
    puts = _of_orders(counted, pipeline, "s3_put")
    archived = counted.bytes.get("s3.PutObject", 0.0) * pipeline.orders * _MONTH / _GB
    return (
        Usage("S3", "thousand PUTs and LISTs", puts / 1e3, "s3_put_thousand"),
        Usage("S3", "thousand GETs", gets / 1e3, "s3_get_thousand"),
        Usage("S3", "GB added to the archive", archived, "s3_gb_month", kept=True),
    )


def _containers(counted: OrderCalls, pipeline: Pipeline) -> tuple[Usage, ...]:
    hours = containers(counted, pipeline) * pipeline.vcpus * HOURS
    return (
        Usage("Fargate", "vCPU-hours (ARM)", hours, "fargate_arm_vcpu_hour"),
        Usage("Fargate", "GB-hours of memory", hours * _MEMORY_GB, "fargate_arm_gb_hour"),
    )


def _kms(counted: OrderCalls, pipeline: Pipeline) -> tuple[Usage, ...]:
    # One key; S3 asks it for each object, the other services keep data keys for minutes.
    asked = sum(_a_month(counted, pipeline, "s3").values())
    return (
        Usage("KMS", "keys", 1.0, "kms_key_month"),
        Usage("KMS", "ten thousand requests", asked / 1e4, "kms_ten_thousand"),
    )


def _observed(counted: OrderCalls, pipeline: Pipeline) -> tuple[Usage, ...]:
    orders = pipeline.orders * _MONTH
    metrics = float(containers(counted, pipeline) * pipeline.metrics)
    logged = _of_orders(counted, pipeline, "log_byte")
    return (
        Usage("CloudWatch", "custom metrics", metrics, "cloudwatch_metric_month"),
        Usage("CloudWatch", "GB of logs", logged / _GB, "cloudwatch_logs_gb"),
        Usage("CloudWatch", "million traces (X-Ray)", pipeline.traced * orders / 1e6, "xray_million"),
    )
