"""What holds data: streams, tables, queues, topics, buckets, and the key that encrypts them."""

from typing import Final

from shard_sizing.model.cost.monthly import HOURS
from shard_sizing.model.pipeline.usage import Usage
from shard_sizing.model.template.cloudformation import Resource
from shard_sizing.model.template.priced import Priced, by_use

STREAM: Final = "AWS::Kinesis::Stream"
TABLE: Final = "AWS::DynamoDB::Table"

_KEPT_FREE_HOURS: Final = 24
_LONG_TERM_HOURS: Final = 168


def is_captured_into(stream: Resource) -> bool:
    """Return whether a table's changes go into a stream."""
    return any(
        stream.is_(table.referenced("KinesisStreamSpecification.StreamArn"))
        for table in stream.of_type(TABLE)
    )


def is_on_demand(stream: Resource) -> bool:
    """Return whether Kinesis chooses the shards of a stream."""
    return bool(stream.get("StreamModeDetails.StreamMode", "PROVISIONED") == "ON_DEMAND")


def shards_of(stream: Resource) -> int:
    """Return the shards of a provisioned stream."""
    return int(stream.number("ShardCount", 1))


def stream_of_records(stream: Resource) -> Priced:
    """A stream by its shards or, on demand, by its hours; its records by use."""
    kept = stream.number("RetentionPeriodHours", _KEPT_FREE_HOURS)
    long = ("records that are kept for longer than seven days",) if kept > _LONG_TERM_HOURS else ()
    captured = is_captured_into(stream)
    if is_on_demand(stream):
        day = Usage("Kinesis", "hours of on-demand streams", HOURS, "standard_stream_hour")
        if captured:
            return Priced(standing=(day,), missing=("captured changes of a stream on demand", *long))
        prices = [("standard_in_gb", 1.0), ("standard_out_gb", 1.0)]
        days = (min(kept, _LONG_TERM_HOURS) - _KEPT_FREE_HOURS) / _KEPT_FREE_HOURS
        prices += [("standard_extended_gb_month", days)] if days > 0 else []
        return Priced(standing=(day,), by_use=tuple(prices), missing=long)
    hours = shards_of(stream) * HOURS
    standing = [Usage("Kinesis", "shard-hours", hours, "shard_hour")]
    if kept > _KEPT_FREE_HOURS:
        standing.append(
            Usage("Kinesis", "shard-hours beyond a day's retention", hours, "extended_shard_hour")
        )
    return Priced(standing=tuple(standing), by_use=(("put_million", 1.0),), missing=long)


def stream_consumer(resource: Resource) -> Priced:
    """A registered consumer pays for each shard, and for what it reads."""
    stream = resource.referenced("StreamARN")
    if stream is None or is_on_demand(stream):
        return Priced(missing=("enhanced fan-out of a stream on demand, or of one in no given template",))
    hours = shards_of(stream) * HOURS
    used = Usage("Kinesis", "consumer-shard-hours (fan-out)", hours, "efo_shard_hour")
    return Priced(standing=(used,), by_use=(("efo_gb", 1.0),))


def table(resource: Resource) -> Priced:
    """A table on demand, its captured changes, and its recovery to any second."""
    if resource.get("BillingMode", "PROVISIONED") != "PAY_PER_REQUEST":
        return Priced(missing=("a table with provisioned capacity",))
    prices = ["dynamodb_write_million", "dynamodb_read_million", "dynamodb_gb_month"]
    if resource.get("KinesisStreamSpecification") is not None:
        prices.append("dynamodb_capture_million")
    if resource.get("PointInTimeRecoverySpecification.PointInTimeRecoveryEnabled") in (True, "true"):
        prices.append("dynamodb_pitr_gb_month")
    # An index of keys alone is written when a key changes: of the leases, when one changes its owner.
    wide = any(
        each.get("Projection") != {"ProjectionType": "KEYS_ONLY"}
        for each in resource.objects("GlobalSecondaryIndexes")
    )
    return by_use(*prices, missing=("indexes: their writes are not counted",) if wide else ())


def queue(resource: Resource) -> Priced:
    """A queue by its requests."""
    return by_use("sqs_fifo_million" if resource.get("FifoQueue") in (True, "true") else "sqs_million")


def topic(_: Resource) -> Priced:
    """A topic by what is published."""
    return by_use("sns_million")


def subscription(resource: Resource) -> Priced:
    """A subscription by what it delivers; mails are not free."""
    protocol = resource.get("Protocol")
    if protocol in ("email", "email-json"):
        return by_use("sns_email_million")
    if protocol in ("sqs", "lambda"):
        return Priced(free="deliveries to SQS and Lambda are")
    return Priced(missing=(f"deliveries by {protocol}",))


def bucket(_: Resource) -> Priced:
    """A bucket by requests and by what it holds, all of it at the price of the storage class Standard."""
    return by_use("s3_put_thousand", "s3_get_thousand", "s3_gb_month")


def sender(_: Resource) -> Priced:
    """A sender by its mails."""
    return by_use("ses_million")


def key(_: Resource) -> Priced:
    """A key of the account's own."""
    used = Usage("KMS", "keys", 1.0, "kms_key_month")
    return Priced(standing=(used,), by_use=(("kms_ten_thousand", 1.0),))


def secret(_: Resource) -> Priced:
    """A secret, which tasks read when they start."""
    return Priced(standing=(Usage("Secrets Manager", "secrets", 1.0, "secret_month"),))
