"""The units in which AWS bills what an order causes, and the prices that they go by."""

from collections.abc import Mapping
from math import ceil
from typing import Final, NamedTuple

PUT_UNIT_BYTES: Final = 25_000
"""A PUT payload unit of a provisioned stream; AWS says 25 KB, and the smaller reading bills more."""

_SQS_BYTES: Final = 65_536
"""Of the payload of a request; each further chunk is billed as one more request, of SNS alike."""


class Unit(NamedTuple):
    """A unit.

    Attributes:
        service: Who bills it.
        words: What is counted.
        price: The name of its price in a price file.
        per: How many of them that price is for.
    """

    service: str
    words: str
    price: str
    per: float


class Used(NamedTuple):
    """So many of one unit.

    Attributes:
        unit: A name of ``UNITS``.
        resource: The table; empty where no single resource is meant.
        amount: How many.
    """

    unit: str
    resource: str
    amount: float


UNITS: Final[Mapping[str, Unit]] = {
    "dynamodb_write": Unit("DynamoDB", "write units", "dynamodb_write_million", 1e6),
    "dynamodb_read": Unit("DynamoDB", "read units", "dynamodb_read_million", 1e6),
    "dynamodb_capture": Unit("DynamoDB", "captured changes", "dynamodb_capture_million", 1e6),
    "kinesis_put": Unit("Kinesis", "PUT payload units", "put_million", 1e6),
    "sqs_request": Unit("SQS", "requests", "sqs_million", 1e6),
    "sns_publish": Unit("SNS", "publishes", "sns_million", 1e6),
    "ses_mail": Unit("SES", "mails", "ses_million", 1e6),
    "s3_put": Unit("S3", "PUTs and LISTs", "s3_put_thousand", 1e3),
    "s3_get": Unit("S3", "GETs", "s3_get_thousand", 1e3),
    "log_byte": Unit("CloudWatch", "bytes of logs", "cloudwatch_logs_gb", float(2**30)),
}
"""By name. Hours of shards and containers, and what is kept by the month, belong to no single order."""


def put_units(data_bytes: int) -> float:
    """Return the PUT payload units of one Kinesis record with so many bytes of data."""
    return float(max(1, ceil(data_bytes / PUT_UNIT_BYTES)))


def sqs_requests(payload_bytes: int) -> float:
    """Return as how many requests one with a payload of so many bytes is billed."""
    return float(max(1, ceil(payload_bytes / _SQS_BYTES)))


def by_service(units: Mapping[str, float], usd: Mapping[str, float]) -> dict[str, float]:
    """Return USD by service.

    Args:
        units: Amounts by the name of the unit.
        usd: What one of each costs; see ``unit_prices``.
    """
    sums: dict[str, float] = {}
    for name, amount in units.items():
        service = UNITS[name].service
        sums[service] = sums.get(service, 0.0) + amount * usd[name]
    return sums
