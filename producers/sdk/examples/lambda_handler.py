"""An AWS Lambda function that puts what it is called with.

Lambda freezes the process between invocations, threads and all: whatever is not flushed before the handler
returns waits for the next invocation, if there is one. So each invocation flushes, and fails if that takes
longer than it has.
"""

import json
import os
from functools import cache
from typing import Any

from orderstream import Producer


@cache
def producer() -> Producer:
    """Return this process' producer: made by the first invocation, kept for the following ones."""
    return Producer(os.environ["STREAM"])


def handler(event: dict[str, Any], context: Any) -> dict[str, int]:
    """Put the orders of an event; return how many."""
    deliveries = [
        producer().put(json.dumps(order).encode(), partition_key=order["order_id"])
        for order in event["orders"]
    ]
    seconds_left = context.get_remaining_time_in_millis() / 1000
    producer().flush(timeout=max(0.0, seconds_left - 1))
    for delivery in deliveries:
        delivery.result(timeout=0)
    return {"delivered": len(deliveries)}
