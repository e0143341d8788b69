"""What AWS bills for a request, in the units that it bills, and the prices of these units."""

from orderstream.aws.billing.item_sizes import item_bytes
from orderstream.aws.billing.prices import bundled_prices, prices_date, unit_prices
from orderstream.aws.billing.requests import billed
from orderstream.aws.billing.units import (
    PUT_UNIT_BYTES,
    UNITS,
    Unit,
    Used,
    by_service,
    put_units,
    sqs_requests,
)

__all__ = [
    "PUT_UNIT_BYTES",
    "UNITS",
    "Unit",
    "Used",
    "billed",
    "bundled_prices",
    "by_service",
    "item_bytes",
    "prices_date",
    "put_units",
    "sqs_requests",
    "unit_prices",
]
