"""Shipping's handlers: one for each message that it takes from the stream."""

import datetime as dt
import logging
from collections.abc import Callable, Mapping
from typing import Final

from orderstream.messages import replying
from orderstream_consumer.idempotency.inbox import CAPACITY
from orderstream_consumer.idempotency.once import Decision, Once
from orderstream_consumer.idempotency.publisher import Publisher
from orderstream_consumer.idempotency.received import Received
from orderstream_consumer.store import Store, TableSpec
from orderstream_orders.contracts import RefuseShipment, ShipOrder, StepResolved
from orderstream_workers.services.shipping.domain import Shipment, by_hand, decide, is_by_hand, reply_to

logger = logging.getLogger(__name__)

_STEP: Final = "ship_order"
"""What the coordinator calls the step that shipping owns."""

SHIPMENTS: Final = TableSpec("shipments")
"""Key: order id. One item per order: its shipment and its inbox."""


class ShippingHandlers:
    """Takes orders over for shipment.

    Args:
        store: Where shipments are recorded.
        publisher: Puts the replies into the stream.
        clock: The time (UTC, with zone).
        unserved_countries: Destinations that are refused; none by default.
        inbox_capacity: See ``Once``.
    """

    def __init__(
        self,
        *,
        store: Store,
        publisher: Publisher,
        clock: Callable[[], dt.datetime],
        unserved_countries: frozenset[str] = frozenset(),
        inbox_capacity: int = CAPACITY,
    ) -> None:
        self._once = Once(
            store=store,
            table=SHIPMENTS.name,
            state_type=Shipment,
            publisher=publisher,
            inbox_capacity=inbox_capacity,
        )
        self._clock = clock
        self._unserved = unserved_countries

    def routes(self) -> Mapping[str, Callable[[Received], None]]:
        """By CloudEvents type, what handles it."""
        return {
            ShipOrder.type_name(): self.decide_shipment,
            RefuseShipment.type_name(): self.decide_shipment,
            StepResolved.type_name(): self.step_resolved,
        }

    def decide_shipment(self, received: Received) -> None:
        """Record the shipment, or its refusal; returns once the reply is acknowledged.

        Raises:
            DependencyError: the store or the stream did not respond; handle the message again.
        """
        command = received.message(ShipOrder, RefuseShipment)

        def decision(shipment: Shipment | None) -> Decision[Shipment]:
            decided = decide(shipment, command, self._unserved, self._clock())
            assert decided.decided_at is not None
            reply = reply_to(decided, command.order_id)
            envelope = replying(received.envelope, reply, source="shipping", time=decided.decided_at)
            return Decision(decided, [envelope])

        self._once.apply(received, decision)

    def step_resolved(self, received: Received) -> None:
        """Apply an operator's decision that the order is shipped, so that shipping does not ship it again.

        Raises:
            DependencyError: the store or the stream did not respond; handle the message again.
        """
        resolved = received.message(StepResolved)
        if (resolved.step, resolved.decision) != (_STEP, "done"):
            return

        def decision(shipment: Shipment | None) -> Decision[Shipment] | None:
            if shipment is None:
                return Decision(by_hand(None, self._clock()))
            if not is_by_hand(shipment):
                logger.error(
                    "ALERT: decided by shipping and shipped by hand", extra={"order_id": received.subject}
                )
            return None

        self._once.apply(received, decision)
