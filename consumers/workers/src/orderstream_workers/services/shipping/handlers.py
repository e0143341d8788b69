"""Shipping's handlers: one for each message that it takes from the stream."""

import datetime as dt
import logging
from collections.abc import Callable, Mapping
from typing import Final

from orderstream.messages import following, replying
from orderstream_consumer.idempotency.inbox import CAPACITY
from orderstream_consumer.idempotency.once import Decision, Once
from orderstream_consumer.idempotency.publisher import Publisher
from orderstream_consumer.idempotency.received import Received
from orderstream_consumer.store import Store, TableSpec
from orderstream_orders.contracts import Event, ParcelScanned, RefuseShipment, ShipOrder, StepResolved
from orderstream_workers.services.shipping.domain import (
    Shipment,
    by_hand,
    decide,
    is_by_hand,
    reply_to,
    reported_by_hand,
    scanned,
)

logger = logging.getLogger(__name__)

_STEP: Final = "ship_order"
"""What the coordinator calls the step that shipping owns."""

SHIPMENTS: Final = TableSpec("shipments")
"""Key: order id. One item per order: its shipment and its inbox."""


class ShippingHandlers:
    """Takes orders over for shipment, and follows their parcels.

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
            ParcelScanned.type_name(): self.parcel_scanned,
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

        Its parcel has left with that, and the event says so.

        Raises:
            DependencyError: the store or the stream did not respond; handle the message again.
        """
        resolved = received.message(StepResolved)
        if (resolved.step, resolved.decision) != (_STEP, "done"):
            return

        def decision(shipment: Shipment | None) -> Decision[Shipment] | None:
            now = self._clock()
            known = by_hand(shipment, now)
            if not is_by_hand(known):
                logger.error(
                    "ALERT: decided by shipping and shipped by hand", extra={"order_id": received.subject}
                )
                return None
            return self._reported(received, reported_by_hand(known, received.subject), now)

        self._once.apply(received, decision)

    def parcel_scanned(self, received: Received) -> None:
        """Apply a scan of the order's parcel; returns once the event that follows, if any, is acknowledged.

        Raises:
            DependencyError: the store or the stream did not respond; handle the message again.
        """
        scan = received.message(ParcelScanned)

        def decision(shipment: Shipment | None) -> Decision[Shipment] | None:
            now = self._clock()
            if shipment is None:
                logger.warning(
                    "a parcel was scanned of an order that was not asked to be shipped",
                    extra={"order_id": received.subject, "event_id": received.envelope.id},
                )
                return None
            return self._reported(received, scanned(shipment, scan, received.envelope.id, now), now)

        self._once.apply(received, decision)

    @staticmethod
    def _reported(
        received: Received, after: tuple[Shipment, Event] | None, now: dt.datetime
    ) -> Decision[Shipment] | None:
        if after is None:
            return None
        shipment, event = after
        return Decision(
            shipment, [following(received.envelope, event, source="shipping", ordinal=0, time=now)]
        )
