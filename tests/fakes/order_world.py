"""The other services as an order's coordinator sees them: each a few lines, final as the contracts demand."""

from dataclasses import dataclass, field

from orderstream.messages import Message
from orderstream_orders.contracts import (
    CapturePayment,
    Command,
    Event,
    OrderShipped,
    PaymentCaptured,
    PaymentDeclined,
    PaymentRefunded,
    RefundPayment,
    RefuseShipment,
    ReleaseStock,
    ReserveStock,
    ShipmentRefused,
    ShipOrder,
    StockRejected,
    StockReleased,
    StockReserved,
)


@dataclass
class OrderWorld:
    """Inventory, payments and shipping for one order; commands may come twice and in any order.

    Args:
        stock: Whether there is stock.
        card: Whether the card is good.
        destination: Whether the destination is served.
    """

    stock: bool
    card: bool
    destination: bool
    finals: dict[str, str] = field(default_factory=dict)
    """Where each service stands: ``"done"``, ``"refused"`` or ``"undone"``."""
    ever_done: set[str] = field(default_factory=set)
    """The services that have said done: their forward command is answered so for good."""

    def carry_out(self, command: Command | Message) -> Event:
        """Do what is asked and give the response."""
        order = command.order_id
        match command:
            case ReserveStock():
                if self._forward("inventory", self.stock):
                    return StockReserved(order_id=order)
                return StockRejected(
                    order_id=order, reason=self._reason("inventory", "out_of_stock", "released")
                )
            case CapturePayment():
                if self._forward("payments", self.card):
                    return PaymentCaptured(
                        order_id=order,
                        amount_minor=command.amount_minor,
                        currency=command.currency,
                        charge_id="ch_1",
                    )
                return PaymentDeclined(
                    order_id=order, reason=self._reason("payments", "card_declined", "refunded")
                )
            case ShipOrder() | RefuseShipment():
                wanted = isinstance(command, ShipOrder)
                if wanted and "shipping" not in self.finals:
                    assert self.finals.get("inventory") == self.finals.get("payments") == "done"
                if self._forward("shipping", self.destination and wanted):
                    return OrderShipped(order_id=order, shipment_id="sh_1")
                return ShipmentRefused(order_id=order, reason="destination_not_served")
            case ReleaseStock():
                self._backward("inventory")
                return StockReleased(order_id=order)
            case RefundPayment():
                self._backward("payments")
                return PaymentRefunded(order_id=order, amount_minor=0)
            case _:
                raise AssertionError(f"nobody carries out {type(command).__name__}")

    def by_hand(self, step: str, *, undo: bool) -> None:
        """An operator does what was asked for, and means it."""
        service = {"reserve_stock": "inventory", "capture_payment": "payments", "ship_order": "shipping"}[
            step
        ]
        if undo:
            self._backward(service)
        else:
            self.finals[service] = "done"

    def _forward(self, service: str, possible: bool) -> bool:
        if self.finals.setdefault(service, "done" if possible else "refused") == "done":
            self.ever_done.add(service)
        return service in self.ever_done

    def _backward(self, service: str) -> None:
        assert self.finals.get("shipping") != "done", "what is shipped cannot be undone"
        if self.finals.get(service) != "refused":
            self.finals[service] = "undone"

    def _reason(self, service: str, refused: str, undone: str) -> str:
        return refused if self.finals[service] == "refused" else undone
