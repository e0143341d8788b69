"""The whole pipeline at a scale: what every service is asked, which limit breaks first, what a month costs.

An order's calls were counted in a run of the pipeline (the data file says when and how). What pollers call
while nothing happens is counted apart: it grows with the shards, not with the orders.
"""

import math
from importlib.resources import files
from pathlib import Path
from typing import Final

import msgspec

from shard_sizing.errors import InputError
from shard_sizing.model.cost import HOURS
from shard_sizing.model.data_files import Limits, RegionPrices

_GB: Final = float(2**30)
_MONTH: Final = HOURS * 3600
_TRANSACTION: Final = 2  # a transactional write is billed twice
_READS: Final = frozenset({"GetItem", "Query", "Scan", "BatchGetItem", "TransactGetItems"})
_S3_READS: Final = frozenset({"GetObject", "HeadObject"})


class OrderCalls(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one order makes the pipeline do, as it was counted.

    Attributes:
        date: When it was counted.
        made_by: How it was counted.
        shards: Shards of the stream meanwhile.
        orders: Orders that were played.
        milliseconds_per_order: CPU time of all processes for one order.
        calls: Requests of one order by ``service.Operation``.
        entries: Records or items in them.
        bytes: Bytes of their bodies.
        idle_calls_per_second: Requests made while no order came, all processes together.
        schema: Name and version of this format.
    """

    date: str
    made_by: str
    shards: int
    orders: int
    milliseconds_per_order: float
    calls: dict[str, float]
    entries: dict[str, float]
    bytes: dict[str, float]
    idle_calls_per_second: dict[str, float]
    schema: str = "shard-sizing/calls-per-order/1"

    @property
    def records(self) -> float:
        """Kinesis records of one order."""
        return self.entries["kinesis.PutRecords"]

    @property
    def record_bytes(self) -> float:
        """Bytes of one of them: the request's body holds them in base64, four characters for three bytes."""
        return self.bytes["kinesis.PutRecords"] * 0.75 / self.records


class Pipeline(msgspec.Struct, frozen=True):
    """What surrounds the calls; none of it is counted, all of it can be set.

    Attributes:
        orders: Orders per second.
        shards: Shards of the order stream.
        applications: Applications, each at least one container.
        payments_per_second: What the payment provider takes.
        utilisation: Planned share of a container's time.
        vcpus: Of a container, with twice as many GB of memory.
        log_bytes: Bytes logged for one order.
        metrics: Custom metrics of one container.
        traced: Share of the orders that are traced.
    """

    orders: float
    shards: int
    applications: int
    payments_per_second: float
    utilisation: float
    vcpus: float
    log_bytes: float
    metrics: int
    traced: float


class Load(msgspec.Struct, frozen=True):
    """One limit: what is asked of it a second, what it gives, and whether it can be raised."""

    name: str
    asked: float
    given: float
    way_out: str

    @property
    def used(self) -> float:
        """Asked over given; beyond 1 it breaks."""
        return self.asked / self.given


def calls_per_second(counted: OrderCalls, pipeline: Pipeline) -> dict[str, float]:
    """Return the requests a second by operation, those of idle pollers included."""
    total = {name: each * pipeline.orders for name, each in counted.calls.items()}
    for name, idle in counted.idle_calls_per_second.items():
        # Streams are polled, and leases renewed, shard by shard.
        by_shards = pipeline.shards / counted.shards if name.startswith(("kinesis.", "dynamodb.")) else 1.0
        total[name] = total.get(name, 0.0) + idle * by_shards
    return dict(sorted(total.items()))


def containers(counted: OrderCalls, pipeline: Pipeline) -> int:
    """Return the containers that all applications need together."""
    busy = pipeline.orders * counted.milliseconds_per_order / 1000
    return max(pipeline.applications, math.ceil(busy / (pipeline.vcpus * pipeline.utilisation)))


def loads(counted: OrderCalls, pipeline: Pipeline, limits: Limits, region: str) -> tuple[Load, ...]:
    """Return every limit the pipeline leans on, the most used first."""
    calls = calls_per_second(counted, pipeline)
    quotas = limits.quotas
    s3_puts = sum(each for name, each in calls.items() if name.startswith("s3.Put"))
    found = [
        Load(
            "payment provider, charges/s",
            pipeline.orders,
            pipeline.payments_per_second,
            "a higher limit at the provider; until then payments queue in SQS",
        ),
        Load(
            "shards of the account", pipeline.shards, limits.quota(region), "Service Quotas: Kinesis shards"
        ),
        Load(
            "DynamoDB write units/s if one table had them all",
            _write_units(counted) * pipeline.orders,
            quotas["dynamodb_table_writes_per_second"],
            "Service Quotas: DynamoDB table-level write units; warm the table up before a launch",
        ),
        Load(
            "DynamoDB read units/s if one table had them all",
            _read_units(counted) * pipeline.orders,
            quotas["dynamodb_table_reads_per_second"],
            "Service Quotas: DynamoDB table-level read units",
        ),
        Load(
            "S3 PUT/s of one prefix", s3_puts, quotas["s3_puts_per_second"], "more prefixes, or larger files"
        ),
        Load(
            "SNS messages/s",
            calls.get("sns.Publish", 0.0),
            quotas["sns_publishes_per_second"],
            "Service Quotas: SNS messages published per second",
        ),
        Load(
            "SES mails/s",
            calls.get("ses.SendEmail", 0.0) + calls.get("ses.SendRawEmail", 0.0),
            quotas["ses_mails_per_second"],
            "Service Quotas: SES sending rate",
        ),
        Load(
            "Fargate vCPUs",
            containers(counted, pipeline) * pipeline.vcpus,
            quotas["fargate_vcpus"],
            "Service Quotas: Fargate on-demand vCPU count",
        ),
    ]
    return tuple(sorted(found, key=lambda load: -load.used))


def _write_units(counted: OrderCalls) -> float:
    units = 0.0
    for name, entries in counted.entries.items():
        service, operation = name.split(".")
        if service == "dynamodb" and operation not in _READS:
            units += entries * (_TRANSACTION if operation.startswith("Transact") else 1)
    return units


def _read_units(counted: OrderCalls) -> float:
    return sum(
        entries
        for name, entries in counted.entries.items()
        if name.startswith("dynamodb.") and name.split(".")[1] in _READS
    )


def monthly_bill(counted: OrderCalls, pipeline: Pipeline, prices: RegionPrices) -> dict[str, float]:
    """Return USD a month by service; a month's orders and archive are kept for that month."""
    calls = calls_per_second(counted, pipeline)

    def monthly(service: str, *starts: str) -> float:
        wanted = tuple(f"{service}.{start}" for start in starts or ("",))
        return sum(each for name, each in calls.items() if name.startswith(wanted)) * _MONTH

    orders = pipeline.orders * _MONTH
    idle_writes = sum(
        each
        for name, each in counted.idle_calls_per_second.items()
        if name.startswith("dynamodb.") and name.split(".")[1] not in _READS
    )
    idle_reads = sum(
        each for name, each in counted.idle_calls_per_second.items() if name.startswith("dynamodb.")
    )
    grown = pipeline.shards / counted.shards * _MONTH
    writes = _write_units(counted) * orders + idle_writes * grown
    reads = _read_units(counted) * orders + (idle_reads - idle_writes) * grown
    stored = sum(each for name, each in counted.bytes.items() if name.startswith("dynamodb.")) * orders / _GB
    archived = counted.bytes.get("s3.PutObject", 0.0) * orders / _GB
    fleet = containers(counted, pipeline)
    vcpu, memory = prices["fargate_arm_vcpu_hour"], prices["fargate_arm_gb_hour"]
    s3_gets = sum(monthly("s3", operation) for operation in _S3_READS)
    put_units = counted.records * math.ceil(counted.record_bytes / 25_000) * orders
    return {
        "Kinesis": pipeline.shards * prices["shard_hour"] * HOURS + put_units / 1e6 * prices["put_million"],
        "DynamoDB": writes / 1e6 * prices["dynamodb_write_million"]
        + reads / 1e6 * prices["dynamodb_read_million"]
        + stored * prices["dynamodb_gb_month"],
        "SQS": monthly("sqs") / 1e6 * prices["sqs_million"],
        "SNS": monthly("sns") / 1e6 * prices["sns_million"],
        "S3": (monthly("s3") - s3_gets) / 1e3 * prices["s3_put_thousand"]
        + s3_gets / 1e3 * prices["s3_get_thousand"]
        + archived * prices["s3_gb_month"],
        "Fargate": fleet * pipeline.vcpus * (vcpu + 2 * memory) * HOURS,
        # One key; S3 asks it for each object, the other services keep data keys for minutes.
        "KMS": prices["kms_key_month"] + monthly("s3") / 1e4 * prices["kms_ten_thousand"],
        "CloudWatch": fleet * pipeline.metrics * prices["cloudwatch_metric_month"]
        + pipeline.log_bytes * orders / _GB * prices["cloudwatch_logs_gb"]
        + pipeline.traced * orders / 1e6 * prices["xray_million"],
    }


def load_order_calls(path: Path | None = None) -> OrderCalls:
    """Read the counts of a run, by default the bundled ones.

    Raises:
        InputError: The file cannot be read, or holds something else.
    """
    source = path or files("shard_sizing.data") / "calls-per-order.json"
    try:
        return msgspec.json.decode(source.read_bytes(), type=OrderCalls)
    except (OSError, msgspec.DecodeError) as error:
        raise InputError(str(path or "calls-per-order.json"), f"not a count of calls: {error}") from error
