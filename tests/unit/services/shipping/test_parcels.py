"""A parcel is scanned twice, late and wrongly; it is handed over, delivered and returned once."""

import datetime as dt
from collections.abc import Sequence

import msgspec
import pytest

from fakes.delivery import delivered
from fakes.messages import envelope_of
from fakes.operating import NOW, MemoryResources
from orderstream.messages import Envelope, Message, decode_envelope
from orderstream.messages.errors import IdentifierInvalidError
from orderstream_consumer.idempotency.publisher import CollectingPublisher
from orderstream_consumer.store import Put
from orderstream_consumer.testing import MemoryStore
from orderstream_orders.contracts import (
    Customer,
    OrderShipped,
    ParcelDelivered,
    ParcelHandedOver,
    ParcelReturned,
    ParcelScan,
    ParcelScanned,
    ParcelScanRefused,
    RefuseShipment,
    ShipOrder,
    StepResolved,
)
from orderstream_workers.operations.shipping import Report, parcels_of, report_parcel
from orderstream_workers.services.shipping import ShippingHandlers
from orderstream_workers.services.shipping.by_hand import shipped_by_hand
from orderstream_workers.services.shipping.errors import ScanRefusedError, UnknownShipmentError
from orderstream_workers.services.shipping.parcels import MAX_REFUSED

JANE = Customer(customer_id="17850", email="jane@example.com")
SHIP = ShipOrder(order_id="o-1", country="France", units=6, customer=JANE)


class Shipping:
    """The handlers over a store in memory; each message is another record unless it is said otherwise."""

    def __init__(self, store: MemoryStore | None = None, capacity: int = 64) -> None:
        self.store = store or MemoryStore()
        self.publisher = CollectingPublisher()
        self.routes = ShippingHandlers(
            store=self.store, publisher=self.publisher, clock=lambda: NOW, inbox_capacity=capacity
        ).routes()
        self.read = 0

    def hear(self, message: Message | Envelope, position: int | None = None) -> None:
        self.read += 1
        if isinstance(message, Message):
            message = envelope_of(message, source="test", event_id=f"message {self.read}", time=NOW)
        self.routes[message.type](delivered(message, position or self.read))

    def scan(self, *scans: ParcelScan) -> None:
        for scan in scans:
            self.hear(ParcelScanned(order_id="o-1", scan=scan, operator="carrier", reason="torn"))

    @property
    def said(self) -> list[Message]:
        return [decode_envelope(data).message() for data in self.publisher.published]

    def parcel_news(self) -> list[type[Message]]:
        return [type(message) for message in self.said if not isinstance(message, OrderShipped)]


def taken(capacity: int = 64) -> Shipping:
    shipping = Shipping(capacity=capacity)
    shipping.hear(SHIP)
    return shipping


def test_the_way_of_a_parcel() -> None:
    """Each scan that moves it on is a fact, with the shipment and the customer, who is to be notified."""
    shipping = taken()
    shipping.scan("handed_over", "delivered", "returned")
    shipped, *facts = shipping.said
    about = {"order_id": "o-1", "shipment_id": shipped.shipment_id, "customer": JANE}
    assert facts == [
        ParcelHandedOver(**about),
        ParcelDelivered(**about),
        ParcelReturned(**about, reason="torn"),
    ]


@pytest.mark.parametrize(
    ("scans", "facts"),
    [
        (("handed_over", "handed_over"), [ParcelHandedOver]),
        (("handed_over", "delivered", "handed_over", "delivered"), [ParcelHandedOver, ParcelDelivered]),
        (("handed_over", "returned", "returned"), [ParcelHandedOver, ParcelReturned]),
        (
            ("handed_over", "delivered", "returned", "delivered", "handed_over"),
            [ParcelHandedOver, ParcelDelivered, ParcelReturned],
        ),
        (("delivered",), [ParcelScanRefused]),
        (("returned",), [ParcelScanRefused]),
        (("handed_over", "returned", "delivered"), [ParcelHandedOver, ParcelReturned, ParcelScanRefused]),
    ],
)
def test_what_is_scanned_twice_or_wrongly(scans: Sequence[ParcelScan], facts: list[type[Message]]) -> None:
    """A parcel only moves on: twice is once, and what cannot be right is refused and changes nothing."""
    shipping = taken()
    shipping.scan(*scans)
    assert shipping.parcel_news() == facts


def test_a_refused_scan_is_not_believed_when_it_is_read_again() -> None:
    """Also where the inbox has forgotten it, and the parcel has left since."""
    shipping = taken(capacity=1)
    early = envelope_of(
        ParcelScanned(order_id="o-1", scan="returned", operator="carrier"),
        source="operators",
        event_id="early",
        time=NOW,
    )
    shipping.hear(early, 7)
    shipping.scan("handed_over")
    shipping.hear(early, 7)
    assert shipping.parcel_news() == [ParcelScanRefused, ParcelHandedOver]


def test_an_order_that_was_refused_has_no_parcel() -> None:
    """Neither is one that was never asked to be shipped: nothing is kept of it."""
    shipping = Shipping()
    shipping.scan("handed_over")
    assert list(shipping.store.scan("shipments")) == []
    shipping.hear(RefuseShipment(order_id="o-1"))
    shipping.scan("handed_over")
    assert shipping.said[-1] == ParcelScanRefused(order_id="o-1", scan="handed_over", reason="not_shipped")


def test_nobody_makes_a_parcel_s_record_grow() -> None:
    """Whoever goes on scanning wrongly gets a reply so many times and no more."""
    shipping = taken()
    shipping.scan(*["returned"] * (MAX_REFUSED + 5))
    assert shipping.parcel_news() == [ParcelScanRefused] * MAX_REFUSED
    shipping.scan("handed_over")
    assert shipping.parcel_news()[-1] is ParcelHandedOver


def by_hand() -> StepResolved:
    return StepResolved(
        order_id="o-1", step="ship_order", attempt=2, decision="done", operator="ann", reason="by courier"
    )


@pytest.mark.parametrize("request_first", [True, False])
def test_what_was_shipped_by_hand_leaves_once(request_first: bool) -> None:
    """Shipping was down, and an operator shipped: no parcel waits for a second hand-over.

    The operator's decision is in shipping's own record before it is in the stream, so that the request, which
    stands in front of it, ships nothing; and the customer is notified of the one parcel that has left.
    """
    shipping = Shipping()
    shipped_by_hand(shipping.store, "o-1", NOW)
    resources = MemoryResources()
    resources.store = shipping.store
    assert parcels_of(resources) == []
    for message in (SHIP, by_hand()) if request_first else (by_hand(), SHIP):
        shipping.hear(message)
    shipping.hear(by_hand())
    shipping.scan("handed_over")
    assert parcels_of(resources) == []
    assert OrderShipped(order_id="o-1", shipment_id="by-hand") in shipping.said
    (news,) = (message for message in shipping.said if isinstance(message, ParcelHandedOver))
    assert news == ParcelHandedOver(
        order_id="o-1", shipment_id="by-hand", customer=JANE if request_first else Customer()
    )
    shipping.scan("delivered")
    assert shipping.said[-1].customer == JANE


class Desk:
    """An operator beside shipping; what is reported is heard at once."""

    def __init__(self) -> None:
        self.shipping = taken()
        self.resources = MemoryResources()
        self.resources.store = self.shipping.store

    def report(self, scan: ParcelScan, order_id: str = "o-1") -> bool:
        before = len(self.resources.publisher.published)
        report = Report(order_id=order_id, scan=scan, operator="dock-2", key=f"{scan} {before}")
        is_new = report_parcel(self.resources, report)
        for data in self.resources.publisher.published[before:]:
            self.shipping.hear(decode_envelope(data))
        return is_new


def test_what_waits_is_listed_until_it_is_handed_over() -> None:
    """Reporting it again reports nothing; the parcel is handed over once."""
    desk = Desk()
    (waiting,) = parcels_of(desk.resources)
    assert (waiting.order_id, waiting.units, waiting.country) == ("o-1", 6, "France")
    assert [desk.report("handed_over"), desk.report("handed_over")] == [True, False]
    assert parcels_of(desk.resources) == []
    assert [one.parcel.phase for one in parcels_of(desk.resources, every=True)] == ["handed_over"]
    assert desk.shipping.parcel_news() == [ParcelHandedOver]
    assert not hasattr(waiting, "customer")


def test_a_scan_opens_a_conversation_and_what_follows_belongs_to_it() -> None:
    """Nothing in the stream has caused it."""
    desk = Desk()
    desk.report("handed_over")
    (scan,) = map(decode_envelope, desk.resources.publisher.published)
    fact = decode_envelope(desk.shipping.publisher.published[-1])
    assert (fact.causation_id, fact.conversation_id) == (scan.id, scan.conversation_id)
    assert desk.report("delivered")
    assert decode_envelope(desk.resources.publisher.published[-1]).conversation_id != scan.conversation_id


@pytest.mark.parametrize("scan", ["delivered", "returned"])
def test_what_never_left_cannot_come_back(scan: ParcelScan) -> None:
    """The operator learns it at once, with what to do; nothing is reported and nothing is lost."""
    desk = Desk()
    with pytest.raises(ScanRefusedError, match="never handed over: report that first"):
        desk.report(scan)
    assert desk.resources.publisher.published == []
    with pytest.raises(UnknownShipmentError, match="check its id"):
        desk.report("handed_over", "o-2")
    assert desk.report("handed_over")


@pytest.mark.parametrize("wrong", [{"operator": " "}, {"reason": "x" * 257}, {"order_id": ""}, {"key": "\n"}])
def test_a_report_can_be_accounted_for(wrong: dict[str, str]) -> None:
    """By whom, for what reason, about which order."""
    right = {"order_id": "o-1", "scan": "returned", "operator": "ann", "key": "k", "reason": "torn"}
    with pytest.raises((ValueError, IdentifierInvalidError), match=r" must have | is no identifier"):
        Report(**right | wrong)


def test_records_from_before_parcels_are_read() -> None:
    """A shipment that was taken then has a parcel that waits, for a customer who is not known."""
    shipping = taken()
    (item,) = shipping.store.scan("shipments")
    old = {"outcome": {"type": "taken", "shipment_id": "sh_1", "country": None, "units": 3}}
    store = MemoryStore()
    store.transact([Put("shipments", "o-1", {**item.attributes, "state": msgspec.json.encode(old)}, None)])
    later = Shipping(store)
    later.read = 9
    later.scan("handed_over")
    assert later.said == [ParcelHandedOver(order_id="o-1", shipment_id="sh_1", customer=Customer())]


def test_times_are_shipping_s_own() -> None:
    """The fact has the time of shipping's decision: a reporter's clock may be wrong."""
    shipping = taken()
    early = NOW - dt.timedelta(days=3)
    scan = ParcelScanned(order_id="o-1", scan="handed_over", operator="carrier")
    shipping.hear(envelope_of(scan, source="operators", event_id="late", time=early))
    assert decode_envelope(shipping.publisher.published[-1]).time == NOW
