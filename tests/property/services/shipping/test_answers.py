"""However requests are repeated, redelivered and interrupted: all replies of an order agree."""

import datetime as dt
from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from fakes.delivery import delivered
from fakes.messages import envelope_of
from orderstream.errors import DependencyError
from orderstream.messages import decode_envelope
from orderstream_consumer.idempotency.publisher import CollectingPublisher
from orderstream_consumer.store import Write
from orderstream_consumer.testing import Fault, MemoryStore
from orderstream_orders.contracts import ShipOrder
from orderstream_workers.services.shipping import ShippingHandlers

NOW = dt.datetime(2010, 12, 1, 8, 26, tzinfo=dt.UTC)

deliveries = st.lists(
    st.tuples(
        st.integers(1, 3),
        st.integers(1, 5),
        st.sampled_from([None, Fault.BEFORE, Fault.AFTER]),
        st.sampled_from([frozenset(), frozenset({"Norway"})]),
    ),
    min_size=1,
    max_size=12,
)


@settings(max_examples=150, deadline=None)
@given(deliveries, st.sampled_from((1, 2, 4, 64)))
def test_all_replies_of_an_order_agree(
    schedule: list[tuple[int, int, Fault | None, frozenset[str]]],
    capacity: int,
) -> None:
    """Requests 1 to 3 come from positions 1 to 5, under either setting; the commit fails or is in doubt."""
    fault: Fault | None = None

    def now_fails(operation: str, _writes: Sequence[Write]) -> Fault | None:
        return fault if operation == "transact" else None

    store, publisher, clock = MemoryStore(now_fails), CollectingPublisher(), NOW
    handled: set[str] = set()
    for attempt, number, failing, unserved in schedule:
        fault, clock = failing, clock + dt.timedelta(seconds=1)
        shipping = ShippingHandlers(
            store=store,
            publisher=publisher,
            clock=lambda now=clock: now,
            unserved_countries=unserved,
            inbox_capacity=capacity,
        )
        request = envelope_of(
            ShipOrder(order_id="o-1", country="Norway", units=1),
            source="saga",
            event_id=f"request {attempt}",
            time=NOW,
            correlation_id=f"ship_order:{attempt}",
        )
        for _ in range(2):  # what fails is handed over again, until it is handled
            try:
                shipping.decide_shipment(delivered(request, number))
            except DependencyError:
                fault = None
            else:
                handled.add(request.id)
                break
    replies = [decode_envelope(data) for data in publisher.published]
    assert len({reply.message() for reply in replies}) == 1
    assert {reply.causation_id for reply in replies} == handled
    assert len(set(publisher.published)) == len(handled)
