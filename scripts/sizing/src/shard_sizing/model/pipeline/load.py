"""The whole pipeline at a scale: what every service is asked, and which limit breaks first.

An order's calls were counted in a run of the pipeline (the data file says when and how). What is called while
no order comes was counted apart: some of it grows with the shards, some with the processes, none with orders.
"""

import math

import msgspec

from shard_sizing.model.data_files import Limits
from shard_sizing.model.pipeline.order_calls import OrderCalls


class Pipeline(msgspec.Struct, frozen=True):
    """What surrounds the calls; none of it is counted, all of it can be set.

    Attributes:
        orders: Orders per second, on average.
        shards: Shards of the order stream.
        stock_shards: Shards of the stream that captures the changes of the stock.
        readers: Applications that read the order stream.
        applications: Applications, each at least one container.
        payments_per_second: What the payment provider takes.
        utilisation: Planned share of a container's time.
        vcpus: Of a container, with twice as many GB of memory.
        metrics: Custom metrics of one container.
        traced: Share of the orders that are traced.
        peak: Orders per second in the busiest minutes; 0 if they come evenly.
    """

    orders: float
    shards: int
    stock_shards: int
    readers: int
    applications: int
    payments_per_second: float
    utilisation: float
    vcpus: float
    metrics: int
    traced: float
    peak: float = 0.0

    @property
    def busiest(self) -> float:
        """Orders per second that limits are held against."""
        return max(self.orders, self.peak)


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
    """Return the requests a second by operation, those made while no order comes included."""
    total = {name: each * pipeline.orders for name, each in counted.calls.items()}
    for name, idle in idle_calls(counted, pipeline).items():
        total[name] = total.get(name, 0.0) + idle
    return dict(sorted(total.items()))


def idle_calls(counted: OrderCalls, pipeline: Pipeline) -> dict[str, float]:
    """Return the requests a second that are made whether orders come or not.

    Fewer containers than were counted do not save any: each application goes on beating, wherever it runs.
    """
    idle = counted.idle_calls_per_second
    by_process = max(1.0, containers(counted, pipeline) / counted.processes)
    # One more reader polls the shards of the captured changes, at the same pace.
    by_shard = _readings(pipeline.readers, pipeline.shards, pipeline.stock_shards) / _readings(
        counted.readers, counted.shards, 1
    )
    total = {name: each * by_shard for name, each in idle.per_shard.items()}
    for name, each in idle.per_process.items():
        total[name] = total.get(name, 0.0) + each * by_process
    return total


def _readings(readers: int, shards: int, stock_shards: int) -> int:
    """Return the leases there are: one for each reader of each shard."""
    return readers * shards + stock_shards


def containers(counted: OrderCalls, pipeline: Pipeline) -> int:
    """Return the containers that all applications need together in the busiest minutes."""
    busy = pipeline.busiest * counted.milliseconds_per_order / 1000
    return max(pipeline.applications, math.ceil(busy / (pipeline.vcpus * pipeline.utilisation)))


def loads(counted: OrderCalls, pipeline: Pipeline, limits: Limits, region: str) -> tuple[Load, ...]:
    """Return every limit the pipeline leans on in its busiest minutes, the most used first."""
    pipeline = msgspec.structs.replace(pipeline, orders=pipeline.busiest)
    calls = calls_per_second(counted, pipeline)
    quotas = limits.quotas
    s3_puts = sum(each for name, each in calls.items() if name.startswith("s3.Put"))
    found = [
        Load(
            "the payment provider, charges/s",
            pipeline.orders,
            pipeline.payments_per_second,
            "a higher limit at the provider; until then payments queue in SQS",
        ),
        Load(
            "shards of the account",
            pipeline.shards + pipeline.stock_shards,
            limits.quota(region),
            "raise it in Service Quotas: Kinesis shards",
        ),
        Load(
            "GetRecords calls/s of one shard",
            _polls_of_a_shard(counted, pipeline),
            limits.reads_per_second,
            "enhanced fan-out for some readers, or polls that are further apart",
        ),
        Load(
            "DynamoDB write units/s if one table had them all",
            counted.units["dynamodb_write"] * pipeline.orders,
            quotas["dynamodb_table_writes_per_second"],
            "raise it in Service Quotas: DynamoDB table-level write units; warm the table up before a launch",
        ),
        Load(
            "DynamoDB read units/s if one table had them all",
            counted.units["dynamodb_read"] * pipeline.orders,
            quotas["dynamodb_table_reads_per_second"],
            "raise it in Service Quotas: DynamoDB table-level read units",
        ),
        Load(
            "S3 PUT/s of one prefix", s3_puts, quotas["s3_puts_per_second"], "more prefixes, or larger files"
        ),
        Load(
            "SNS messages/s",
            calls.get("sns.Publish", 0.0),
            quotas["sns_publishes_per_second"],
            "raise it in Service Quotas: SNS messages published per second",
        ),
        Load(
            "SES mails/s",
            calls.get("ses.SendEmail", 0.0) + calls.get("ses.SendRawEmail", 0.0),
            quotas["ses_mails_per_second"],
            "raise it in Service Quotas: SES sending rate",
        ),
        Load(
            "Fargate vCPUs",
            containers(counted, pipeline) * pipeline.vcpus,
            quotas["fargate_vcpus"],
            "raise it in Service Quotas: Fargate on-demand vCPU count",
        ),
    ]
    return tuple(sorted(found, key=lambda load: -load.used))


def _polls_of_a_shard(counted: OrderCalls, pipeline: Pipeline) -> float:
    polls = counted.idle_calls_per_second.per_shard.get("kinesis.GetRecords", 0.0)
    return polls / _readings(counted.readers, counted.shards, 1) * pipeline.readers
