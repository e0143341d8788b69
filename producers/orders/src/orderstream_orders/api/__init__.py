"""The orders API: an application that embeds the SDK (extra ``api``). It records what was asked for."""

from orderstream_orders.api.access import OrderAccess
from orderstream_orders.api.app import create_app
from orderstream_orders.api.guard import caller_of
from orderstream_orders.api.idempotency import Accepted, IdempotencyStore
from orderstream_orders.api.idempotency_dynamodb import DynamoDBIdempotencyStore
from orderstream_orders.api.requests import MAX_BODY_BYTES, MAX_LINES, MAX_ORDER_BYTES
from orderstream_orders.api.responses import DependencyStatus, Standing

__all__ = [
    "MAX_BODY_BYTES",
    "MAX_LINES",
    "MAX_ORDER_BYTES",
    "Accepted",
    "DependencyStatus",
    "DynamoDBIdempotencyStore",
    "IdempotencyStore",
    "OrderAccess",
    "Standing",
    "caller_of",
    "create_app",
]
