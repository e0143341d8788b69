"""Measures what the coordinator has decided, and logs an order's end, once it is committed."""

import datetime as dt
import logging

from orderstream.observability.metrics import Meter
from orderstream_orders.contracts import OrderPlaced, RefundPayment, ReleaseStock, StepOverdue
from orderstream_workers.services.saga.cost import cost_of
from orderstream_workers.services.saga.domain import Input, SagaOutcome
from orderstream_workers.services.saga.metrics import (
    ACCEPTED,
    CANCELLED,
    COMPENSATIONS,
    CONFIRMED,
    COST_PER_ORDER,
    ORDER_LATENCY,
    SAGA_OVERDUE,
    reason_label,
)
from orderstream_workers.services.saga.state import Phase, Saga

logger = logging.getLogger(__name__)


def measure(
    meter: Meter,
    before: Saga | None,
    message: Input,
    outcome: SagaOutcome,
    now: dt.datetime,
    region: str | None = None,
) -> None:
    """Record what a decision says of the business.

    Args:
        meter: Takes the figures.
        before: The order as it was.
        message: The message that was handled.
        outcome: What was decided.
        now: When (UTC).
        region: Whose prices count; None where nothing is to be reckoned in money.
    """
    if isinstance(message, OrderPlaced):
        meter.record(ACCEPTED)
    if isinstance(message, StepOverdue) and outcome.outputs:
        meter.record(SAGA_OVERDUE, 1, message.step)
    compensations = sum(
        isinstance(output.message, ReleaseStock | RefundPayment) for output in outcome.outputs
    )
    if compensations:
        meter.record(COMPENSATIONS, compensations)
    after = outcome.saga
    if after is None or not after.phase.terminal or (before is not None and before.phase.terminal):
        return
    ended: dict[str, object] = {"outcome": after.phase.name.lower()}
    if after.phase is Phase.CONFIRMED:
        meter.record(CONFIRMED)
    elif after.failure is not None:
        reason = reason_label(after.failure.reason)
        ended["reason"] = reason
        meter.record(CANCELLED, 1, reason)
    if after.order.placed_at is not None:
        seconds = (now - after.order.placed_at).total_seconds()
        ended["duration_seconds"] = round(seconds, 3)
        meter.record(ORDER_LATENCY, seconds * 1_000)
    usd = None if region is None else cost_of(after, region)
    if usd is not None:
        meter.record(COST_PER_ORDER, usd)
    logger.info("order ended", extra=ended)
