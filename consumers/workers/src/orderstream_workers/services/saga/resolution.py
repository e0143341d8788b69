"""What an operator decides about an order that waits for a person, as an event for the coordinator."""

import datetime as dt
from dataclasses import dataclass
from typing import Literal

from orderstream.messages import Envelope, initial, initial_event_id
from orderstream_consumer.store import Store
from orderstream_orders.contracts import StepResolved
from orderstream_workers.services.saga.domain import decisions
from orderstream_workers.services.saga.errors import NotWaitingError, UnknownOrderError
from orderstream_workers.services.saga.handlers import find_order
from orderstream_workers.services.saga.timers import conversation_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolution:
    """A decision about one step of an order.

    Attributes:
        order_id: The order.
        step: The step that gets no reply.
        decision: ``"done"``: what was asked for was done by hand. ``"refuse"``: shipping shall refuse it.
        operator: Who decides; at least one character.
        reason: Why; at least one character.
    """

    order_id: str
    step: str
    decision: Literal["done", "refuse"]
    operator: str
    reason: str

    def __post_init__(self) -> None:
        """Check that the decision can be accounted for."""
        for name in ("operator", "reason"):
            if not getattr(self, name).strip():
                raise ValueError(f"{name} must not be empty")


def resolved(store: Store, resolution: Resolution, now: dt.datetime) -> Envelope:
    """The event that reports a decision to the coordinator. The same decision gives the same id.

    The coordinator decides in the order of the stream whether it still counts: nothing is written here.

    Args:
        store: Where the orders are.
        resolution: The decision.
        now: The time (UTC, with zone).

    Raises:
        UnknownOrderError: the order was never placed.
        NotWaitingError: the step does not wait for such a decision.
        DependencyError: the store did not respond.
    """
    saga = find_order(store, resolution.order_id)
    if saga is None:
        raise UnknownOrderError(resolution.order_id)
    offered = decisions(saga, resolution.step)
    if resolution.decision not in offered:
        raise NotWaitingError(
            resolution.order_id, resolution.step, resolution.decision, tuple(sorted(offered))
        )
    attempt = saga.step(resolution.step).attempt
    conversation = conversation_of(store, saga, resolution.step)
    if conversation is None:
        # Its deadline has just been published: the request is about to be made again.
        raise NotWaitingError(resolution.order_id, resolution.step, resolution.decision, ())
    event = StepResolved(
        order_id=resolution.order_id,
        step=resolution.step,
        attempt=attempt,
        decision=resolution.decision,
        operator=resolution.operator,
        reason=resolution.reason,
    )
    content = (resolution.order_id, resolution.step, str(attempt), resolution.decision, resolution.reason)
    return initial(
        event,
        source="operators",
        event_id=initial_event_id("operators", resolution.operator, "\0".join(content)),
        time=now,
        correlation_id=f"{resolution.step}:{attempt}",
        conversation_id=conversation,
    )
