"""However a parcel is scanned, redelivered and interrupted: its way is one, each step said once."""

import datetime as dt
from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from fakes.delivery import delivered
from fakes.messages import envelope_of
from orderstream.errors import DependencyError
from orderstream.messages import Message, decode_envelope
from orderstream_consumer.idempotency.publisher import CollectingPublisher
from orderstream_consumer.store import Write
from orderstream_consumer.testing import Fault, MemoryStore
from orderstream_orders.contracts import (
    OrderShipped,
    ParcelDelivered,
    ParcelHandedOver,
    ParcelReturned,
    ParcelScanned,
    ParcelScanRefused,
    ShipOrder,
)
from orderstream_workers.services.shipping import ShippingHandlers

NOW = dt.datetime(2010, 12, 1, 8, 26, tzinfo=dt.UTC)
WAYS = (
    [],
    [ParcelHandedOver],
    [ParcelHandedOver, ParcelDelivered],
    [ParcelHandedOver, ParcelReturned],
    [ParcelHandedOver, ParcelDelivered, ParcelReturned],
)

scans = st.lists(
    st.tuples(
        st.sampled_from(["handed_over", "delivered", "returned"]),
        st.sampled_from([None, Fault.BEFORE, Fault.AFTER]),
        st.booleans(),
    ),
    max_size=10,
)


def way_of(said: Sequence[Message]) -> list[type[Message]]:
    """The facts in the order in which they were first said."""
    facts = [type(one) for one in said if not isinstance(one, OrderShipped | ParcelScanRefused)]
    return list(dict.fromkeys(facts))


@settings(max_examples=150, deadline=None)
@given(scans, st.sampled_from((1, 2, 64)))
def test_a_parcel_has_one_way(schedule: list[tuple[str, Fault | None, bool]], capacity: int) -> None:
    """Each scan is another record; commits fail or are in doubt; records come again at once, and at the end.

    No fact is said under two ids, no id has two contents, and the facts make one of the ways that there are.
    """
    fault: Fault | None = None

    def now_fails(operation: str, _writes: Sequence[Write]) -> Fault | None:
        return fault if operation == "transact" else None

    store, publisher = MemoryStore(now_fails), CollectingPublisher()
    routes = ShippingHandlers(
        store=store, publisher=publisher, clock=lambda: NOW, inbox_capacity=capacity
    ).routes()
    ship = envelope_of(
        ShipOrder(order_id="o-1", country=None, units=1), source="saga", event_id="s", time=NOW
    )
    read = [delivered(ship, 0)]
    routes[ship.type](read[0])
    for number, (scan, failing, again) in enumerate(schedule, start=1):
        message = ParcelScanned(order_id="o-1", scan=scan, operator="carrier")
        record = delivered(envelope_of(message, source="operators", event_id=f"{number}", time=NOW), number)
        read.append(record)
        fault = failing
        for _ in range(2 + again):
            try:
                routes[record.envelope.type](record)
            except DependencyError:
                fault = None
    fault = None
    before = set(publisher.published)
    for record in read:
        routes[record.envelope.type](record)
    said = [decode_envelope(data) for data in dict.fromkeys(publisher.published)]
    assert set(publisher.published) == before
    assert len({envelope.id for envelope in said}) == len(said)
    facts = [type(one.message()) for one in said if one.type.startswith("Parcel")]
    assert len([fact for fact in facts if fact is not ParcelScanRefused]) == len(
        way_of([one.message() for one in said])
    )
    assert way_of([one.message() for one in said]) in WAYS
